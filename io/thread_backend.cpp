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
#include <csignal>
#include <limits>
#include <utility>

namespace leat::io {

thread_backend::thread_backend(const backend_options& options) {
    const unsigned count = std::clamp(options.threads, 1U, 256U);
    statistics_.name = "thread";
    statistics_.mode = std::to_string(count) + (count == 1 ? " thread" : " threads") + " and epoll";
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    wake_descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = wake_descriptor_;
    if (epoll_ < 0 || wake_descriptor_ < 0 ||
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_descriptor_, &event) != 0) {
        const int error = errno;
        stop_threads();
        throw boost::system::system_error(system_error_code(error), "epoll");
    }
    // Signals are for the program's own threads.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        threads_.reserve(count);
        for (unsigned i = 0; i < count; ++i) {
            threads_.emplace_back([this] { work(); });
        }
    } catch (const std::exception&) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        stop_threads();
        throw boost::system::system_error(system_error_code(EAGAIN),
                                          "starting the threads that read files");
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

thread_backend::~thread_backend() {
    assert(accepted_ == 0);
    stop_threads();
}

void thread_backend::stop_threads() noexcept {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_arrived_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    if (epoll_ >= 0) {
        ::close(epoll_);
    }
    if (wake_descriptor_ >= 0) {
        ::close(wake_descriptor_);
    }
}

void thread_backend::work() noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
        work_arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) {
            return;
        }
        operation& op = queue_.front();
        queue_.pop_front();
        op.state = operation::phase::submitted;
        running_.push_back(op);
        lock.unlock();
        const int result = call_blocking(op);
        lock.lock();
        op.result = result;
        unlink(op);
        done_.push_back(op);
        some_done_.store(true, std::memory_order_release);
        signal();
    }
}

void thread_backend::submit(operation& op) noexcept {
    assert(op.state == operation::phase::idle && op.on_complete != nullptr);
    op.state = operation::phase::pending;
    op.cancel_requested = false;
    incoming_.push_back(op);
    ++accepted_;
    ++statistics_.submitted;
}

void thread_backend::cancel(operation& op) noexcept {
    {
        // A thread changes the state of a file operation.
        const std::lock_guard lock(mutex_);
        if (op.state == operation::phase::idle || op.cancel_requested) {
            return;
        }
        op.cancel_requested = true;
        if (op.state == operation::phase::pending) {
            unlink(op);
            settle(op, -ECANCELED);
            return;
        }
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
    woken_.exchange(true, std::memory_order_acq_rel);
    signal();
}

// The exchanges of signalled_ are read-modify-writes of one flag: who finds it set may rely on the
// running thread's reset, which comes after and sees all that was written before, and looks at
// woken_, some_done_ and done_ behind it.
void thread_backend::signal() noexcept {
    if (signalled_.exchange(true, std::memory_order_acq_rel)) {
        return;
    }
    const int saved = errno;
    constexpr std::uint64_t one = 1;
    while (::write(wake_descriptor_, &one, sizeof one) < 0 && errno == EINTR) {
    }
    wakes_.fetch_add(1, std::memory_order_relaxed);
    errno = saved;
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
        if (completed > 0 || ends) {
            return completed;
        }
    }
}

// Gives file operations to the threads, tries the others at once.
void thread_backend::hand_out() {
    unsigned files = 0;
    while (!incoming_.empty()) {
        operation& op = incoming_.front();
        incoming_.pop_front();
        if (may_block(op)) {
            const std::lock_guard lock(mutex_);
            queue_.push_back(op);
            ++files;
        } else {
            op.state = operation::phase::submitted;
            begin_waiting(op);
        }
    }
    if (files == 1) {
        work_arrived_.notify_one();
    } else if (files > 1) {
        work_arrived_.notify_all();
    }
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
void thread_backend::collect() noexcept {
    if (!some_done_.exchange(false, std::memory_order_acq_rel)) {
        return;
    }
    operation_list done;
    {
        const std::lock_guard lock(mutex_);
        done.swap(done_);
    }
    while (!done.empty()) {
        operation& op = done.front();
        done.pop_front();
        // A pipe is read when it has something, as sockets are.
        if (op.result == -ESPIPE && op.code == opcode::read && !op.cancel_requested) {
            begin_waiting(op);
        } else {
            settle(op, op.result == -ESPIPE && op.cancel_requested ? -ECANCELED : op.result);
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
        if (event.data.fd != wake_descriptor_) {
            descriptor_ready(event.data.fd, event.events);
            continue;
        }
        std::uint64_t value = 0;
        static_cast<void>(::read(wake_descriptor_, &value, sizeof value));
        signalled_.exchange(false, std::memory_order_acq_rel);
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
        op.state = operation::phase::idle;
        ++completed;
        --accepted_;
        ++statistics_.completed;
        if (op.code == opcode::read && op.result >= 0) {
            ++statistics_.reads;
            statistics_.bytes_read += static_cast<std::uint64_t>(op.result);
        }
        op.on_complete(op);
    }
    return completed;
}

std::string thread_backend::owed() const {
    operation_summary summary;
    summary.add(incoming_);
    summary.add(ready_);
    for (const auto& [descriptor, of] : watches_) {
        summary.add(of.waiting);
    }
    const std::lock_guard lock(mutex_);
    summary.add(queue_);
    summary.add(running_);
    summary.add(done_);
    return summary.text();
}

backend_statistics thread_backend::statistics() const {
    backend_statistics copy = statistics_;
    copy.wakes = wakes_.load(std::memory_order_relaxed);
    return copy;
}

}  // namespace leat::io
