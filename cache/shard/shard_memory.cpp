// Lowers the arena's budget as other things grow.
#include "shard_memory.hpp"

#include <algorithm>

namespace leat::detail {

shard_memory::shard_memory(io::buffer_arena& arena,
                           std::uint64_t bytes,
                           std::uint64_t least) noexcept
    : arena_(arena), bytes_(bytes), least_(least) {
    grant(first_grant);
}

// Each change may cost a segment: not for a few bytes.
std::uint64_t shard_memory::step() const noexcept {
    return std::clamp<std::uint64_t>(besides() / 8, 4 * KiB, MiB);
}

std::uint64_t shard_memory::most_granted() const noexcept {
    return bytes_ - std::min(bytes_, least_);
}

void shard_memory::grant(std::uint64_t bytes) noexcept {
    granted_ = std::min(bytes, most_granted());
    arena_.set_budget(bytes_ - granted_);
}

bool shard_memory::take(std::uint64_t bytes) noexcept {
    const std::uint64_t needed = besides() + bytes;
    if (needed > granted_) {
        const std::uint64_t used = std::max(arena_.statistics().divided_bytes, least_);
        const std::uint64_t most = bytes_ - std::min(bytes_, used);
        // Where there is hardly room for buffers, entries do not take it.
        if (most < needed && used > least_) return false;
        grant(std::min(needed + step(), std::max(most, needed)));
    }
    entries_ += bytes;
    return true;
}

// So that it is done again only when about two steps more are in use, or less.
void shard_memory::adjust() noexcept {
    const std::uint64_t needed = besides() + step();
    if (besides() > granted_) return grant(needed);
    if (granted_ > first_grant && needed + 2 * step() < granted_)
        grant(std::max(needed, first_grant));
}

void shard_memory::take_anyway(std::uint64_t bytes) noexcept {
    entries_ += bytes;
    adjust();
}

void shard_memory::give_back(std::uint64_t bytes) noexcept {
    entries_ -= bytes;
    adjust();
}

void shard_memory::set_remembered(std::uint64_t bytes) noexcept {
    remembered_ = bytes;
    adjust();
}

void shard_memory::set_bytes(std::uint64_t bytes) noexcept {
    bytes_ = bytes;
    grant(std::max({granted_, besides(), first_grant}));
}

void shard_memory::set_least(std::uint64_t bytes) noexcept {
    least_ = bytes;
    grant(std::max(granted_, besides()));
}

const char* shard_memory::fault() const noexcept {
    if (arena_.budget() > bytes_ - granted_) return "the arena may map what is granted to others";
    if (besides() > granted_ && granted_ < most_granted())
        return "entries take memory that was not granted to them";
    return nullptr;
}

}  // namespace leat::detail
