// How a ring comes into being: the feature ladder, and what a refusal probably means.
#include "uring_backend.hpp"

#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstring>
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

[[noreturn]] void refuse(int error) {
    std::string text;
    switch (error) {
        case EPERM:
        case EACCES:
        case ENOSYS:
            text = "io_uring_setup was refused (" + std::string(std::strerror(error)) +
                   "): container runtimes forbid it by seccomp, and the sysctl "
                   "kernel.io_uring_disabled "
                   "may switch it off";
            break;
        case ENOMEM:
            text =
                "io_uring_setup found no memory for its rings: the limit of locked memory (ulimit "
                "-l, "
                "memlock) may be too low";
            break;
        case EINVAL:
            text =
                "io_uring_setup knows none of the sets of flags that leat can use: the kernel is "
                "too old";
            break;
        default:
            text = "io_uring_setup failed (" + std::string(std::strerror(error)) + ")";
            break;
    }
    throw boost::system::system_error(make_error_code(errc::no_backend), text);
}

}  // namespace

uring_backend::uring_backend(const backend_options& options)
    : entries_(std::bit_ceil(std::clamp(options.entries, 4U, 4096U))),
      completion_entries_(
          std::bit_ceil(std::clamp(options.completion_entries, 2 * entries_, 65536U))) {
    open_ring();
    wake_descriptor_ = ::eventfd(0, EFD_CLOEXEC);
    if (wake_descriptor_ < 0) {
        const int error = errno;
        io_uring_queue_exit(&ring_);
        throw boost::system::system_error(system_error_code(error), "eventfd");
    }
    statistics_.name = "uring";
}

uring_backend::~uring_backend() {
    assert(accepted_ == 0);
    if (ring_open_) {
        io_uring_queue_exit(&ring_);
    }
    ::close(wake_descriptor_);
}

void uring_backend::open_ring() {
    for (;; ++rung_) {
        io_uring_params parameters{};
        parameters.flags = ladder[rung_].flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
        parameters.cq_entries = completion_entries_;
        const int result = io_uring_queue_init_params(entries_, &ring_, &parameters);
        if (result == 0) {
            constexpr unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG;
            if ((parameters.features & needed) != needed) {
                io_uring_queue_exit(&ring_);
                refuse(EINVAL);
            }
            // Of the completion queue one entry is kept for the wake-up and some for cancellations.
            cancel_credit_ = std::clamp(parameters.cq_entries / 8, 1U, 64U);
            credit_ = parameters.cq_entries - cancel_credit_ - 1;
            break;
        }
        if (result != -EINVAL || rung_ + 1 == ladder.size()) {
            refuse(-result);
        }
    }
    // A fork copies neither the rings nor the buffers: only this process submits.
    static_cast<void>(io_uring_ring_dontfork(&ring_));
    ring_open_ = true;
    owner_ = std::this_thread::get_id();
    statistics_.mode = ladder[rung_].name;
}

// SINGLE_ISSUER ties a ring to the thread that made it, so a ring whose runner is another is made
// anew.
void uring_backend::bind() {
    if (bound_) {
        return;
    }
    if (owner_ != std::this_thread::get_id()) {
        ring_open_ = false;
        io_uring_queue_exit(&ring_);
        open_ring();
    }
    bound_ = true;
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
    const int result = io_uring_register_buffers_update_tag(
        &ring_, index, memory.empty() ? &none : &vector, nullptr, 1);
    if (result < 0) {
        return fail(-result);
    }
    statistics_.registered += memory.size() - registered_[index];
    registered_[index] = memory.size();
    return {};
}

}  // namespace leat::io
