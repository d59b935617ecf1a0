// The thread that writes to standard output.
#pragma once

#include "hand_over.hpp"

#include <atomic>
#include <cstdint>
#include <thread>

namespace leat::cat {

/// Writes the slices of a queue to a descriptor, on a thread of its own, since a pipe may block for
/// as long as its reader likes.
class output {
public:
    /// Starts at once. `descriptor` and `queue` must outlive it. Throws
    /// boost::system::system_error.
    output(int descriptor, hand_over& queue);
    output(const output&) = delete;
    output& operator=(const output&) = delete;
    /// Waits for the thread; see ended().
    ~output();

    /// Readable once the queue has ended or been closed, or writing has failed; for poll(2).
    [[nodiscard]] int ended() const noexcept { return ended_; }
    /// The errno of what went wrong with writing, or 0; the queue is closed then. Valid once ended.
    [[nodiscard]] int error() const noexcept { return error_.load(); }
    /// Bytes written so far. Any thread.
    [[nodiscard]] std::uint64_t written() const noexcept { return written_.load(); }

private:
    void run() noexcept;
    [[nodiscard]] int write(const slice& piece) noexcept;

    int descriptor_;
    hand_over& queue_;
    int ended_;
    std::atomic<int> error_{0};
    std::atomic<std::uint64_t> written_{0};
    std::thread thread_;
};

}  // namespace leat::cat
