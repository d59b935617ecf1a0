// Walks a range slice by slice and asks ahead.
#include "shard/shard_parts.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/slice_stream.hpp>
#include <leat/io/detail/misuse.hpp>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace leat {

/// A whole chunk asked for ahead of its reader. It keeps no pin once the chunk is there: a stream
/// that pinned ahead could take the last buffer from its own reader. On the heap, since the stream
/// may be dropped while the request travels.
struct slice_stream::ahead : detail::chunk_request {
    std::uint64_t chunk = 0;
    bool ended = false;
    bool dropped = false;

    static void landed(detail::chunk_request& request) noexcept {
        auto& self = static_cast<ahead&>(request);
        self.ended = true;
        if (self.pinned != nullptr) const slice let_go{*self.pinned, self.in, self.size};
        self.home->home().unhold();
        if (self.dropped) delete &self;
    }
    /// Nobody wants it any more.
    void drop() noexcept {
        dropped = true;
        if (ended) {
            delete this;
        } else {
            home->cancel(*this);
        }
    }
};

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
}

unsigned slice_stream::depth() const noexcept {
    const std::uint64_t share = manager_.core_->here().parts().runs.share();
    return static_cast<unsigned>(
        std::min<std::uint64_t>(options_.depth, share / manager_.chunk_size()));
}

void slice_stream::check_home() const noexcept {
    if (shard::current() != &home_)
        detail::misuse(
            "a slice_stream was used or dropped on another shard than its own: take its "
            "slices, or a stream of one's own, to other shards");
}

void slice_stream::drop_before(std::uint64_t index) noexcept {
    if (!ahead_.empty()) check_home();
    const auto passed = [this, index](ahead* one) {
        if (one->chunk >= index && !one->ended) return false;
        // What found no buffer free is asked for again.
        if (one->chunk >= index && detail::unbuffered(one->code))
            next_ahead_ = std::min(next_ahead_, one->chunk);
        one->drop();
        return true;
    };
    ahead_.erase(std::remove_if(ahead_.begin(), ahead_.end(), passed), ahead_.end());
}

bool slice_stream::has(std::uint64_t offset, std::uint32_t size) const noexcept {
    const detail::manager_core& core = *manager_.core_;
    return core.here().has(core, file_.id().number, core.locate(offset), size);
}

void slice_stream::look_ahead(std::uint64_t index, std::uint64_t first) {
    drop_before(index);
    const std::uint64_t size = manager_.chunk_size();
    next_ahead_ = std::max(next_ahead_, first);
    const unsigned most = depth();
    for (; next_ahead_ <= index + most && next_ahead_ * size < end_; ++next_ahead_) {
        const auto asked = [this](const ahead* one) { return one->chunk == next_ahead_; };
        // Those behind one that is asked for again; so ahead_ never needs more room than it has.
        if (std::any_of(ahead_.begin(), ahead_.end(), asked)) continue;
        const std::uint64_t begin = next_ahead_ * size;
        const auto length = static_cast<std::uint32_t>(std::min(size, file_.size() - begin));
        if (has(begin, length)) continue;
        std::unique_ptr<ahead> asking{new (std::nothrow) ahead};
        if (!asking) return;  // the reader asks for it himself
        asking->done = &ahead::landed;
        asking->chunk = next_ahead_;
        asking->size = length;
        asking->window = static_cast<std::uint32_t>(size);
        asking->patience = detail::patience::brief;
        asking->asked_ahead = true;
        // What is asked for ahead is not gone before it is used.
        asking->given = options_.hint == hint::no_retain ? hint::scan : options_.hint;
        shard& here = this_shard();
        here.hold();
        if (!detail::shard_cache::current().request(*asking, file_.id().number, begin,
                                                    *manager_.core_)) {
            here.unhold();
            return;
        }
        ahead_.push_back(asking.release());
    }
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
    if (all_at_once || place.in == 0) whole_ = all_at_once || depth() != 0;
    const std::uint64_t first = whole_ ? place.index : place.index + 1;
    if (all_at_once && options_.slice_size == 0 && !has(offset_, config.size)) {
        look_ahead(place.index, first);  // all of them at once, this one first
    }
    get_chunk_awaiter asking{core, config, detail::patience_of(config.hint),
                             static_cast<std::uint32_t>(rest)};
    slice found = co_await std::move(asking);
    // Only now: a small piece is demanded, and what is there is pinned, before more is asked for,
    // first the rest of its own chunk.
    look_ahead(place.index, first);
    offset_ += piece;
    co_return found;
}

}  // namespace leat
