// What the backends know about accepting connections.
#pragma once

namespace leat::io {

/// Whether accept's `result`, a descriptor or a negated errno, is the end of one connection only,
/// so that the next one is to be accepted. The one place that decides an accept's fate; every other
/// error goes to whoever made the operation, also that there are no descriptors or no memory to be
/// had.
[[nodiscard]] bool accept_goes_on(int result) noexcept;

/// How many connections may wait for a listening TCP socket at once, or 0 if that cannot be told.
[[nodiscard]] unsigned listen_backlog(int descriptor) noexcept;

}  // namespace leat::io
