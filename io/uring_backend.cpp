// Submits to the ring, waits for it, and cancels.
#include "uring_backend.hpp"

#include "accept.hpp"

#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <sched.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <utility>

namespace leat::io {

namespace {

// Where the kernel puts what it reads from the waker: nobody looks at it, and a ring that is being
// closed may still write it.
std::uint64_t waker_value;

}  // namespace

void uring_backend::submit(operation& op) noexcept {
    assert(op.state == operation::phase::idle && op.on_complete != nullptr);
    op.state = operation::phase::pending;
    op.cancel_requested = false;
    op.tries = 0;
    ++accepted_;
    ++statistics_.submitted;
    if (op.by_thread) {
        for_threads_.push_back(op);
        return;
    }
    queue_.push_back(op);
}

void uring_backend::cancel(operation& op) noexcept {
    if (op.by_thread) {
        cancel_by_thread(op);
        return;
    }
    if (op.state == operation::phase::idle || op.cancel_requested) {
        return;
    }
    op.cancel_requested = true;
    if (op.state == operation::phase::pending) {
        queue_.withdraw(op);
        withdraw(op);
    } else {
        unlink(op);
        cancels_.push_back(op);
    }
}

// Once there are threads, only they and their pool may look at the operation's state.
void uring_backend::cancel_by_thread(operation& op) noexcept {
    if (op.cancel_requested) {
        return;
    }
    if (pool_) {
        if (pool_->withdraw(op)) {  // marks it; submit() clears that, should the operation be idle
            withdraw(op);
        }
    } else if (op.state == operation::phase::pending) {
        op.cancel_requested = true;
        unlink(op);
        withdraw(op);
    }
}

void uring_backend::withdraw(operation& op) noexcept {
    op.result = -ECANCELED;
    withdrawn_.push_back(op);
}

void uring_backend::wake() noexcept {
    if (waker_.wake()) {
        wakes_.fetch_add(1, std::memory_order_relaxed);
    }
}

bool uring_backend::prepare_wait() {
    if (completion_waker_) {
        // What completes after this makes the descriptor readable again; the rest is seen below.
        std::uint64_t count = 0;
        static_cast<void>(::read(completion_waker_->descriptor(), &count, sizeof count));
    }
    if (std::exchange(woken_, false) || !waker_armed_) {
        return false;
    }
    const bool can_submit =
        (!cancels_.empty() && cancels_used_ < cancel_credit_) || next_pending() != nullptr;
    return !can_submit && withdrawn_.empty() && for_threads_.empty() && !kernel_has_work() &&
           io_uring_cq_ready(&ring_) == 0;
}

std::size_t uring_backend::run(time_point deadline) {
    bind();
    const bool polling = deadline == time_point::min();
    hand_to_threads();
    std::size_t completed = finish_withdrawn();
    for (;;) {
        fill();
        bool ends = polling || completed > 0 || woken_;
        if (!ends && deadline != time_point::max()) {
            ends = deadline <= now();
        }
        enter(deadline, !ends && io_uring_cq_ready(&ring_) == 0);
        completed += reap();
        completed += finish_by_threads();
        // A polling run leaves the wake-up to the next one that waits.
        ends = (!polling && std::exchange(woken_, false)) || ends;
        assert(accepted_ > most_operations_checked || fault() == nullptr);
        if (completed > 0 || ends) {
            return completed;
        }
    }
}

// Decides what becomes of a call to the ring that returned `result`, a count or a negated errno.
uring_backend::next_step uring_backend::step_after_enter(int result) {
    if (result >= 0) {
        return next_step::proceed;
    }
    switch (-result) {
        case ETIME:  // the deadline passed
            return next_step::proceed;
        case EINTR:  // a signal ended the wait; what was to be submitted has been
            return next_step::call_again;
        case EAGAIN:  // no memory for a request now
        case EBUSY:   // completions that found no room in the queue wait to be reaped
        case ENOMEM:
            return next_step::reap_first;
        case EBADR:   // the kernel had no memory to keep a completion: an operation would never
                      // complete
        case EEXIST:  // another thread than the ring's own called
        case EBADF:   // the ring is not open, or
        case EBADFD:  // not enabled, or
        case ENXIO:   // going away
        case EOPNOTSUPP:
        case EFAULT:
        case EINVAL:
        default:
            throw boost::system::system_error(system_error_code(-result), "io_uring_enter");
    }
}

// Whether a call would submit something or run deferred work.
bool uring_backend::kernel_has_work() const noexcept {
    const unsigned flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED);
    return io_uring_sq_ready(&ring_) != 0 ||
           (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

// Submits what the queues hold, and waits for a completion or the deadline if it may. No system
// call when there is nothing to submit or to wait for, and no deferred work to run.
void uring_backend::enter(time_point deadline, bool may_wait) {
    int result = 0;
    if (may_wait) {
        result = submit_and_wait(deadline);
    } else {
        if (!kernel_has_work()) {
            return;
        }
        result = io_uring_submit_and_get_events(&ring_);
    }
    ++statistics_.enters;
    if ((__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) != 0) {
        ++statistics_.overflows;
    }
    // What was not submitted stays in the queue for the next call.
    if (step_after_enter(result) == next_step::reap_first && io_uring_cq_ready(&ring_) == 0) {
        ::sched_yield();  // nothing here can be reaped: let others free memory
    }
}

int uring_backend::submit_and_wait(time_point deadline) {
    __kernel_timespec time{};
    __kernel_timespec* limit = nullptr;
    if (deadline != time_point::max()) {
        const auto left = std::chrono::nanoseconds(deadline - now()).count();
        time.tv_sec = left > 0 ? left / 1'000'000'000 : 0;
        time.tv_nsec = left > 0 ? left % 1'000'000'000 : 0;
        limit = &time;
    }
    // The library's call, which can submit as well, enters the kernel again as long as there is
    // deferred work: what has completed is run first here. A shard has submitted before it parks,
    // but for the waker.
    if (io_uring_sq_ready(&ring_) <= 1) {
        const int result = submit_then_wait(limit);
        if (result != -EINVAL || !std::exchange(marks_idleness_, false)) {
            return result;
        }
        return submit_then_wait(limit);
    }
    io_uring_cqe* first = nullptr;
    return io_uring_submit_and_wait_timeout(&ring_, &first, 1, limit, nullptr);
}

// Waits, where no file is being read, as one who has nothing to do, which the kernel knows since
// Linux 6.15: an idle shard would else count as one that waits for a disk. Who waits for a device
// is to be seen as such: the CPU's governor looks at that, too.
int uring_backend::submit_then_wait(__kernel_timespec* limit) {
    constexpr unsigned no_iowait = 1U << 7;  // IORING_ENTER_NO_IOWAIT; not named by liburing 2.3
    if (io_uring_sq_ready(&ring_) != 0) {
        const int result = io_uring_submit(&ring_);
        if (result < 0) {
            return result == -EINVAL ? -EFAULT : result;
        }
        ++statistics_.enters;
    }
    io_uring_getevents_arg argument{};
    argument.ts = reinterpret_cast<std::uintptr_t>(limit);
    const bool idle = marks_idleness_ && queue_.held_by_files() == 0;
    // The library takes it for the signal mask that it is without EXT_ARG.
    auto* const mask = reinterpret_cast<sigset_t*>(&argument);
    return io_uring_enter2(static_cast<unsigned>(ring_.ring_fd), 0, 1,
                           IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | (idle ? no_iowait : 0),
                           mask, sizeof argument);
}

// An empty entry of the submission queue; hands over a full one. Null when the kernel takes none
// now.
io_uring_sqe* uring_backend::next_entry() {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) {
        ++statistics_.enters;
        if (step_after_enter(io_uring_submit(&ring_)) == next_step::proceed) {
            entry = io_uring_get_sqe(&ring_);
        }
    }
    return entry;
}

// Moves what waits into the submission queue, as far as credit goes. Cancellations go first: an
// operation started later at the same address must come behind the cancellation of the earlier one.
void uring_backend::fill() {
    do {
        if (!arm_waker() || !submit_cancellations() || !submit_pending()) {
            return;  // the kernel takes no more now
        }
    } while (shed());
    statistics_.deferred += queue_.count_deferred();
}

bool uring_backend::arm_waker() {
    if (!waker_armed_) {
        io_uring_sqe* const entry = next_entry();
        if (entry == nullptr) {
            return false;
        }
        io_uring_prep_read(entry, waker_.descriptor(), &waker_value, sizeof waker_value, 0);
        io_uring_sqe_set_data64(entry, wake_tag);
        waker_armed_ = true;
    }
    return true;
}

bool uring_backend::submit_cancellations() {
    while (!cancels_.empty() && cancels_used_ < cancel_credit_) {
        io_uring_sqe* const entry = next_entry();
        if (entry == nullptr) {
            return false;
        }
        operation& op = cancels_.front();
        io_uring_prep_cancel(entry, &op, 0);
        io_uring_sqe_set_data64(entry, cancel_tag);
        ++cancels_used_;
        cancels_.pop_front();
        submitted_.push_back(op);
    }
    return true;
}

operation* uring_backend::next_pending() noexcept {
    return queue_.next([this](operation& op) noexcept { return cost_of(op); });
}

bool uring_backend::submit_pending() {
    while (operation* const next = next_pending()) {
        io_uring_sqe* const entry = next_entry();
        if (entry == nullptr) {
            return false;
        }
        operation& op = *next;
        queue_.take(op, cost_of(op));
        op.state = operation::phase::submitted;
        op.ending = false;
        if (op.multishot && op.credit > 1) {
            ++multishots_;
            ++statistics_.multishots;
        }
        fill_entry(*entry, op, given_);
        submitted_.push_back(op);
    }
    return true;
}

// How many completions may come of the operation, or rather of its next step: a multishot accept
// for which there is no room is one accept after the other. The backlog counts twice since
// connections may arrive while it is being emptied.
unsigned uring_backend::cost_of(operation& op) const noexcept {
    if (!op.multishot || rung_ != 0) {
        return op.zero_copy ? 2 : 1;
    }
    constexpr unsigned unknown = ~0U;
    if (op.address.backlog == 0) {
        const unsigned backlog = listen_backlog(op.descriptor);
        op.address.backlog = backlog != 0 ? backlog : unknown;
    }
    const std::uint64_t reserve = std::uint64_t{2} * op.address.backlog;
    return queue_.has_room_to_wait(reserve) ? static_cast<unsigned>(reserve) : 1;
}

// Where others wait for credit, asks a multishot operation to give back what it holds. Returns
// whether there is a cancellation to submit.
bool uring_backend::shed() noexcept {
    if (queue_.empty() || multishots_ == 0 || shedding_) {
        return false;
    }
    for (operation& op : submitted_) {
        if (op.multishot && op.credit > 1) {
            shedding_ = true;
            op.ending = true;
            unlink(op);
            cancels_.push_back(op);
            return true;
        }
    }
    return false;
}

std::string uring_backend::owed() const {
    operation_summary summary;
    queue_.add_to(summary);
    summary.add(submitted_);
    summary.add(cancels_);
    summary.add(withdrawn_);
    summary.add(for_threads_);
    if (pool_) {
        pool_->add_to(summary);
    }
    return summary.text();
}

backend_statistics uring_backend::statistics() const {
    backend_statistics copy = statistics_;
    copy.wakes = wakes_.load(std::memory_order_relaxed);
    return copy;
}

}  // namespace leat::io
