// How much memory a shard may use, and how its buffers and all else share it.
#pragma once

#include <leat/engine/options.hpp>
#include <leat/io/detail/buffer_arena.hpp>

#include <algorithm>
#include <cstdint>

namespace leat::detail {

/// What entries and memories of what is gone take is not the arena's: the arena may map what
/// remains. Who wants memory that is no buffer's asks before it is used, and gets none that buffers
/// still have. So both together never exceed bytes(), but by due() where that has hardly room for
/// two chunks, and for as long as pins and reads keep a smaller budget from being reached.
///
/// Where two chunks take nearly all, so that little would remain for entries of small pieces, an
/// eighth remains until somebody claims both, if each has segments of its own.
///
/// Invariant: the arena's budget is bytes() less what is granted besides. One thread.
class shard_memory {
public:
    /// What is not the arena's from the beginning, if there is room for more than that.
    static constexpr std::uint64_t first_grant = 128 * KiB;

    /// `bytes` for all; buffers have `least` of them at least, whatever else there is, as soon as
    /// that is claimed.
    shard_memory(io::buffer_arena& arena, std::uint64_t bytes, std::uint64_t least) noexcept;

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    /// What buffers may have of it now.
    [[nodiscard]] std::uint64_t for_buffers() const noexcept { return bytes_ - granted_; }
    /// What entries take.
    [[nodiscard]] std::uint64_t entries() const noexcept { return entries_; }
    /// What is in use that is no buffer.
    [[nodiscard]] std::uint64_t besides() const noexcept { return entries_ + remembered_; }
    /// Counts `bytes` of entries, if the buffers in use leave room for them, or they have not even
    /// due().
    [[nodiscard]] bool take(std::uint64_t bytes) noexcept;
    /// What entries have in any case: some pages, and a table and bits for the units of two chunks.
    [[nodiscard]] std::uint64_t due() const noexcept { return first_grant + least_ / 512; }
    /// Whether that could ever be, if more buffers became free.
    [[nodiscard]] bool may_have(std::uint64_t bytes) const noexcept {
        return besides() + bytes <= most_granted();
    }
    /// Counts them all the same: for what there is once a shard, and is there before its buffers.
    void take_anyway(std::uint64_t bytes) noexcept;
    void give_back(std::uint64_t bytes) noexcept;
    /// What is remembered takes `now` bytes, and would take up to `wanted`. Returns how many it may
    /// have until this is called again: `now` at least.
    [[nodiscard]] std::uint64_t remember(std::uint64_t now, std::uint64_t wanted) noexcept;
    /// The shard may use so much from now on. exceeded() says whether something has to go first.
    void set_bytes(std::uint64_t bytes) noexcept;
    [[nodiscard]] std::uint64_t least() const noexcept { return least_; }
    /// Whether claim() gives buffers more.
    [[nodiscard]] bool may_claim() const noexcept { return reserved() < least_; }
    /// Buffers have all of least() from now on. Entries that have more than what remains, and
    /// due(), are to be gone by now.
    void claim() noexcept;
    /// Nobody needs that any more; it is over when they do not have it either.
    void disclaim() noexcept;
    /// Buffers have so much of it from now on, whatever else there is.
    void set_least(std::uint64_t bytes) noexcept;
    /// Whether buffers keep more than is theirs: then segments are to become free, which the arena
    /// gives back at once.
    [[nodiscard]] bool exceeded() const noexcept {
        return arena_.statistics().mapped_bytes > arena_.budget();
    }
    /// Whether what is no buffer keeps more than buffers leave to it.
    [[nodiscard]] bool crowded() const noexcept { return besides() > most_granted(); }
    /// What is wrong, or nullptr.
    [[nodiscard]] const char* fault() const noexcept;

private:
    [[nodiscard]] std::uint64_t step() const noexcept;
    /// What buffers have, whatever else there is.
    [[nodiscard]] std::uint64_t reserved() const noexcept {
        // A short segment in which one chunk lies could not become longer for another.
        const bool apart = least_ >= 2 * arena_.segment_bytes();
        return claimed_ || !apart ? least_ : std::min(least_, bytes_ - bytes_ / 8);
    }
    /// What buffers leave to all else, as long as no more of them become free.
    [[nodiscard]] std::uint64_t left_by_buffers() const noexcept;
    /// Whether `bytes` may be in use besides buffers: sees to it that the arena has not got them.
    [[nodiscard]] bool reach(std::uint64_t bytes) noexcept;
    [[nodiscard]] std::uint64_t most_granted() const noexcept;
    void grant(std::uint64_t bytes) noexcept;
    void adjust() noexcept;

    io::buffer_arena& arena_;
    std::uint64_t bytes_;
    std::uint64_t least_;
    bool claimed_ = false;          ///< all of least_
    std::uint64_t granted_ = 0;     ///< not the arena's
    std::uint64_t entries_ = 0;     ///< bytes of them
    std::uint64_t remembered_ = 0;  ///< bytes that what is gone may have
};

}  // namespace leat::detail
