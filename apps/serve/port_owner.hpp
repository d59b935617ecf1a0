// Which process listens on an address.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

struct sockaddr;

namespace leat::serve {

/// Who has an address that is in use, as far as /proc tells.
struct port_owner {
    /// Whether somebody has it. Else nobody does any more: the sockets of a process that was killed
    /// may outlast it for a moment, since the kernel ends its rings after it.
    bool is_there = false;
    ::pid_t process = 0;  ///< 0: another user's, which cannot be seen
    std::string name;
};

/// Of a TCP address, or one that overlaps with it. Blocks for some milliseconds.
[[nodiscard]] port_owner owner_of(const ::sockaddr& address);
/// Of a socket with a path. Blocks as above.
[[nodiscard]] port_owner owner_of(const std::string& path);

}  // namespace leat::serve
