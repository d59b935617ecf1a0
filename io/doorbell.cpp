// An eventfd that is rung once until it is answered.
#include "doorbell.hpp"

#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace leat::io {

doorbell::doorbell(int flags) : descriptor_(::eventfd(0, flags)) {
    if (descriptor_ < 0) {
        throw boost::system::system_error(system_error_code(errno), "eventfd");
    }
}

doorbell::~doorbell() {
    ::close(descriptor_);
}

bool doorbell::ring() noexcept {
    // Each exchange is a read-modify-write of one flag, so the reset in answer() continues the
    // release sequence of every ring() before it, also of those that find the flag set and write
    // nothing: what came before them is visible to whoever has seen the reset.
    if (rung_.exchange(true, std::memory_order_acq_rel)) {
        return false;
    }
    const int saved = errno;
    constexpr std::uint64_t one = 1;
    while (::write(descriptor_, &one, sizeof one) < 0 && errno == EINTR) {
    }
    errno = saved;
    return true;
}

void doorbell::answer() noexcept {
    rung_.exchange(false, std::memory_order_acq_rel);
}

}  // namespace leat::io
