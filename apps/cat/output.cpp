// Writes slices to standard output and drops them.
#include "output.hpp"

#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace leat::cat {

namespace {
// A write to a file does not return before it is done: this keeps the count, and with it the
// progress, going.
constexpr std::size_t longest_write_bytes = 1 << 20;
}  // namespace

output::output(int descriptor, hand_over& queue)
    : descriptor_(descriptor), queue_(queue), ended_(::eventfd(0, EFD_CLOEXEC)) {
    if (ended_ < 0) throw boost::system::system_error(system_error_code(errno), "eventfd");
    thread_ = std::thread{[this] { run(); }};
}

output::~output() {
    queue_.close();
    thread_.join();
    ::close(ended_);
}

void output::run() noexcept {
    for (slice piece = queue_.take(); piece; piece = queue_.take()) {
        const int error = write(piece);
        if (error != 0) {
            error_ = error;
            queue_.close();
        }
    }
    static_cast<void>(::eventfd_write(ended_, 1));
}

int output::write(const slice& piece) noexcept {
    for (std::size_t done = 0; done < piece.size();) {
        const std::size_t size = std::min(piece.size() - done, longest_write_bytes);
        const ssize_t count = ::write(descriptor_, piece.data() + done, size);
        if (count >= 0) {
            done += static_cast<std::size_t>(count);
            written_ += static_cast<std::uint64_t>(count);
        } else if (errno == EAGAIN) {  // somebody has made it non-blocking
            pollfd writable{descriptor_, POLLOUT, 0};
            ::poll(&writable, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

}  // namespace leat::cat
