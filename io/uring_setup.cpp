// How a ring comes into being: the feature ladder, and what a refusal probably means.
#include "uring_backend.hpp"

#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <linux/capability.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <string>

namespace leat::io {

namespace {

struct rung {
    unsigned flags;
    const char* name;
};

// SINGLE_ISSUER and DEFER_TASKRUN run completions only where the shard asks for them; COOP_TASKRUN
// (Linux 5.19) at least spares the interrupts. TASKRUN_FLAG lets a poll see that there is something
// to run.
constexpr std::array<rung, 3> ladder{{
    {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
         IORING_SETUP_SUBMIT_ALL,
     "SINGLE_ISSUER|DEFER_TASKRUN"},
    {IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
     "COOP_TASKRUN"},
    {0, "no flags"},
}};

constexpr unsigned first_without_deferral = 1;

// The bytes of a ring's memory that count as locked.
std::uint64_t ring_bytes(unsigned entries, unsigned completion_entries) noexcept {
    constexpr std::uint64_t header = 4096;
    return header + completion_entries * sizeof(io_uring_cqe) +
           entries * (sizeof(io_uring_sqe) + sizeof(unsigned));
}

// How much this process may lock: without end where it has the capability.
std::uint64_t lockable_bytes() noexcept {
    rlimit limit{};
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> capabilities{};
    const bool bounded = ::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
                         ::syscall(SYS_capget, &header, capabilities.data()) == 0 &&
                         (capabilities[0].effective & (1U << CAP_IPC_LOCK)) == 0;
    return bounded ? limit.rlim_cur : std::numeric_limits<std::uint64_t>::max();
}

// The locked memory of a ring that was closed comes back after some 30 ms (Linux 6.18).
constexpr std::chrono::milliseconds memory_pause{5};
constexpr std::chrono::milliseconds memory_comes_back{100};

// When this process last closed a ring. Relaxed: who closes and who asks next are ordered by other
// means, and one who is not waits in vain at worst.
std::atomic<clock::rep> closed_at{std::numeric_limits<clock::rep>::min()};

bool memory_may_come_back() noexcept {
    const clock::rep closed = closed_at.load(std::memory_order_relaxed);
    return clock::now().time_since_epoch() - memory_comes_back < clock::duration{closed};
}

[[noreturn]] void refuse(const char* call, int error) {
    std::string text = std::string(call) + " was refused (" + std::strerror(error) + ")";
    switch (error) {
        case EPERM:
        case EACCES:
        case ENOSYS:
            text +=
                ": container runtimes forbid it by seccomp, and the sysctl "
                "kernel.io_uring_disabled may switch it off";
            break;
        case ENOMEM:
            text +=
                ": there is no memory for the rings; the limit of locked memory (ulimit -l, "
                "memlock) may be too low";
            break;
        case EINVAL:
            text += ": the kernel is too old, it has none of the sets of flags that leat can use";
            break;
        default:
            break;
    }
    throw boost::system::system_error(make_error_code(errc::no_backend), text);
}

}  // namespace

uring_backend::uring_backend(const backend_options& options)
    : entries_(std::bit_ceil(options.entries)),
      completion_entries_(std::bit_ceil(options.completion_entries)),
      waker_(EFD_CLOEXEC),
      threads_(options.threads) {
    statistics_.name = "uring";
    // Where each took what it asked for, the last ones would get nothing.
    const std::uint64_t share = lockable_bytes() / options.rings;
    while (ring_bytes(entries_, completion_entries_) > share && make_smaller()) {
    }
    try {
        open_ring();
    } catch (...) {  // no memory for its name
        close_ring();
        throw;
    }
}

uring_backend::~uring_backend() {
    assert(accepted_ == 0);
    close_ring();
}

void uring_backend::open_ring() {
    unsigned features = 0;
    for (unsigned patience = memory_retries;;) {
        const int result = make_ring(features);
        if (result == 0) {
            break;
        }
        if (result == -EINVAL && rung_ + 1 < ladder.size()) {
            ++rung_;
        } else if (result == -ENOMEM && patience > 0) {
            --patience;
            std::this_thread::sleep_for(memory_pause);
        } else if (result != -ENOMEM || !make_smaller()) {
            refuse("io_uring_setup", -result);
        }
    }
    check_ring(features);
    // A fork copies neither the rings nor the buffers: only this process submits.
    static_cast<void>(io_uring_ring_dontfork(&ring_));
    thread_ = std::this_thread::get_id();
    statistics_.mode = ladder[rung_].name;
    if (smaller_) {
        statistics_.mode += ", " + std::to_string(completion_entries_) + " completions";
    }
}

int uring_backend::make_ring(unsigned& features) {
    io_uring_params parameters{};
    parameters.flags = ladder[rung_].flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    parameters.cq_entries = completion_entries_;
    const int result = io_uring_queue_init_params(entries_, &ring_, &parameters);
    ring_open_ = result == 0;
    if (ring_open_) {
        features = parameters.features;
        // Of the completion queue one entry is kept for the wake-up and some for cancellations.
        cancel_credit_ = std::clamp(parameters.cq_entries / 8, 1U, 64U);
        queue_.set_credit(parameters.cq_entries - cancel_credit_ - 1);
    }
    return result;
}

// The kernel counts rings as locked memory (always since Linux 6.14): halves one that is too large,
// the longer queue first. False if it cannot be any smaller.
bool uring_backend::make_smaller() noexcept {
    if (completion_entries_ > 2 * entries_) {
        completion_entries_ /= 2;
    } else if (entries_ > least_entries) {
        entries_ /= 2;
        completion_entries_ /= 2;
    } else {
        return false;
    }
    smaller_ = true;
    return true;
}

// Closes a ring that lacks what leat needs, or that may be made and not be used.
void uring_backend::check_ring(unsigned features) {
    constexpr unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG;
    if ((features & needed) != needed) {
        close_ring();
        refuse("io_uring_setup", EINVAL);
    }
    io_uring_sqe* const trial = io_uring_get_sqe(&ring_);
    fill_trial(*trial);
    io_uring_sqe_set_data64(trial, trial_tag);
    const int result = io_uring_submit_and_get_events(&ring_);
    if (result == -EPERM || result == -EACCES || result == -ENOSYS) {
        close_ring();
        refuse("io_uring_enter", -result);
    }
    static_cast<void>(reap());  // it failed at once
}

void uring_backend::close_ring() noexcept {
    if (ring_open_) {
        // The kernel closes a ring at its leisure, and until then its buffers count as locked
        // memory that the next ring would need.
        if (!registered_.empty()) {
            static_cast<void>(io_uring_unregister_buffers(&ring_));
            registered_.clear();
        }
        io_uring_queue_exit(&ring_);
        ring_open_ = false;
        closed_at.store(clock::now().time_since_epoch().count(), std::memory_order_relaxed);
    }
}

// SINGLE_ISSUER ties a ring to the thread that made it, so a ring whose runner is another is made
// anew.
void uring_backend::bind() {
    if (bound_) {
        return;
    }
    if (!ring_open_ || thread_ != std::this_thread::get_id()) {
        close_ring();
        open_ring();
    }
    bound_ = true;
}

// An eventfd that the ring rings. Not the ring's own descriptor, which does not wake who polls it
// when there is deferred work. Nor deferred work at all: what an eventfd's writer completes, such
// as a wake-up, rings a deferring ring's eventfd late (after 20 ms and more) and, on Linux 6.18,
// only the first time.
int uring_backend::wait_descriptor() {
    if (!completion_waker_) {
        assert(accepted_ == 0 && registered_.empty() && !waker_armed_);
        close_ring();
        rung_ = std::max(rung_, first_without_deferral);
        open_ring();
        bound_ = true;
        waker& bell = completion_waker_.emplace(EFD_CLOEXEC | EFD_NONBLOCK);
        const int result = io_uring_register_eventfd(&ring_, bell.descriptor());
        if (result != 0) {
            completion_waker_.reset();
            throw boost::system::system_error(system_error_code(-result), "io_uring_register");
        }
    }
    return completion_waker_->descriptor();
}

boost::system::error_code uring_backend::make_buffer_table() noexcept {
    int result = -ENOMEM;
    for (unsigned size = maximum_buffers; size >= 64 && result == -ENOMEM; size /= 4) {
        result = io_uring_register_buffers_sparse(&ring_, size);
        if (result == 0) {
            try {
                registered_.assign(size, 0);
            } catch (const std::bad_alloc&) {
                static_cast<void>(io_uring_unregister_buffers(&ring_));
                return system_error_code(ENOMEM);
            }
        }
    }
    return result < 0 ? system_error_code(-result) : boost::system::error_code{};
}

boost::system::error_code uring_backend::register_buffer(unsigned index,
                                                         std::span<std::byte> memory) noexcept {
    constexpr std::size_t maximum_bytes = std::size_t{1}
                                          << 30;  // the kernel's limit for one buffer
    const auto fail = [this](int error) noexcept {
        ++statistics_.registration_failures;
        return system_error_code(error);
    };
    if (index >= maximum_buffers || memory.size() > maximum_bytes) {
        return fail(EINVAL);
    }
    try {
        bind();
    } catch (...) {
        return fail(ENXIO);
    }
    if (registered_.empty()) {
        if (memory.empty()) {
            return {};
        }
        if (const auto error = make_buffer_table()) {
            ++statistics_.registration_failures;
            return error;
        }
    }
    if (index >= registered_.size()) {
        return fail(ENOSPC);
    }
    const iovec vector{memory.data(), memory.size()};
    const iovec none{nullptr, 0};
    int result = 0;
    for (;;) {
        result = io_uring_register_buffers_update_tag(&ring_, index,
                                                      memory.empty() ? &none : &vector, nullptr, 1);
        if (result != -ENOMEM || !memory_may_come_back()) {
            break;
        }
        std::this_thread::sleep_for(memory_pause);
    }
    if (result < 0) {
        return fail(-result);
    }
    statistics_.registered += memory.size() - registered_[index];
    registered_[index] = memory.size();
    return {};
}

}  // namespace leat::io
