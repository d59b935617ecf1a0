// Hands file operations to threads, and tries all others when epoll says they can go on.
#include "thread_backend.hpp"

#include "blocking_call.hpp"

#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <limits>
#include <utility>

namespace leat::io {

thread_backend::thread_backend(const backend_options& options)
    : waker_(EFD_CLOEXEC | EFD_NONBLOCK), pool_(options.threads, waker_) {
    const unsigned count = options.threads;
    statistics_.name = "thread";
    statistics_.mode = std::to_string(count) + (count == 1 ? " thread" : " threads") + " and epoll";
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = waker_.descriptor();
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, waker_.descriptor(), &event) != 0) {
        const int error = errno;
        ::close(epoll_);
        throw boost::system::system_error(system_error_code(error), "epoll");
    }
}

thread_backend::~thread_backend() {
    assert(accepted_ == 0);
    ::close(epoll_);
}

void thread_backend::submit(operation& op) noexcept {
    assert(op.state == operation::phase::idle && op.on_complete != nullptr);
    op.state = operation::phase::pending;
    op.cancel_requested = false;
    statistics_.zero_copy_refused += std::exchange(op.zero_copy, false) ? 1 : 0;
    incoming_.push_back(op);
    ++accepted_;
    ++statistics_.submitted;
}

void thread_backend::cancel(operation& op) noexcept {
    if (op.cancel_requested) {
        return;
    }
    if (pool_.withdraw(op)) {  // marks it; submit() clears that, should the operation be idle
        settle(op, -ECANCELED);
        return;
    }
    const auto found = watches_.find(op.descriptor);
    if (found == watches_.end()) {
        return;
    }
    for (const operation& waiting : found->second.waiting) {
        if (&waiting == &op) {
            unlink(op);
            settle(op, -ECANCELED);
            update_watch(found);
            return;
        }
    }
}

void thread_backend::wake() noexcept {
    // Before the waker: who resets it looks at woken_ behind that.
    woken_.exchange(true, std::memory_order_acq_rel);
    if (waker_.wake()) {
        wakes_.fetch_add(1, std::memory_order_relaxed);
    }
}

std::size_t thread_backend::run(time_point deadline) {
    const bool polling = deadline == time_point::min();
    for (;;) {
        hand_out();
        collect();
        bool ends = polling || !ready_.empty() || woken_.load(std::memory_order_acquire);
        if (!ends && deadline != time_point::max()) {
            ends = deadline <= now();
        }
        if (!ends || !watches_.empty()) {
            wait_for_events(deadline, !ends);
            collect();
        }
        // A polling run leaves the wake-up to the next one that waits.
        ends = (!polling && woken_.exchange(false, std::memory_order_acq_rel)) || ends;
        const std::size_t completed = complete_ready();
        assert(accepted_ > most_operations_checked || fault() == nullptr);
        if (completed > 0 || ends) {
            return completed;
        }
    }
}

bool thread_backend::prepare_wait() {
    if (!incoming_.empty()) {
        return false;
    }
    // Empties the waker, which would keep the epoll descriptor readable.
    wait_for_events(time_point::min(), false);
    collect();
    const bool woken = woken_.exchange(false, std::memory_order_acq_rel);
    return !woken && ready_.empty();
}

// Gives file operations to the threads, tries the others at once.
void thread_backend::hand_out() {
    operation_list calls;
    while (!incoming_.empty()) {
        operation& op = incoming_.front();
        incoming_.pop_front();
        if (op.cancel_requested) {  // between two results of it
            settle(op, -ECANCELED);
        } else if (may_block(op)) {
            op.tries = 0;
            calls.push_back(op);
        } else {
            op.state = operation::phase::submitted;
            begin_waiting(op);
        }
    }
    pool_.post(calls);
}

// Tries an operation that does not wait behind others of its descriptor; lets it wait if it must.
void thread_backend::begin_waiting(operation& op) noexcept {
    const std::uint32_t wanted = interest(op);
    auto found = watches_.find(op.descriptor);
    const bool queued = found != watches_.end() && op.code != opcode::poll &&
                        op.code != opcode::shutdown &&
                        std::any_of(found->second.waiting.begin(), found->second.waiting.end(),
                                    [&](const operation& other) { return other.code == op.code; });
    if (!queued) {
        const int result = call_non_blocking(op);
        if (result != -EAGAIN) {
            settle(op, result);
            return;
        }
    }
    if (found == watches_.end()) {
        try {
            found = watches_.try_emplace(op.descriptor).first;
        } catch (const std::bad_alloc&) {
            settle(op, -ENOMEM);
            return;
        }
    }
    watch& of = found->second;
    of.waiting.push_back(op);
    if (of.registered && (of.events & wanted) == wanted) {
        return;
    }
    epoll_event event{};
    event.events = of.events | wanted;
    event.data.fd = op.descriptor;
    const int how = of.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (::epoll_ctl(epoll_, how, op.descriptor, &event) != 0) {
        unlink(op);
        settle(op, -errno);
        update_watch(found);
        return;
    }
    of.events = event.events;
    of.registered = true;
}

void thread_backend::settle(operation& op, int result) noexcept {
    op.result = result;
    op.state = operation::phase::submitted;
    ready_.push_back(op);
}

// Takes over what the threads have done.
void thread_backend::collect() {
    operation_list done;
    pool_.take(done);
    while (!done.empty()) {
        operation& op = done.front();
        done.pop_front();
        // A pipe is read when it has something, as sockets are.
        const bool stream = op.result == -ESPIPE && op.reads();
        if (!stream) {
            settle(op, op.result);
        } else if (op.cancel_requested) {
            settle(op, -ECANCELED);
        } else {
            begin_waiting(op);
        }
    }
}

int thread_backend::wait_epoll(epoll_event* events, int count, time_point deadline, bool may_wait) {
    const auto left =
        may_wait ? std::max(std::chrono::nanoseconds(deadline - now()), std::chrono::nanoseconds(0))
                 : std::chrono::nanoseconds(0);
    const bool endless = may_wait && deadline == time_point::max();
    ++statistics_.enters;
    if (precise_wait_) {
        timespec time{};
        time.tv_sec = left.count() / 1'000'000'000;
        time.tv_nsec = left.count() % 1'000'000'000;
        const int got = ::epoll_pwait2(epoll_, events, count, endless ? nullptr : &time, nullptr);
        if (got >= 0 || (errno != ENOSYS && errno != EPERM)) {
            return got;
        }
        precise_wait_ = false;
    }
    constexpr std::int64_t longest = std::numeric_limits<int>::max() - 1;
    const std::int64_t milliseconds = std::min<std::int64_t>(left.count() / 1'000'000, longest);
    const bool partial = left.count() % 1'000'000 != 0;
    return ::epoll_wait(epoll_, events, count,
                        endless ? -1 : static_cast<int>(milliseconds + (partial ? 1 : 0)));
}

void thread_backend::wait_for_events(time_point deadline, bool may_wait) {
    std::array<epoll_event, 64> events;
    const int got = wait_epoll(events.data(), static_cast<int>(events.size()), deadline, may_wait);
    if (got < 0) {
        if (errno == EINTR) {
            return;
        }
        throw boost::system::system_error(system_error_code(errno), "epoll_wait");
    }
    for (int i = 0; i < got; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd != waker_.descriptor()) {
            descriptor_ready(event.data.fd, event.events);
            continue;
        }
        std::uint64_t value = 0;
        static_cast<void>(::read(waker_.descriptor(), &value, sizeof value));
        waker_.reset();
    }
}

// Tries what waits for the descriptor, in order; of each kind no more once one has to wait on.
void thread_backend::descriptor_ready(int descriptor, std::uint32_t events) noexcept {
    const auto found = watches_.find(descriptor);
    if (found == watches_.end()) {
        return;
    }
    const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
    unsigned exhausted = 0;
    operation_list waiting;
    waiting.swap(found->second.waiting);
    while (!waiting.empty()) {
        operation& op = waiting.front();
        waiting.pop_front();
        const unsigned kind = 1U << static_cast<unsigned>(op.code);
        int result = -EAGAIN;
        if ((broken || (events & interest(op)) != 0) && (exhausted & kind) == 0) {
            result = call_non_blocking(op);
        }
        if (result != -EAGAIN) {
            settle(op, result);
            continue;
        }
        exhausted |= op.code == opcode::poll ? 0 : kind;
        found->second.waiting.push_back(op);
    }
    update_watch(found);
}

// Makes epoll watch for what is still waited for, or for nothing.
void thread_backend::update_watch(std::unordered_map<int, watch>::iterator position) noexcept {
    watch& of = position->second;
    std::uint32_t wanted = 0;
    for (const operation& op : of.waiting) {
        wanted |= interest(op);
    }
    epoll_event event{};
    event.events = wanted;
    event.data.fd = position->first;
    if (of.waiting.empty()) {
        if (of.registered) {
            ::epoll_ctl(epoll_, EPOLL_CTL_DEL, position->first, &event);
        }
        watches_.erase(position);
    } else if (of.registered && wanted != of.events) {
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, position->first, &event);
        of.events = wanted;
    }
}

std::size_t thread_backend::complete_ready() noexcept {
    operation_list now_ready;
    now_ready.swap(ready_);  // those that completions withdraw now are for the next run
    std::size_t completed = 0;
    while (!now_ready.empty()) {
        operation& op = now_ready.front();
        now_ready.pop_front();
        if (op.multishot && op.result >= 0) {
            ++completed;
            deliver(op);
            continue;
        }
        op.state = operation::phase::idle;
        op.more = false;
        ++completed;
        --accepted_;
        ++statistics_.completed;
        if (op.reads() && op.result >= 0) {
            ++statistics_.reads;
            statistics_.bytes_read += static_cast<std::uint64_t>(op.result);
        }
        op.on_complete(op);
    }
    return completed;
}

// One of a multishot operation's results; the next is tried for at the next run.
void thread_backend::deliver(operation& op) noexcept {
    op.state = operation::phase::pending;
    op.more = true;
    incoming_.push_back(op);
    op.on_complete(op);
}

std::string thread_backend::owed() const {
    operation_summary summary;
    summary.add(incoming_);
    summary.add(ready_);
    for (const auto& [descriptor, of] : watches_) {
        summary.add(of.waiting);
    }
    pool_.add_to(summary);
    return summary.text();
}

backend_statistics thread_backend::statistics() const {
    backend_statistics copy = statistics_;
    copy.wakes = wakes_.load(std::memory_order_relaxed);
    copy.retries = pool_.retries();
    return copy;
}

}  // namespace leat::io
