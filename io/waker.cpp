// An eventfd that is written to once until it is reset.
#include "waker.hpp"

#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace leat::io {

waker::waker(int flags) : descriptor_(::eventfd(0, flags)) {
    if (descriptor_ < 0) {
        throw boost::system::system_error(system_error_code(errno), "eventfd");
    }
}

waker::~waker() {
    ::close(descriptor_);
}

bool waker::wake() noexcept {
    // Each exchange is a read-modify-write of one flag, so the reset in reset() continues the
    // release sequence of every wake() before it, also of those that find the flag set and write
    // nothing: what came before them is visible to whoever has seen the reset.
    if (woken_.exchange(true, std::memory_order_acq_rel)) {
        return false;
    }
    const int saved = errno;
    constexpr std::uint64_t one = 1;
    while (::write(descriptor_, &one, sizeof one) < 0 && errno == EINTR) {
    }
    errno = saved;
    return true;
}

void waker::reset() noexcept {
    woken_.exchange(false, std::memory_order_acq_rel);
}

}  // namespace leat::io
