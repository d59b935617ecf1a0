// How a ring's completions become those of operations.
#include "accept.hpp"
#include "uring_backend.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace leat::io {

namespace {

// The kernel's word to itself that a signal interrupted a call; an open in a worker lets it out.
constexpr int restart_system_call = 512;

// So often an operation is submitted again for which the kernel has no worker, since signals came
// while it made one.
constexpr std::uint32_t most_tries = 16;

// Handing reads to a device costs a virtual machine as much as all else, however many they are: of
// random reads of 4 KiB, 32 at once, it makes a quarter more a second with 8 to 16 at a time than
// with 4, and a tenth fewer again with more than that.
constexpr unsigned fewest_reads_a_run = 4;
constexpr unsigned most_reads_a_run = 12;

}  // namespace

// Decides whether `result` ends the operation, and with what; if not it is to be submitted again.
bool uring_backend::is_final(operation& op, int& result) noexcept {
    const bool passed_over = op.code == opcode::accept && accept_goes_on(result);
    const bool shed = op.ending && result == -ECANCELED;
    switch (passed_over || shed ? -EINTR : result) {
        case -EAGAIN:
            // Only a worker of the kernel can do this, since it may wait: a read, or an open of a
            // file on which another process holds a lease. O_NONBLOCK would say so again and again.
            op.punt = op.punt || op.reads() || op.code == opcode::open;
            if (op.code == opcode::open) {
                op.open.how.flags &= ~std::uint64_t{O_NONBLOCK};
            }
            [[fallthrough]];
        case -EINTR:
        case -restart_system_call:
            if (!op.cancel_requested) {
                return false;
            }
            result = -ECANCELED;
            return true;
        case -ECANCELED:
            // Of what nobody cancels the kernel says so where it has no worker.
            if (op.cancel_requested) {
                return true;
            }
            if (op.tries++ < most_tries) {
                return false;
            }
            result = -EAGAIN;
            return true;
        default:
            return true;
    }
}

bool uring_backend::is_read(std::uint64_t user_data) noexcept {
    return user_data > last_tag && reinterpret_cast<operation*>(user_data)->reads();
}

// Runs the completions that lie in the queue, up to a third of the reads that are in flight: what
// those bring about is submitted before the next are run, so that a device has others to work on
// while a shard goes through what it has read. They are copied out and their entries given back
// first, since a completion may submit.
std::size_t uring_backend::reap() {
    std::size_t completed = 0;
    unsigned reads = 0;
    const unsigned most_reads =
        std::clamp(queue_.held_by_files() / 3, fewest_reads_a_run, most_reads_a_run);
    std::array<completion_entry, 64> batch;
    while (reads < most_reads) {
        unsigned count = 0;
        unsigned head = 0;
        io_uring_cqe* entry = nullptr;
        io_uring_for_each_cqe(&ring_, head, entry) {
            batch[count++] = {entry->user_data, entry->res, entry->flags};
            reads += is_read(entry->user_data) ? 1 : 0;
            if (reads == most_reads || count == batch.size()) {
                break;
            }
        }
        if (count == 0) {
            break;
        }
        io_uring_cq_advance(&ring_, count);
        unchanged_.begin_burst();
        for (unsigned i = 0; i < count; ++i) {
            completed += dispatch(batch[i]);
        }
        unchanged_.end_burst();
    }
    return completed;
}

std::size_t uring_backend::dispatch(const completion_entry& entry) {
    switch (entry.user_data) {
        case wake_tag:
            waker_.reset();  // before the caller looks at its queues
            waker_armed_ = false;
            woken_ = true;
            return 0;
        case cancel_tag:
            // Whatever it says, the operation's own completion tells how it ended.
            --cancels_used_;
            return 0;
        case trial_tag:
            given_.fixed_vectors = entry.result == -EBADF;
            return 0;
        default:
            break;
    }
    operation& op = *reinterpret_cast<operation*>(entry.user_data);
    int result = entry.result;
    if ((entry.flags & IORING_CQE_F_MORE) != 0) {
        if (op.multishot) {
            deliver(op, result);
            return 1;
        }
        op.result = result;  // of a zero-copy send, whose memory is still read
        return 0;
    }
    const bool notified = (entry.flags & IORING_CQE_F_NOTIF) != 0;
    if (notified) {
        result = op.result;
    }
    release(op);
    if (op.multishot && result >= 0) {
        // The kernel has ended it, or it was a single accept.
        queue_again(op);
        deliver(op, result);
        return 1;
    }
    if (!is_final(op, result) || (op.zero_copy && falls_back(op, result))) {
        ++statistics_.retries;
        queue_again(op);
        return 0;
    }
    if (op.zero_copy && result >= 0) {
        ++statistics_.zero_copy_sends;
        const auto usage = static_cast<std::uint32_t>(entry.result);
        statistics_.zero_copy_copied += notified && (usage & usage_copied) != 0 ? 1 : 0;
    }
    complete(op, result);
    return 1;
}

// Whether a zero-copy send that ended so is to be made without what the kernel, the socket or the
// limit of locked memory may not allow.
bool uring_backend::falls_back(operation& op, int result) noexcept {
    switch (result) {
        case -EINVAL:
            if (std::exchange(given_.usage_reports, false)) {
                return true;
            }
            [[fallthrough]];
        case -EOPNOTSUPP:
        case -ENOBUFS:
        case -ENOMEM:
            op.zero_copy = false;
            ++statistics_.zero_copy_refused;
            return true;
        default:
            return false;
    }
}

// Takes back an operation from the kernel, which is done with it.
void uring_backend::release(operation& op) noexcept {
    if (op.multishot && op.credit > 1) {
        --multishots_;
    }
    shedding_ = shedding_ && !op.ending;
    queue_.give_back(op);
    unlink(op);
}

// Submits it once more, before those that have not had their turn; if it is to end, ends it
// instead.
void uring_backend::queue_again(operation& op) noexcept {
    op.state = operation::phase::pending;
    if (op.cancel_requested) {
        withdraw(op);
        return;
    }
    queue_.push_front(op);
}

std::size_t uring_backend::finish_withdrawn() {
    if (withdrawn_.empty()) {
        return 0;
    }
    operation_list withdrawn;
    withdrawn.swap(withdrawn_);  // those that completions withdraw now are for the next run
    return complete_all(withdrawn);
}

// Gives the threads what is theirs. Without threads to have it ends in this run.
void uring_backend::hand_to_threads() noexcept {
    if (for_threads_.empty()) {
        return;
    }
    if (!pool_) {
        try {
            pool_.emplace(threads_, waker_);
        } catch (...) {
            for (operation& op : for_threads_) {
                op.result = -ENOMEM;
            }
            withdrawn_.splice(withdrawn_.end(), for_threads_);
            return;
        }
    }
    for (operation& op : for_threads_) {
        op.tries = 0;
    }
    pool_->post(for_threads_);
}

std::size_t uring_backend::finish_by_threads() {
    std::size_t completed = 0;
    if (pool_) {
        operation_list done;
        pool_->take(done);
        completed = complete_all(done);
    }
    return completed;
}

// Completes operations that have their results.
std::size_t uring_backend::complete_all(operation_list& ended) {
    std::size_t completed = 0;
    while (!ended.empty()) {
        operation& op = ended.front();
        ended.pop_front();
        complete(op, op.result);
        ++completed;
    }
    return completed;
}

// One of a multishot operation's results.
void uring_backend::deliver(operation& op, int result) noexcept {
    op.result = result;
    op.more = true;
    op.tries = 0;
    op.on_complete(op);
}

void uring_backend::complete(operation& op, int result) noexcept {
    op.state = operation::phase::idle;
    op.more = false;
    op.result = result;
    --accepted_;
    ++statistics_.completed;
    if (op.reads() && result >= 0) {
        ++statistics_.reads;
        statistics_.bytes_read += static_cast<std::uint64_t>(result);
    }
    op.on_complete(op);
}

}  // namespace leat::io
