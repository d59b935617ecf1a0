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
    return std::clamp<std::uint64_t>(besides() / 8, 4 * KiB, std::max(MiB, bytes_ / 256));
}

std::uint64_t shard_memory::most_granted() const noexcept {
    return bytes_ - std::min(bytes_, reserved());
}

void shard_memory::grant(std::uint64_t bytes) noexcept {
    granted_ = std::min(bytes, most_granted());
    arena_.set_budget(bytes_ - granted_);
}

std::uint64_t shard_memory::left_by_buffers() const noexcept {
    return bytes_ - std::min(bytes_, std::max(arena_.statistics().divided_bytes, reserved()));
}

bool shard_memory::reach(std::uint64_t bytes) noexcept {
    // What was granted while buffers had more than is theirs may be theirs still.
    if (bytes <= granted_ && !exceeded()) return true;
    const std::uint64_t most = left_by_buffers();
    if (bytes > most) return false;
    if (bytes > granted_) grant(std::min(bytes + step(), most));
    return true;
}

bool shard_memory::take(std::uint64_t bytes) noexcept {
    if (!reach(besides() + bytes)) {
        // Over the budget only where evicting could never give them.
        if (may_have(bytes) || entries_ + bytes > due()) return false;
        grant(std::max(granted_, besides() + bytes));
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

std::uint64_t shard_memory::remember(std::uint64_t now, std::uint64_t wanted) noexcept {
    const bool more = wanted > remembered_ && reach(entries_ + wanted);
    remembered_ = std::max(now, more ? wanted : std::min(wanted, remembered_));
    adjust();
    return remembered_;
}

void shard_memory::set_bytes(std::uint64_t bytes) noexcept {
    bytes_ = bytes;
    grant(std::max({granted_, besides(), first_grant}));
}

void shard_memory::claim() noexcept {
    claimed_ = true;
    grant(granted_);
}

void shard_memory::disclaim() noexcept {
    if (!claimed_ || arena_.statistics().divided_bytes + besides() + step() > bytes_) return;
    claimed_ = false;
    adjust();
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
