// The backend for where io_uring is refused: threads for files, epoll for all else.
#pragma once

#include "call_pool.hpp"
#include "operation_list.hpp"
#include "waker.hpp"

#include <leat/io/backend.hpp>

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <unordered_map>

namespace leat::io {

/// Serves operations on files by a small pool of threads, in order of submission; sockets, pipes
/// and polls without blocking on the running thread; waits, wake-ups and deadlines by one epoll
/// descriptor.
///
/// Listening and connecting sockets are made O_NONBLOCK if they are not, and stay so. A file
/// operation that a thread already works on runs to its end when cancelled.
///
/// Invariants, told by fault(): each operation accepted is in one list; a descriptor is watched as
/// long as somebody waits for it, and for what those want.
class thread_backend final : public backend {
public:
    /// Throws boost::system::system_error if the system has no descriptors or threads to give.
    explicit thread_backend(const backend_options& options);
    ~thread_backend() override;

    void submit(operation& op) noexcept override;
    void cancel(operation& op) noexcept override;
    std::size_t run(time_point deadline) override;
    void wake() noexcept override;
    [[nodiscard]] int wait_descriptor() override { return epoll_; }
    [[nodiscard]] bool prepare_wait() override;
    [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return accepted_; }
    [[nodiscard]] std::string owed() const override;
    [[nodiscard]] backend_statistics statistics() const override;
    /// nullptr, or which invariant is broken; not inside a completion. Takes time for each
    /// operation in flight.
    [[nodiscard]] const char* fault() const noexcept;

private:
    friend struct tampering;  // tests break what fault() tells
    /// The operations that wait for one descriptor to become ready, and what epoll watches it for.
    struct watch {
        operation_list waiting;
        std::uint32_t events = 0;
        bool registered = false;
    };

    void hand_out();
    void begin_waiting(operation& op) noexcept;
    void settle(operation& op, int result) noexcept;
    void collect();
    void wait_for_events(time_point deadline, bool may_wait);
    [[nodiscard]] int wait_epoll(epoll_event* events,
                                 int count,
                                 time_point deadline,
                                 bool may_wait);
    void descriptor_ready(int descriptor, std::uint32_t events) noexcept;
    void update_watch(std::unordered_map<int, watch>::iterator position) noexcept;
    [[nodiscard]] std::size_t complete_ready() noexcept;
    void deliver(operation& op) noexcept;

    operation_list incoming_;  ///< submitted since the last run, or to be tried again
    operation_list ready_;     ///< to complete, with their results
    std::unordered_map<int, watch> watches_;
    std::size_t accepted_ = 0;

    int epoll_ = -1;
    bool precise_wait_ = true;  ///< epoll_pwait2 has not been refused
    waker waker_;               ///< woken by wake() and by the pool
    std::atomic<bool> woken_{false};
    std::atomic<std::uint64_t> wakes_{0};
    backend_statistics statistics_;
    call_pool pool_;
};

}  // namespace leat::io
