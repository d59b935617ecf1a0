// What a hit finds: a chunk or fragment of this shard, or its lease of one that another shard owns.
#pragma once

#include <leat/cache/detail/chunk_place.hpp>
#include <leat/cache/detail/file_record.hpp>
#include <leat/cache/detail/foreign_pins.hpp>
#include <leat/cache/detail/presence.hpp>
#include <leat/cache/detail/read_ends.hpp>
#include <leat/cache/detail/use_stamp.hpp>
#include <leat/io/backend.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace leat::detail {

class shard_cache;

/// The part that chunks and leases share. All but the atomics is for the home shard's thread.
/// Entries live in memory that outlives every slice. Offsets `in` count from the start of the
/// chunk, but for landed() and ready(), where they count from the entry's own first byte.
struct alignas(64) entry {
    // Read or written by every hit.
    entry* chain = nullptr;         ///< next in the table's bucket
    std::uint64_t file_number = 0;  ///< with `piece`, the key
    piece_number piece;
    file_record* file = nullptr;
    /// Address of its first byte, less `start`: so hits need not know where in its chunk it begins.
    std::uintptr_t base = 0;
    shard_cache* home = nullptr;
    use_stamp<> last_use;  ///< when the home's turn began that used it last, in ns
    /// Bytes that can be served without a look at the units: the length once complete, else 0.
    std::uint32_t ready_length = 0;
    std::uint32_t pins = 0;

    std::uint64_t referred = 0;     ///< bytes that the slices span
    std::int64_t pinned_since = 0;  ///< of the oldest pin at most, as last_use
    read_ends ends;
    /// Landed units, a bit each; set with release by the owner, read with acquire by every holder.
    /// nullptr: none may be served.
    const std::atomic<std::uint64_t>* presence = nullptr;
    std::uint32_t length = 0;  ///< bytes of the file that it has room for
    std::uint32_t start = 0;   ///< where in its chunk it begins: 0 for a chunk
    bool leased = false;
    bool attention = false;  ///< the last unpin has more to do
    /// Of what was read ahead of a stream: the first hit beyond its half has the stream ask ahead.
    /// Once complete it is ready up to its half only, and has no presence, until then.
    bool marked = false;
    /// Of a fragment, at its owner: units that its reader asks for at once, if he goes through the
    /// file and is of this shard, 255 at most; and the bytes from where he was, when it was made,
    /// to its end; else 0.
    std::uint8_t step = 0;
    std::uint32_t to_come = 0;
    /// As last_use: of a chunk, when it was made; of a lease, when it was granted last, and 0
    /// before the first grant.
    std::int64_t since = 0;

    // Written by releases on other threads, which hits are not to wait for. What chunks and leases
    // have besides begins in the same line.
    alignas(64) foreign_pins<> foreign;
    entry* foreign_next = nullptr;

    /// Its first byte; nullptr before set_place().
    [[nodiscard]] std::byte* data() const noexcept {
        return reinterpret_cast<std::byte*>(base + start);
    }

    /// Whether the `size` bytes at `in` have landed. Precondition: presence, and size is not 0.
    [[nodiscard]] bool landed(std::uint64_t in, std::uint32_t size) const noexcept {
        const std::uint64_t last = (in + size - 1) >> unit_shift;
        return units_landed(presence, in >> unit_shift, last);
    }
    /// Whether the `size` bytes at `in` can be served to `manager` now; false for size 0.
    [[nodiscard]] bool ready(const manager_core& manager,
                             std::uint64_t in,
                             std::uint32_t size) const noexcept {
        // size 0 becomes 2^32 - 1 and fails both.
        const std::uint64_t last = in + static_cast<std::uint32_t>(size - 1);
        if (file->served_by.load(std::memory_order_relaxed) != &manager) [[unlikely]]
            return false;
        if (last < ready_length) [[likely]]
            return true;
        return last < length && presence != nullptr && landed(in, size);
    }
    /// All of it has landed.
    void complete() noexcept {
        ready_length = length;
        if (marked) hold_back();
    }
    /// See `marked`. Of a lease only if it is complete.
    void mark() noexcept {
        if (marked || length < 2) return;
        marked = true;
        if (ready_length != 0) hold_back();
    }
    /// Whether nothing but its mark keeps the `size` bytes at `in` from being served to `manager`.
    [[nodiscard]] bool beyond_mark(const manager_core& manager,
                                   std::uint64_t in,
                                   std::uint32_t size) const noexcept {
        if (!marked || ready_length == 0 || size == 0 || !covers(in, size)) return false;
        return file->served_by.load(std::memory_order_relaxed) == &manager;
    }
    /// The same as ready_length, whatever is marked.
    [[nodiscard]] std::uint32_t ready_end() const noexcept {
        return marked && ready_length != 0 ? length : ready_length;
    }
    void pass_mark() noexcept {
        marked = false;
        ready_length = length;
    }
    void set_place(std::byte* at, std::uint64_t start_) noexcept {
        start = static_cast<std::uint32_t>(start_);
        base = reinterpret_cast<std::uintptr_t>(at) - start_;
    }
    /// Whether the `size` bytes from `in_chunk` of the chunk on have a place in it.
    [[nodiscard]] bool covers(std::uint64_t in_chunk, std::uint64_t size) const noexcept {
        return in_chunk >= start && in_chunk + size <= std::uint64_t{start} + length;
    }
    /// `now` is when the home's turn began, in ns: enough to tell uses apart.
    void pin(std::uint32_t size, std::int64_t now) noexcept {
        if (pins++ == 0) [[likely]]
            pinned_since = now;
        referred += size;
    }
    /// A use that counts: of the `size` bytes at `in`, which it pins or not.
    void note_use(std::uint64_t in, std::uint32_t size, std::int64_t now) noexcept {
        ends.note(static_cast<std::uint32_t>(in + size));
        last_use.note(now);
    }
    /// Gives up a pin of `size` bytes; returns whether the home has to look at it.
    [[nodiscard]] bool unpin(std::uint64_t size) noexcept {
        referred -= size;
        return --pins == 0 && attention;
    }

private:
    void hold_back() noexcept {
        ready_length = length / 2;
        presence = nullptr;
    }
};

}  // namespace leat::detail
