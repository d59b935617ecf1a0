// The system calls behind a thread_backend's operations.
#pragma once

#include <leat/io/detail/operation.hpp>

#include <cstdint>

namespace leat::io {

/// Whether the operation is for a thread that may block: one on files.
[[nodiscard]] bool may_block(const operation& op) noexcept;

/// Runs such an operation to its end; returns its result, never EINTR. EAGAIN asks for another
/// try: of an open, since a rename elsewhere kept the kernel from seeing that ".." stays beneath
/// the root, or since somebody holds a lease on the file and is being told to give it up.
[[nodiscard]] int call_blocking(operation& op) noexcept;

/// Tries any other operation, or a read of something that cannot seek, without blocking; -EAGAIN if
/// it must wait for one of interest(op).
[[nodiscard]] int call_non_blocking(operation& op) noexcept;

/// The epoll events that an operation waits for.
[[nodiscard]] std::uint32_t interest(const operation& op) noexcept;

}  // namespace leat::io
