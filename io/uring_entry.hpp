// An operation as an entry of a ring's submission queue.
#pragma once

#include <leat/io/operation.hpp>

#include <liburing.h>

namespace leat::io {

/// Fills an empty entry. An accept is the kernel's multishot one if more than one completion is
/// reserved for it (operation::credit).
void fill_entry(io_uring_sqe& entry, operation& op) noexcept;

}  // namespace leat::io
