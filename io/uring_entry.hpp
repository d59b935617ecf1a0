// An operation as an entry of a ring's submission queue.
#pragma once

#include <leat/io/detail/operation.hpp>

#include <liburing.h>

#include <cstdint>

namespace leat::io {

/// What later kernels than the first with io_uring give, as far as it is known.
struct entry_features {
    bool usage_reports = true;   ///< of zero-copy sends, on whether the kernel copied: Linux 6.2
    bool fixed_vectors = false;  ///< reads into several pieces of a registered buffer: Linux 6.15
};

/// Fills an empty entry. An accept is the kernel's multishot one if more than one completion is
/// reserved for it (operation::credit). Without fixed_vectors the kernel pins the pages of what is
/// read into several buffers, registered or not.
void fill_entry(io_uring_sqe& entry, operation& op, const entry_features& given) noexcept;

/// Fills an empty entry with an operation that fails with EBADF if there are fixed_vectors.
void fill_trial(io_uring_sqe& entry) noexcept;

// liburing 2.3 does not name these.
/// In the notification of a zero-copy send that reports its usage: the kernel copied.
constexpr std::uint32_t usage_copied = 1U << 31;

}  // namespace leat::io
