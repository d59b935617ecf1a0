// Which part of a shard's turn took the longest, and what ran in it.
#pragma once

#include <coroutine>
#include <cstdint>
#include <string>

namespace leat::detail {

/// Splits each turn into stretches and keeps the longest, by the CPU's time stamp counter: a few
/// nanoseconds a stretch. One thread.
class stall_watch {
public:
    enum class part : std::uint8_t { messages, ready_work, cache, kernel };

    /// A turn begins.
    void begin() noexcept {
        longest_ = 0;
        code_ = nullptr;
        last_ = __builtin_ia32_rdtsc();
    }
    /// Code that the present stretch runs; the latest counts.
    void running(void* code) noexcept { code_ = code; }
    /// As running(), for a coroutine that is about to be resumed. Its frame begins with the address
    /// of the code that resumes it, in the ABI that GCC and Clang share.
    void resuming(std::coroutine_handle<> coroutine) noexcept {
        code_ = *static_cast<void**>(coroutine.address());
    }
    /// The present stretch ends and the next begins.
    void ended(part what) noexcept {
        const std::uint64_t now = __builtin_ia32_rdtsc();
        if (now - last_ > longest_) {
            longest_ = now - last_;
            what_ = what;
            longest_code_ = code_;
        }
        last_ = now;
        code_ = nullptr;
    }

    /// What ran longest since begin(), in words: for code its name where the program exports it,
    /// else the program or library and the address therein, as addr2line takes it.
    [[nodiscard]] std::string describe() const;

private:
    std::uint64_t last_ = 0;
    std::uint64_t longest_ = 0;
    void* code_ = nullptr;
    void* longest_code_ = nullptr;
    part what_ = part::messages;
};

}  // namespace leat::detail
