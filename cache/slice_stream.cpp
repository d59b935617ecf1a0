// Walks a range slice by slice and asks ahead.
#include "shard/look_ahead.hpp"
#include "shard/shard_parts.hpp"
#include "streamed_get_chunk.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/slice_stream.hpp>
#include <leat/io/detail/misuse.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace leat {

slice_stream::slice_stream(const chunk_manager& manager,
                           file from,
                           std::uint64_t offset,
                           std::uint64_t end,
                           slices_options options)
    : manager_(manager),
      home_(manager.core_->here().home()),
      file_(std::move(from)),
      offset_(offset),
      end_(end),
      options_(options) {
    // Half of a shard's memory at most is filled ahead.
    const std::uint64_t chunks = manager.cache_->engine().memory_per_shard() / manager.chunk_size();
    options_.depth = static_cast<unsigned>(std::min<std::uint64_t>(options_.depth, chunks / 2));
    ahead_.reserve(options_.depth + 1);
}

slice_stream::slice_stream(slice_stream&&) noexcept = default;

slice_stream::~slice_stream() {
    drop_before(std::numeric_limits<std::uint64_t>::max());
    // A stream that was moved from has no file.
    if (file_.record() == nullptr) return;
    if (shard::current() != nullptr) check_home();
    if (shard::current() != &home_) return;
    count_ahead(0);
    detail::shard_parts& parts = manager_.core_->here().parts();
    parts.home_requests.catch_up(*manager_.core_, file_.id().number, offset_);
    parts.runs.ended(file_.id().number, offset_, detail::stretch_of(manager_.chunk_size()));
}

unsigned slice_stream::depth() const noexcept {
    return static_cast<unsigned>(std::min<std::uint64_t>(options_.depth, room_ahead()));
}

std::uint64_t slice_stream::room_ahead() const noexcept {
    const std::uint64_t size = manager_.chunk_size();
    // Over small chunks its windows reach farther than that; and where an owner has room for few
    // chunks, it reads fragments.
    if (manager_.core_->grain < size &&
        (detail::stretch_of(size) != size ||
         !manager_.core_->here().parts().eviction.has_room_for_chunks(
             {detail::piece_number::chunk(0), 0, size})))
        return 0;
    const std::uint64_t share = manager_.core_->here().parts().runs.share();
    // Beside a whole chunk, which is there until it has been come through.
    const std::uint64_t chunks = (share + share / 2) / manager_.chunk_size();
    // And what others have been granted before there were so many.
    const std::uint64_t left =
        manager_.core_->here().parts().runs.left_for_walk(counted_) / manager_.chunk_size();
    return std::min(chunks - std::min<std::uint64_t>(chunks, 1), left);
}

void slice_stream::count_ahead(std::uint64_t chunks) noexcept {
    const std::uint64_t bytes = chunks * manager_.chunk_size();
    manager_.core_->here().parts().runs.walk_ahead(std::exchange(counted_, bytes), bytes);
}

void slice_stream::check_home() const noexcept {
    if (shard::current() != &home_)
        detail::misuse(
            "a slice_stream was used or dropped on another shard than its own: take its "
            "slices, or a stream of one's own, to other shards");
}

void slice_stream::drop_before(std::uint64_t index) noexcept {
    if (!ahead_.empty()) check_home();
    const auto passed = [this, index](detail::look_ahead* one) {
        if (one->index >= index && !one->ended()) return false;
        // What found no buffer free is asked for again.
        if (one->index >= index && detail::unbuffered(one->code))
            next_ahead_ = std::min(next_ahead_, one->index);
        one->drop();
        return true;
    };
    ahead_.erase(std::remove_if(ahead_.begin(), ahead_.end(), passed), ahead_.end());
}

bool slice_stream::has(std::uint64_t offset, std::uint32_t size) const noexcept {
    const detail::manager_core& core = *manager_.core_;
    return core.here().has(core, file_.id().number, core.locate(offset), size);
}

// What its run has read ahead it comes to as it is.
bool slice_stream::is_in_fragments(std::uint64_t index) const noexcept {
    const detail::shard_cache& here = manager_.core_->here();
    const std::uint64_t number = file_.id().number;
    return here.find(number, detail::piece_number::chunk(index)) == nullptr &&
           here.find(number, detail::piece_number::fragment({index, 0})) != nullptr;
}

bool slice_stream::is_asked_for(std::uint64_t index) const noexcept {
    return std::any_of(ahead_.begin(), ahead_.end(),
                       [index](const detail::look_ahead* one) { return one->index == index; });
}

void slice_stream::look_ahead(std::uint64_t index, std::uint64_t first) {
    drop_before(index);
    const std::uint64_t size = manager_.chunk_size();
    // All of it is asked for already: so it is for most slices of a chunk.
    if (whole_ && next_ahead_ > index + options_.depth &&
        counted_ == (next_ahead_ - (index + 1)) * size)
        return;
    detail::runs& runs = manager_.core_->here().parts().runs;
    // As long as it comes to windows its run asks for the next.
    if (!whole_ &&
        !runs.reaches(file_.id().number, offset_, (index + 1) * size, detail::stretch_of(size)))
        return;
    next_ahead_ = std::max(next_ahead_, first);
    const auto count = [&] { count_ahead(next_ahead_ - std::min(next_ahead_, index + 1)); };
    count();
    const unsigned most = depth();
    for (; next_ahead_ <= index + most && next_ahead_ * size < end_; ++next_ahead_) {
        // Those behind one that is asked for again; so ahead_ never needs more room than it has.
        if (is_asked_for(next_ahead_)) continue;
        const std::uint64_t begin = next_ahead_ * size;
        const std::uint64_t all = std::min(size, file_.size() - begin);
        const std::uint64_t wanted = std::min(all, end_ - begin);
        // A chunk in which the walk ends comes as a window, if less of it can be read.
        const bool whole = wanted == all || manager_.core_->grain >= size;
        const std::uint64_t length = whole ? all : std::min(wanted, detail::fragment_size);
        if (has(begin, static_cast<std::uint32_t>(length))) continue;
        // What is asked for ahead is not gone before it is used.
        const hint given = options_.hint == hint::no_retain ? hint::scan : options_.hint;
        detail::look_ahead* const asking = detail::look_ahead::ask(
            *manager_.core_, file_.id().number, begin, length, whole ? size : wanted, given);
        if (asking == nullptr) return;  // the reader asks for it himself
        ahead_.push_back(asking);
        runs.asked(file_.id().number, offset_, begin, begin + (whole ? all : wanted),
                   detail::stretch_of(size));
    }
    count();
}

task<slice> slice_stream::next() {
    check_home();
    if (offset_ >= end_) co_return slice{};
    const detail::manager_core& core = *manager_.core_;
    const std::uint64_t size = manager_.chunk_size();
    const detail::chunk_place place = core.locate(offset_);
    const std::uint64_t rest = std::min((place.index + 1) * size, end_) - offset_;
    const std::uint64_t piece = std::min<std::uint64_t>(
        rest, options_.slice_size != 0 ? options_.slice_size
                                       : core.here().at_once(core, file_.id().number, place));
    chunk_config config{file_, offset_, static_cast<std::uint32_t>(piece), options_.hint};
    // A chunk is gone behind its last piece, not behind each.
    const bool last = piece == rest;
    if (config.hint == hint::no_retain && !last) config.hint = hint::scan;
    const bool all_at_once = core.grain >= size;
    if (all_at_once || place.in == 0)
        whole_ = all_at_once || (depth() != 0 && !is_in_fragments(place.index));
    if (all_at_once && options_.slice_size == 0 && !has(offset_, config.size)) {
        look_ahead(place.index, place.index);  // all of them at once, this one first
    }
    // What is asked for already, and has not come, is not gone for what is asked for behind it. In
    // little memory that would take what others have not come through.
    if (whole_ && place.in == 0 && is_asked_for(place.index) && !has(offset_, config.size) &&
        room_ahead() >= 2 * (std::uint64_t{options_.depth} + 1))
        look_ahead(place.index, place.index + 1);
    detail::streamed_get_chunk asking{core, config, detail::patience_of(config.hint),
                                      end_ - offset_, true};
    result<slice> found = co_await asking;
    if (!found) throw system_error(found.error());
    // It may have been read as a window of fragments.
    whole_ = whole_ && (all_at_once || !is_in_fragments(place.index));
    // Only now: a small piece is demanded, and what is there is pinned, before more is asked for,
    // first the rest of its own chunk.
    look_ahead(place.index, whole_ ? place.index : place.index + 1);
    offset_ += piece;
    co_return std::move(*found);
}

}  // namespace leat
