// Recycles the memory of coroutine frames, a pool a shard.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// Free lists of small blocks by size. One thread; a block may be freed into another shard's pool.
///
/// allocate() and release() use the pool of the shard that runs on this thread, and the ordinary
/// heap on other threads. Under AddressSanitizer nothing is recycled, so that it sees stale frames.
///
/// Invariants, told by fault(): a list is as long as it counts, as far as none and some go, and no
/// longer than what is kept.
class frame_pool {
public:
    frame_pool() = default;
    frame_pool(const frame_pool&) = delete;
    frame_pool& operator=(const frame_pool&) = delete;
    ~frame_pool();

    /// Memory for a frame of `size` bytes, aligned as by operator new. Throws std::bad_alloc.
    [[nodiscard]] static void* allocate(std::size_t size);
    static void release(void* frame, std::size_t size) noexcept;

    /// Frames that exist in the process. Exact while no engine exists, since each shard counts for
    /// itself.
    [[nodiscard]] static std::int64_t live() noexcept;

    /// Frames made less frames freed while this pool was in use; may be negative.
    [[nodiscard]] std::int64_t balance() const noexcept { return balance_; }

    /// nullptr, or which invariant is broken.
    [[nodiscard]] const char* fault() const noexcept;

private:
    friend struct tampering;  // tests break what fault() tells
    static constexpr std::size_t granule = 64;
    static constexpr std::size_t classes = 32;             // up to 2 KiB; larger frames are rare
    static constexpr std::uint32_t kept_per_class = 1024;  // bounds what a burst leaves behind

    struct block {
        block* next;
    };
    struct free_list {
        block* first = nullptr;
        std::uint32_t count = 0;
    };

    std::array<free_list, classes> lists_{};
    std::int64_t balance_ = 0;
};

}  // namespace leat::detail
