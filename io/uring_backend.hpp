// The backend that gives everything to io_uring.
#pragma once

#include "call_pool.hpp"
#include "credit_queue.hpp"
#include "operation_list.hpp"
#include "unchanged_files.hpp"
#include "uring_entry.hpp"
#include "waker.hpp"

#include <leat/io/backend.hpp>

#include <liburing.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace leat::io {

/// One io_uring. What the kernel gives is found by trying (see mode in statistics()).
///
/// The completions that may come of what is in the kernel are at most completion_entries, less a
/// reserve for wake-ups and cancellations, so that its completion queue never overflows; see
/// credit_queue for who may have them. A multishot accept may complete once for each connection
/// that waits: it is given to the kernel as such if twice the backlog fits into what is free, gives
/// that back when others need it, and is otherwise an accept after the other. Only where the kernel
/// defers its work to run(), so that no two bursts come between two looks at the queue; such a
/// kernel has multishot accept. A zero-copy send gives two completions, its result and the
/// notification that its memory is free.
///
/// What the ring cannot do rightly (operation::by_thread) is done by a few threads, made when first
/// there is such an operation.
///
/// Invariants, told by fault(): each operation accepted is in one list; the credit that is held is
/// that of the operations in the kernel; who holds more than one is counted, and of them one at
/// most is asked to give it back; those that await their cancellation are to end; and those of the
/// queue.
class uring_backend final : public backend {
public:
    /// How often a ring that the kernel has no memory for is asked for again before it becomes
    /// smaller: what was closed just now gives memory back.
    static constexpr unsigned memory_retries = 12;

    /// Throws boost::system::system_error with errc::no_backend; what() names the likely cause.
    explicit uring_backend(const backend_options& options);
    ~uring_backend() override;

    void submit(operation& op) noexcept override;
    void cancel(operation& op) noexcept override;
    /// Throws boost::system::system_error for what no retry can mend: a ring that lost completions,
    /// was closed, or is used by two threads.
    std::size_t run(time_point deadline) override;
    void wake() noexcept override;
    [[nodiscard]] int wait_descriptor() override;
    [[nodiscard]] bool prepare_wait() override;
    [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
    void note_unchanged(int descriptor) noexcept override { unchanged_.note(descriptor); }
    [[nodiscard]] bool noted_unchanged(int descriptor) const noexcept override {
        return unchanged_.noted(descriptor);
    }
    [[nodiscard]] boost::system::error_code register_buffer(
        unsigned index, std::span<std::byte> memory) noexcept override;
    [[nodiscard]] std::size_t connection_limit() const noexcept override {
        return queue_.connection_limit();
    }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return accepted_; }
    [[nodiscard]] std::string owed() const override;
    /// Whether the kernel had no memory for a completion queue as long as was asked for.
    [[nodiscard]] bool is_smaller_than_asked() const noexcept { return smaller_; }
    [[nodiscard]] backend_statistics statistics() const override;
    /// nullptr, or which invariant is broken; not inside a completion. Takes time for each
    /// operation in flight.
    [[nodiscard]] const char* fault() const noexcept;

private:
    friend struct tampering;  // tests break what fault() tells
    enum class next_step : std::uint8_t { proceed, call_again, reap_first };
    struct completion_entry {
        std::uint64_t user_data;
        std::int32_t result;
        std::uint32_t flags;
    };

    [[nodiscard]] static next_step step_after_enter(int result);
    [[nodiscard]] static bool is_final(operation& op, int& result) noexcept;

    void open_ring();
    [[nodiscard]] int make_ring(unsigned& features);
    [[nodiscard]] bool make_smaller() noexcept;
    void check_ring(unsigned features);
    void close_ring() noexcept;
    void bind();
    void fill();
    [[nodiscard]] bool arm_waker();
    [[nodiscard]] bool submit_cancellations();
    [[nodiscard]] operation* next_pending() noexcept;
    [[nodiscard]] bool submit_pending();
    [[nodiscard]] bool shed() noexcept;
    [[nodiscard]] unsigned cost_of(operation& op) const noexcept;
    [[nodiscard]] bool kernel_has_work() const noexcept;
    [[nodiscard]] io_uring_sqe* next_entry();
    void enter(time_point deadline, bool may_wait);
    [[nodiscard]] int submit_and_wait(time_point deadline);
    [[nodiscard]] int submit_then_wait(__kernel_timespec* limit);
    [[nodiscard]] static bool is_read(std::uint64_t user_data) noexcept;
    [[nodiscard]] std::size_t reap();
    [[nodiscard]] std::size_t dispatch(const completion_entry& entry);
    [[nodiscard]] bool falls_back(operation& op, int result) noexcept;
    void release(operation& op) noexcept;
    void queue_again(operation& op) noexcept;
    [[nodiscard]] std::size_t finish_withdrawn();
    void hand_to_threads() noexcept;
    [[nodiscard]] std::size_t finish_by_threads();
    [[nodiscard]] std::size_t complete_all(operation_list& ended);
    void cancel_by_thread(operation& op) noexcept;
    void withdraw(operation& op) noexcept;
    void deliver(operation& op, int result) noexcept;
    void complete(operation& op, int result) noexcept;
    [[nodiscard]] boost::system::error_code make_buffer_table() noexcept;

    io_uring ring_{};
    bool ring_open_ = false;
    bool bound_ = false;
    std::thread::id thread_;
    unsigned rung_ = 0;
    unsigned entries_;
    unsigned completion_entries_;
    bool smaller_ = false;
    bool marks_idleness_ = true;  ///< the kernel has not refused to

    // An operation's user_data is its address, which is none of these.
    static constexpr std::uint64_t wake_tag = 1;
    static constexpr std::uint64_t cancel_tag = 2;
    static constexpr std::uint64_t trial_tag = 3;
    static constexpr std::uint64_t last_tag = trial_tag;

    unsigned cancel_credit_ = 0;  ///< cancellations the kernel may hold at once
    unsigned cancels_used_ = 0;
    unsigned multishots_ = 0;  ///< operations that hold more than one credit
    bool shedding_ = false;    ///< one of them is asked to give it back
    entry_features given_;
    std::size_t accepted_ = 0;

    credit_queue queue_;        ///< not yet in the submission queue
    operation_list submitted_;  ///< in the submission queue or in the kernel
    operation_list cancels_;    ///< submitted, their cancellation waits for its turn
    operation_list withdrawn_;  ///< cancelled while pending, or without threads; with results

    unchanged_files unchanged_;  ///< since the completions that are being run were there

    waker waker_;
    bool waker_armed_ = false;  ///< the kernel has a read of the waker
    bool woken_ = false;
    /// Rung by the kernel at each completion; exists once somebody waits by descriptor.
    std::optional<waker> completion_waker_;
    std::atomic<std::uint64_t> wakes_{0};

    const unsigned threads_;
    operation_list for_threads_;     ///< not yet handed to them
    std::optional<call_pool> pool_;  ///< wakes the waker

    std::vector<std::size_t> registered_;  ///< bytes by index; empty until the table exists
    backend_statistics statistics_;
};

}  // namespace leat::io
