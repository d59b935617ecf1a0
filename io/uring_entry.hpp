// An operation as an entry of a ring's submission queue.
#pragma once

#include <leat/io/detail/operation.hpp>

#include <liburing.h>

#include <cstdint>

namespace leat::io {

/// Fills an empty entry. An accept is the kernel's multishot one if more than one completion is
/// reserved for it (operation::credit). A zero-copy send reports whether the kernel copied if
/// `report_usage`; Linux 6.1 refuses that with EINVAL.
void fill_entry(io_uring_sqe& entry, operation& op, bool report_usage) noexcept;

// liburing 2.3 does not name these.
/// In the notification of a zero-copy send that reports its usage: the kernel copied.
constexpr std::uint32_t usage_copied = 1U << 31;

}  // namespace leat::io
