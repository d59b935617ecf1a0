// When something was used last: noted by its holder, read by whoever evicts.
#pragma once

#include <atomic>
#include <cstdint>

namespace leat::detail {

/// One thread notes, others read. Relaxed: a stale answer costs a revoke that comes too early or a
/// chunk that stays too long, never a byte; what keeps the bytes are the messages of the lease.
template <template <class> class Atomic = std::atomic>
class use_stamp {
public:
    use_stamp() = default;
    /// Of an entry that moves.
    use_stamp(const use_stamp& other) noexcept { note(other.latest()); }
    use_stamp& operator=(const use_stamp&) = delete;

    void note(std::int64_t time) noexcept { time_.store(time, std::memory_order_relaxed); }
    [[nodiscard]] std::int64_t latest() const noexcept {
        return time_.load(std::memory_order_relaxed);
    }

private:
    Atomic<std::int64_t> time_{0};
};

}  // namespace leat::detail
