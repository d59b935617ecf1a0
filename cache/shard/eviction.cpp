// Finds buffers, and evicts.
#include "eviction.hpp"

#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace leat::detail {

namespace {
// Chunks asked back at once: enough to have victims ready, few enough not to strip every holder.
constexpr unsigned fewest_coming = 4;
constexpr unsigned most_coming = 64;
// The same where the memory gets smaller: a search may look at all there is.
constexpr unsigned most_coming_of_excess = 512;
// What stands behind such a part of the memory is hardly younger.
constexpr std::uint64_t hardly_younger = 32;
// Leases that are asked back for one segment, where fragments serve as well.
constexpr unsigned most_leases = 8;
// By one search, for a segment: what streams have come through goes before all others, and is
// looked for in between.
constexpr unsigned most_evicted = 4;
// Where there is memory for fewer whole chunks, each takes too much of it.
constexpr std::uint64_t fewest_chunks = 16;

constexpr const char* plain_buffers =
    "buffers cannot be registered with the kernel, as a rule for want of locked memory "
    "(ulimit -l); plain ones serve, at more CPU a read";
constexpr const char* refused_pages =
    "huge pages are reserved that cannot be used here, as a rule since a control group forbids "
    "them (hugetlb); others serve";

void tell(leat::engine& engine, bool& told, std::uint64_t count, const char* sentence) noexcept {
    if (count == 0 || std::exchange(told, true)) return;
    try {
        engine.report_once(event::level::information, sentence);
    } catch (...) {  // no memory for the sentence: the count stands
    }
}
}  // namespace

eviction::~eviction() {
    cache_.home().remove_timer(again_);
}

void eviction::search_again(work& item) noexcept {
    static_cast<again_timer&>(static_cast<timer&>(item)).of.chunks_.search_again();
}

std::uint64_t eviction::buffer_bytes(std::uint64_t length) const noexcept {
    return cache_.home().arena()->buffer_bytes(std::max<std::uint64_t>(length, 1));
}

bool eviction::has_room_for_chunks(const extent& whole) const noexcept {
    return memory_.bytes() / fewest_chunks >= buffer_bytes(whole.length);
}

void eviction::tell_of_memory() noexcept {
    const io::arena_statistics found = cache_.home().arena()->statistics();
    leat::engine& engine = cache_.home().engine();
    tell(engine, told_of_plain_buffers_, found.registration_failures, plain_buffers);
    tell(engine, told_of_refused_pages_, found.hugetlb_refusals, refused_pages);
}

chunk* eviction::make(chunk_request& wanted, const extent& what) noexcept {
    io::buffer_arena& arena = *cache_.home().arena();
    std::uint64_t bytes = buffer_bytes(what.length);
    out_of_memory_ = false;
    coming_ = 0;
    for_ahead_ = wanted.asked_ahead;
    // Otherwise fragments serve as well.
    must_ = !what.piece.is_chunk() || needs_whole_chunk(wanted);
    if (!std::exchange(wanted.expected, true)) {
        const std::uint64_t key = chunks_.key_of(*wanted.file, what.piece);
        chunks_.policy().expect(key, bytes);
        if (!wanted.asked_ahead) chunks_.ahead().wanted(key, bytes);
    }
    keep_to_memory();
    const std::uint64_t bits = unit_bits::bytes_for(chunk::words_for(what.length));
    if (!find_header(bits)) return nullptr;
    std::byte* const buffer = find_buffer(bytes);
    if (buffer == nullptr) {
        memory_.give_back(bits);
        return nullptr;
    }
    tell_of_memory();
    // What was to be replaced may be the one that was evicted.
    chunk* const former = chunks_.find(*wanted.file, what.piece);
    retention keep = retention_of(wanted.given);
    if (former != nullptr) {
        keep = retention_after(former->keep, wanted.given);
        former->replaced = true;
        fills_.unqueue(*former);
        chunks_.doom(*former);
        granted_.revoke(*former);
    }
    chunk* const made = chunks_.make(*wanted.file, what, buffer, bytes, keep);
    if (made == nullptr) {
        arena.release(buffer, bytes);
        memory_.give_back(bits);
        out_of_memory_ = true;
    } else {
        ++counts_.fills;
        arena.set_user(buffer, made);
        take_over(*made, former);
        uses_.loaded(*made);
    }
    if (former != nullptr) chunks_.settle(*former);
    return made;
}

namespace {
// What `from` has of the bytes of `made`, and nothing before had, need not be read. Precondition:
// it is complete.
void copy_into(chunk& made, const chunk& from) noexcept {
    const std::uint64_t start = std::max(made.start, from.start);
    const std::uint64_t end = std::min(made.start + made.length, from.start + from.length);
    if (start >= end) return;
    const std::uint64_t last = ((end - made.start - 1) >> unit_shift) + 1;
    std::uint64_t first = made.next((start - made.start) >> unit_shift, false);
    while (first < last) {
        const std::uint64_t until = std::min(made.next(first, true), last);
        const std::uint64_t at = made.start + (first << unit_shift);
        const std::uint64_t size =
            std::min<std::uint64_t>(end, made.start + (until << unit_shift)) - at;
        std::memcpy(made.data() + (at - made.start), from.data() + (at - from.start), size);
        made.ask(first, until - first);
        made.land(first, until - first);
        first = made.next(until, false);
    }
}
}  // namespace

void eviction::take_over(chunk& made, chunk* former) noexcept {
    if (made.piece.is_chunk()) return;
    if (former != nullptr) made.asked_by = former->asked_by;
    if (former != nullptr && former->ready_length != 0) {
        // Where the rest of one fragment lies on both sides, one read of all costs less than two.
        const bool at_start = former->start <= made.start;
        const bool at_end = former->start + former->length >= made.start + made.length;
        if (at_start || at_end || made.length > fragment_size) copy_into(made, *former);
    }
    const std::uint64_t second = (made.start | (fragment_size - 1)) + 1;
    chunks_.any_fragment(*made.file, made.piece.index(), second,
                         std::uint64_t{made.start} + made.length, [&](const chunk& part) {
                             if (part.ready_length != 0) copy_into(made, part);
                             return false;
                         });
}

bool eviction::spares(std::uint64_t kind) noexcept {
    shard& home = cache_.home();
    if (!vain_.spare(kind, home)) return false;
    if (!vain_.worth_repeating(kind, chunks_.rooms())) return true;
    const io::time_point when = vain_.until(kind);
    if (again_.pending() && again_.deadline <= when) return true;
    home.remove_timer(again_);
    home.add_timer(again_, when);
    return true;
}

std::byte* eviction::find_buffer(std::uint64_t& bytes) noexcept {
    io::buffer_arena& arena = *cache_.home().arena();
    std::byte* buffer = arena.allocate(bytes);
    if (buffer == nullptr && arena.buffers_in(arena.budget(), bytes) == 0) {
        out_of_memory_ = true;  // none would be gained by letting all others go
        return nullptr;
    }
    // Who may have less evicted fails where others do not. Buffers are whole units.
    const std::uint64_t kind = bytes + (for_ahead_ ? 1 : 0) + (must_ ? 2 : 0);
    if (buffer == nullptr && spares(kind)) return nullptr;
    if (buffer == nullptr) cache_.take_foreign();  // a victim may be pinned only by what is gone
    const std::uint64_t before = looks();
    const std::uint64_t rooms = chunks_.rooms();
    const std::uint64_t asked = bytes;
    segment_emptying emptying{arena, last_look_,
                              must_ ? std::numeric_limits<std::uint64_t>::max() : bytes + bytes / 2,
                              bytes};
    wanted_bytes_ = bytes;
    larger_bytes_ = 0;
    emptying_ = &emptying;
    if (buffer == nullptr && bytes > arena.segment_bytes()) return empty_neighbours(bytes);
    while (buffer == nullptr) {
        if (!evict_some()) {
            // Without a chunk there is none to wait for.
            out_of_memory_ = chunks_.count() == 0;
            // More than one segment may be too short for it.
            if (coming_ == 0 && 2 * asked > arena.segment_bytes()) buffer = empty_neighbours(asked);
            if (buffer == nullptr && coming_ == 0)
                vain_.failed(kind, looks() - before, cache_.home(), rooms);
            return buffer;
        }
        buffer = arena.allocate(bytes);
        if (buffer == nullptr && emptying.finish()) buffer = arena.allocate(bytes);
        if (buffer == nullptr && larger_bytes_ != 0) {
            buffer = arena.allocate(larger_bytes_);
            if (buffer != nullptr) bytes = larger_bytes_;
        }
    }
    return buffer;
}

// Not by and by, since what is evicted without the last one would be so in vain.
std::byte* eviction::empty_neighbours(std::uint64_t bytes) noexcept {
    io::buffer_arena& arena = *cache_.home().arena();
    const std::size_t first = emptying_->find_run(bytes);
    if (first == io::buffer_arena::no_segment) {
        claims_ = claims_ || (emptying_->lacks_budget() && memory_.may_claim());
        ask_back();
        out_of_memory_ = chunks_.count() == 0;
        return nullptr;
    }
    const std::size_t count = (bytes - 1) / arena.segment_bytes() + 1;
    for (std::size_t i = first; i < first + count; ++i) empty(i, first, count);
    while (!arena.fits(bytes)) {
        const std::size_t other = emptying_->find_beside(first, count);
        if (other == io::buffer_arena::no_segment) break;
        empty(other, other, 1);
    }
    return arena.allocate(bytes);
}

void eviction::empty(std::size_t segment, std::size_t first, std::size_t count) noexcept {
    cache_.home().arena()->each_user(segment, [&](void* user) {
        auto& one = *static_cast<chunk*>(user);
        if (emptying_->move(one, first, count)) return;
        fills_.unqueue(one);
        ++counts_.evictions;
        chunks_.discard(one);
    });
}

// Once a search: those that are asked for are no fewer than it takes.
void eviction::ask_back() noexcept {
    if (coming_ != 0) return;
    const unsigned most = must_ ? std::numeric_limits<unsigned>::max() : most_leases;
    emptying_->each_leased(most, [this](chunk& leased) {
        if (leased.holders.empty()) return;
        ++coming_;
        granted_.revoke(leased);
    });
}

bool eviction::evict_some() noexcept {
    static_cast<void>(count_remembered());
    coming_ = 0;
    coming_bytes_ = 0;
    const std::uint64_t mapped = cache_.home().arena()->statistics().mapped_bytes;
    excess_ = mapped - std::min(mapped, memory_.for_buffers());
    passed_ = false;
    used_ = false;
    spared_ = false;
    left_ = most_evicted;
    const std::uint64_t before = counts_.evictions;
    const auto search = [this] {
        chunks_.policy().victims(
            [](void* self, resident& candidate) noexcept {
                return static_cast<eviction*>(self)->judge(static_cast<chunk&>(candidate));
            },
            [](void* self, resident& victim) noexcept {
                return static_cast<eviction*>(self)->evict(victim);
            },
            this, wanted_bytes_);
    };
    const auto none = [&] { return counts_.evictions == before; };
    chunk* waiting = nullptr;
    // One that helps nobody is not to hide those behind it.
    for (std::uint64_t looks = chunks_.ahead().looks_before(wanted_bytes_); looks != 0 && !waiting;)
        waiting = waits_in_vain(chunks_.ahead().waits_in_vain(looks));
    if (waiting == nullptr && chunks_.ahead().too_many())
        waiting = waits_in_vain(chunks_.ahead().longest_waiting());
    if (waiting == nullptr) search();
    if (waiting == nullptr && none() && coming_ == 0 && spared_) {
        spares_used_ = false;
        search();
        spares_used_ = true;
    }
    if (waiting == nullptr && none() && coming_ == 0 && !for_ahead_) {
        waiting = waits_in_vain(chunks_.ahead().longest_waiting());
        // Nothing comes, then, and so no reader: all are judged.
        if (waiting == nullptr && coming_ == 0 && chunks_.ahead().remove_all()) search();
    }
    if (waiting != nullptr) evict(*waiting);
    if (!none()) return true;
    // Where all are in use by others the next look may find one that is not.
    const bool again = used_ || (!passed_ && !chunks_.policy().empty());
    if (coming_ == 0 && again) chunks_.note_room();
    return false;
}

bool eviction::evict(resident& victim) noexcept {
    ++counts_.evictions;
    const std::uint64_t bytes = victim.bytes;
    chunks_.ahead().evicted(static_cast<const chunk&>(victim));
    chunks_.discard(static_cast<chunk&>(victim));
    emptying_->freed(bytes);
    return emptying_->needs_more(bytes) && --left_ != 0;
}

// What was read ahead for nothing says something of who has asked for it.
chunk* eviction::waits_in_vain(chunk* found) noexcept {
    if (found == nullptr || judge(*found) != verdict::evict) return nullptr;
    const manager_core& manager = *found->file->manager;
    cache_.parts().runs.unread(found->file_number, found->file_offset(),
                               stretch_of(manager.chunk_size));
    return found;
}

// Whether room is made by evicting it: not if its place serves no buffer of the size that is
// wanted, and never will.
bool eviction::helps(const chunk& candidate) noexcept {
    if (wanted_bytes_ == 0 || candidate.bytes == wanted_bytes_) return true;
    if (cache_.home().arena()->makes_room(candidate.data(), wanted_bytes_)) return true;
    if (emptying_->may_empty(candidate.bytes)) return true;
    // Where nothing can be emptied, a place that is larger serves as well.
    if (candidate.bytes < wanted_bytes_) return false;
    larger_bytes_ = candidate.bytes;
    return true;
}

verdict eviction::judge(chunk& candidate) noexcept {
    ++judged_;
    // There may be thousands of a class that helps nobody, and all are met before the others. That
    // there are some that are not pinned is known by then.
    if (passed_ && candidate.bytes < wanted_bytes_ && emptying_->in_vain(candidate.bytes))
        return verdict::other;
    if (candidate.pinned() || candidate.has_waiters()) return chunks_.set_aside(candidate);
    const std::int64_t latest = candidate.latest_use();
    if (latest != candidate.used) {
        const std::int64_t before = candidate.used;
        candidate.note_uses();
        if (candidate.take_reuses()) uses_.visited_elsewhere(candidate, before);
        if (uses_.clock().saves(candidate)) {
            used_ = true;
            return verdict::used;
        }
    }
    // A search may meet it several times, and the next one comes soon: no use lies in between.
    const bool come_through = candidate.piece.is_chunk() && candidate.come_through();
    if (spares_used_ && !come_through && uses_.clock().in_use(candidate)) {
        spared_ = true;
        return verdict::pass;
    }
    if (!helps(candidate)) {
        passed_ = true;
        ask_back();
        return verdict::other;
    }
    const bool leased = !candidate.holders.empty();
    // Nothing much younger goes in place of what is on its way: that is a message each, not a read.
    // But who holds a lease answers in a turn of its own: if all waited for the coldest until then,
    // a few leases would hold up any number of requests, and most of them where turns are long or
    // shards share a processor.
    const std::uint64_t alike = memory_.bytes() / hardly_younger;
    const bool goes_on = coming_ < (excess_ != 0 ? most_coming_of_excess : most_coming) &&
                         coming_bytes_ <= excess_ + alike;
    if (!goes_on && !(leased && coming_ < fewest_coming)) return verdict::stop;
    fills_.unqueue(candidate);  // nobody waits inside: what is not submitted is not read
    if (leased) {
        ++coming_;
        coming_bytes_ += candidate.bytes;
        granted_.revoke(candidate);
        return verdict::pass;
    }
    return candidate.reads() != 0 ? chunks_.set_aside(candidate) : verdict::evict;
}

boost::system::error_code eviction::shortage() noexcept {
    if (out_of_memory_) return system_error_code(ENOMEM);
    return chunks_.all_pinned() ? errc::all_pinned : errc::no_buffer;
}

}  // namespace leat::detail
