// Which results of accept are errors, and which of them pass.
#include "accept.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace leat::io {

bool accept_goes_on(int result) noexcept {
    switch (-result) {
        case ECONNABORTED:  // the peer has gone
        // What the network did to the new connection before it was accepted, see accept(2). Not
        // EOPNOTSUPP, which also says that the socket accepts nothing.
        case ENETDOWN:
        case EPROTO:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case ENETUNREACH:
            return true;
        default:
            return false;
    }
}

unsigned listen_backlog(int descriptor) noexcept {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        info.tcpi_state != TCP_LISTEN) {
        return 0;
    }
    // Of a listening socket this member tells the longest queue, and one more connection may wait.
    return info.tcpi_sacked + 1;
}

}  // namespace leat::io
