// Finds buffers, and evicts.
#include "eviction.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <cerrno>
#include <utility>

namespace leat::detail {

namespace {
// Chunks asked back at once: enough to have victims ready, few enough not to strip every holder.
constexpr unsigned most_coming = 4;

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

void eviction::tell_of_memory() noexcept {
    const io::arena_statistics found = cache_.home().arena()->statistics();
    leat::engine& engine = cache_.home().engine();
    tell(engine, told_of_plain_buffers_, found.registration_failures, plain_buffers);
    tell(engine, told_of_refused_pages_, found.hugetlb_refusals, refused_pages);
}

chunk* eviction::make_chunk(chunk_request& wanted) noexcept {
    const std::uint64_t size = wanted.file->manager->chunk_size;
    out_of_memory_ = false;
    coming_ = 0;
    if (!std::exchange(wanted.expected, true))
        chunks_.policy().expect(chunks_.key_of(*wanted.file, wanted.index), size);
    std::byte* const buffer = find_buffer(size);
    if (buffer == nullptr) return nullptr;
    tell_of_memory();
    chunk* const made =
        chunks_.make(*wanted.file, wanted.index, buffer, retention_of(wanted.given));
    if (made == nullptr) {
        cache_.home().arena()->release(buffer, size);
        out_of_memory_ = true;
        return nullptr;
    }
    ++counts_.fills;
    uses_.loaded(*made);
    return made;
}

std::byte* eviction::find_buffer(std::uint64_t size) noexcept {
    io::buffer_arena& arena = *cache_.home().arena();
    std::byte* buffer = arena.allocate(size);
    if (buffer == nullptr) cache_.take_foreign();  // a victim may be pinned only by what is gone
    while (buffer == nullptr) {
        if (!evict_one()) {
            // Without a chunk there is none to wait for.
            out_of_memory_ = chunks_.count() == 0;
            return nullptr;
        }
        buffer = arena.allocate(size);
    }
    return buffer;
}

bool eviction::evict_one() noexcept {
    coming_ = 0;
    resident* const found = chunks_.policy().victim(
        [](void* self, resident& candidate) noexcept {
            return static_cast<eviction*>(self)->judge(static_cast<chunk&>(candidate));
        },
        this);
    if (found == nullptr) {
        // Where all are in use by others the next look may find one that is not.
        if (coming_ == 0 && !chunks_.policy().empty()) chunks_.note_room();
        return false;
    }
    ++counts_.evictions;
    chunks_.discard(static_cast<chunk&>(*found));
    return true;
}

verdict eviction::judge(chunk& candidate) noexcept {
    if (candidate.pinned() || !candidate.waiters.empty()) return chunks_.set_aside(candidate);
    const std::int64_t latest = candidate.latest_use();
    if (latest != candidate.used) {
        const std::int64_t before = std::exchange(candidate.used, latest);
        if (candidate.take_reuses()) uses_.visited_elsewhere(candidate, before);
        if (uses_.clock().saves(candidate)) return verdict::used;
    }
    const bool leased = !candidate.holders.empty();
    // Nothing younger goes in place of what is on its way: that is a message each, not a read.
    if (coming_ == most_coming || (coming_ != 0 && !leased)) return verdict::stop;
    fills_.unqueue(candidate);  // nobody waits inside: what is not submitted is not read
    if (leased) {
        ++coming_;
        granted_.revoke(candidate);
        return verdict::pass;
    }
    return candidate.reads != 0 ? chunks_.set_aside(candidate) : verdict::evict;
}

boost::system::error_code eviction::shortage() noexcept {
    if (out_of_memory_) return system_error_code(ENOMEM);
    return chunks_.all_pinned() ? errc::all_pinned : errc::no_buffer;
}

}  // namespace leat::detail
