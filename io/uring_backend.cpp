#include "uring_backend.hpp"

#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

namespace leat::io {

namespace {

// An operation's user_data is its address, which is none of these.
constexpr std::uint64_t wake_tag = 1;
constexpr std::uint64_t cancel_tag = 2;

// The kernel's word to itself that a signal interrupted a call; an open in a worker lets it out.
constexpr int restart_system_call = 512;

// Where the kernel puts what it reads from the bell: nobody looks at it, and a ring that is being
// closed may still write it.
std::uint64_t bell_value;

void prepare(io_uring_sqe* entry, operation& op) noexcept {
    switch (op.code) {
        case opcode::read:
            if (op.read.buffer >= 0) {
                io_uring_prep_read_fixed(entry, op.descriptor, op.read.data, op.read.size,
                                         op.read.offset, op.read.buffer);
            } else {
                io_uring_prep_read(entry, op.descriptor, op.read.data, op.read.size,
                                   op.read.offset);
            }
            break;
        case opcode::open:
            io_uring_prep_openat2(entry, op.open.directory, op.open.path, &op.open.how);
            break;
        case opcode::stat:
            io_uring_prep_statx(entry, op.descriptor, op.stat.path, AT_EMPTY_PATH, op.stat.mask,
                                op.stat.out);
            break;
        case opcode::accept:
            io_uring_prep_accept(entry, op.descriptor, op.address.address, op.address.length,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK);
            break;
        case opcode::connect:
            io_uring_prep_connect(entry, op.descriptor, op.address.address, *op.address.length);
            break;
        // With MSG_DONTWAIT the kernel would answer EAGAIN instead of waiting.
        case opcode::receive:
            io_uring_prep_recvmsg(entry, op.descriptor, op.message.message,
                                  static_cast<unsigned>(op.message.flags & ~MSG_DONTWAIT));
            break;
        case opcode::send:
            io_uring_prep_sendmsg(
                entry, op.descriptor, op.message.message,
                static_cast<unsigned>((op.message.flags & ~MSG_DONTWAIT) | MSG_NOSIGNAL));
            break;
        case opcode::shutdown:
            io_uring_prep_shutdown(entry, op.descriptor, op.number);
            break;
        case opcode::poll:
            io_uring_prep_poll_add(entry, op.descriptor, static_cast<unsigned>(op.number));
            break;
    }
    if (op.punt) {
        io_uring_sqe_set_flags(entry, IOSQE_ASYNC);
    }
    io_uring_sqe_set_data(entry, &op);
}

}  // namespace

void uring_backend::submit(operation& op) noexcept {
    assert(op.state == operation::phase::idle && op.on_complete != nullptr);
    op.state = operation::phase::pending;
    op.cancel_requested = false;
    pending_.push_back(op);
    ++pending_count_;
    ++accepted_;
    ++statistics_.submitted;
}

void uring_backend::cancel(operation& op) noexcept {
    if (op.state == operation::phase::idle || op.cancel_requested) {
        return;
    }
    op.cancel_requested = true;
    unlink(op);
    if (op.state == operation::phase::pending) {
        --pending_count_;
        withdrawn_.push_back(op);
    } else {
        cancels_.push_back(op);
    }
}

void uring_backend::wake() noexcept {
    if (bell_.ring()) {
        wakes_.fetch_add(1, std::memory_order_relaxed);
    }
}

bool uring_backend::prepare_wait() {
    if (completion_bell_) {
        // What completes after this makes the descriptor readable again; the rest is seen below.
        std::uint64_t count = 0;
        static_cast<void>(::read(completion_bell_->descriptor(), &count, sizeof count));
    }
    if (std::exchange(woken_, false) || !bell_armed_) {
        return false;
    }
    const bool can_submit = (!cancels_.empty() && cancels_used_ < cancel_credit_) ||
                            (!pending_.empty() && used_ < credit_);
    return !can_submit && withdrawn_.empty() && !kernel_has_work() &&
           io_uring_cq_ready(&ring_) == 0;
}

std::size_t uring_backend::run(time_point deadline) {
    bind();
    const bool polling = deadline == time_point::min();
    std::size_t completed = finish_withdrawn();
    for (;;) {
        fill();
        bool ends = polling || completed > 0 || woken_;
        if (!ends && deadline != time_point::max()) {
            ends = deadline <= now();
        }
        enter(deadline, !ends && io_uring_cq_ready(&ring_) == 0);
        completed += reap();
        // A polling run leaves the wake-up to the next one that waits.
        ends = (!polling && std::exchange(woken_, false)) || ends;
        if (completed > 0 || ends) {
            return completed;
        }
    }
}

// Decides what becomes of a call to the ring that returned `result`, a count or a negated errno.
uring_backend::verdict uring_backend::judge_enter(int result) {
    if (result >= 0) {
        return verdict::proceed;
    }
    switch (-result) {
        case ETIME:  // the deadline passed
            return verdict::proceed;
        case EINTR:  // a signal ended the wait; what was to be submitted has been
            return verdict::call_again;
        case EAGAIN:  // no memory for a request now
        case EBUSY:   // completions that found no room in the queue wait to be reaped
        case ENOMEM:
            return verdict::reap_first;
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

// Decides whether `result` ends the operation, and with what; if not it is to be submitted again.
bool uring_backend::is_final(operation& op, int& result) noexcept {
    switch (result) {
        case -EAGAIN:
            // Only a worker of the kernel can do this read, since it may wait.
            op.punt = op.punt || op.code == opcode::read;
            [[fallthrough]];
        case -EINTR:
        case -restart_system_call:
            if (!op.cancel_requested) {
                return false;
            }
            result = -ECANCELED;
            return true;
        default:
            return true;
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
        __kernel_timespec time{};
        __kernel_timespec* limit = nullptr;
        if (deadline != time_point::max()) {
            const auto left = std::chrono::nanoseconds(deadline - now()).count();
            time.tv_sec = left > 0 ? left / 1'000'000'000 : 0;
            time.tv_nsec = left > 0 ? left % 1'000'000'000 : 0;
            limit = &time;
        }
        io_uring_cqe* first = nullptr;
        result = io_uring_submit_and_wait_timeout(&ring_, &first, 1, limit, nullptr);
    } else {
        if (!kernel_has_work()) {
            return;
        }
        result = io_uring_submit_and_get_events(&ring_);
    }
    ++statistics_.enters;
    // What was not submitted stays in the queue for the next call.
    if (judge_enter(result) == verdict::reap_first && io_uring_cq_ready(&ring_) == 0) {
        ::sched_yield();  // nothing here can be reaped: let others free memory
    }
}

// An empty entry of the submission queue; hands over a full one. Null when the kernel takes none
// now.
io_uring_sqe* uring_backend::next_entry() {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) {
        ++statistics_.enters;
        if (judge_enter(io_uring_submit(&ring_)) == verdict::proceed) {
            entry = io_uring_get_sqe(&ring_);
        }
    }
    return entry;
}

// Moves what waits into the submission queue, as far as credit goes. Cancellations go first: an
// operation started later at the same address must come behind the cancellation of the earlier one.
void uring_backend::fill() {
    if (!bell_armed_) {
        io_uring_sqe* const entry = next_entry();
        if (entry == nullptr) {
            return;
        }
        io_uring_prep_read(entry, bell_.descriptor(), &bell_value, sizeof bell_value, 0);
        io_uring_sqe_set_data64(entry, wake_tag);
        bell_armed_ = true;
    }
    while (!cancels_.empty() && cancels_used_ < cancel_credit_) {
        io_uring_sqe* const entry = next_entry();
        if (entry == nullptr) {
            return;
        }
        operation& op = cancels_.front();
        io_uring_prep_cancel(entry, &op, 0);
        io_uring_sqe_set_data64(entry, cancel_tag);
        ++cancels_used_;
        cancels_.pop_front();
        submitted_.push_back(op);
    }
    while (!pending_.empty() && used_ < credit_) {
        io_uring_sqe* const entry = next_entry();
        if (entry == nullptr) {
            return;
        }
        operation& op = pending_.front();
        pending_.pop_front();
        --pending_count_;
        deferred_counted_ -= deferred_counted_ > 0 ? 1 : 0;
        op.state = operation::phase::submitted;
        prepare(entry, op);
        ++used_;
        submitted_.push_back(op);
    }
    if (pending_count_ > deferred_counted_) {
        statistics_.deferred += pending_count_ - deferred_counted_;
    }
    deferred_counted_ = pending_count_;
}

// Runs the completions that lie in the queue. They are copied out and their entries given back
// first, since a completion may submit.
std::size_t uring_backend::reap() {
    std::size_t completed = 0;
    std::array<completion_entry, 64> batch;
    for (;;) {
        unsigned count = 0;
        unsigned head = 0;
        io_uring_cqe* entry = nullptr;
        io_uring_for_each_cqe(&ring_, head, entry) {
            batch[count++] = {entry->user_data, entry->res};
            if (count == batch.size()) {
                break;
            }
        }
        if (count == 0) {
            return completed;
        }
        io_uring_cq_advance(&ring_, count);
        for (unsigned i = 0; i < count; ++i) {
            completed += dispatch(batch[i]);
        }
    }
}

std::size_t uring_backend::dispatch(const completion_entry& entry) {
    switch (entry.user_data) {
        case wake_tag:
            bell_.answer();  // before the caller looks at its queues
            bell_armed_ = false;
            woken_ = true;
            return 0;
        case cancel_tag:
            // Whatever it says, the operation's own completion tells how it ended.
            --cancels_used_;
            return 0;
        default:
            break;
    }
    operation& op = *reinterpret_cast<operation*>(entry.user_data);
    int result = entry.result;
    --used_;
    unlink(op);
    if (!is_final(op, result)) {
        ++statistics_.retries;
        op.state = operation::phase::pending;
        pending_.push_front(op);
        ++pending_count_;
        ++deferred_counted_;
        return 0;
    }
    complete(op, result);
    return 1;
}

std::size_t uring_backend::finish_withdrawn() {
    operation_list withdrawn;
    withdrawn.swap(withdrawn_);  // those that completions withdraw now are for the next run
    std::size_t completed = 0;
    while (!withdrawn.empty()) {
        operation& op = withdrawn.front();
        withdrawn.pop_front();
        complete(op, -ECANCELED);
        ++completed;
    }
    return completed;
}

void uring_backend::complete(operation& op, int result) noexcept {
    op.state = operation::phase::idle;
    op.result = result;
    --accepted_;
    ++statistics_.completed;
    if (op.code == opcode::read && result >= 0) {
        ++statistics_.reads;
        statistics_.bytes_read += static_cast<std::uint64_t>(result);
    }
    op.on_complete(op);
}

std::string uring_backend::owed() const {
    operation_summary summary;
    summary.add(pending_);
    summary.add(submitted_);
    summary.add(cancels_);
    summary.add(withdrawn_);
    return summary.text();
}

backend_statistics uring_backend::statistics() const {
    backend_statistics copy = statistics_;
    copy.wakes = wakes_.load(std::memory_order_relaxed);
    return copy;
}

}  // namespace leat::io
