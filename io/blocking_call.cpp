// Each operation as the system call it stands for.
#include "blocking_call.hpp"

#include "accept.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace leat::io {

namespace {

/// Calls until it is not interrupted; the result is the kernel's or a negated errno.
template <typename Call>
int uninterrupted(Call call) noexcept {
    for (;;) {
        const auto result = call();
        if (result >= 0) {
            return static_cast<int>(result);
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

/// Accepting and connecting have no flag of the call's own that keeps them from waiting. For good:
/// who set it back would do so under the feet of others that share the open file description, and
/// they would wait.
void make_non_blocking(int descriptor) noexcept {
    const int flags = ::fcntl(descriptor, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0) {
        ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
    }
}

int call_open(const operation& op) noexcept {
    open_how how = op.open.how;
    const int result = uninterrupted(
        [&] { return ::syscall(SYS_openat2, op.open.directory, op.open.path, &how, sizeof how); });
    if (result != -ENOSYS || how.resolve != 0) {
        return result;
    }
    return uninterrupted([&] {
        return ::openat(op.open.directory, op.open.path, static_cast<int>(how.flags),
                        static_cast<mode_t>(how.mode));
    });
}

int call_accept(const operation& op) noexcept {
    make_non_blocking(op.descriptor);
    for (;;) {
        const int result = uninterrupted([&] {
            return ::accept4(op.descriptor, op.address.address, op.address.length,
                             SOCK_CLOEXEC | SOCK_NONBLOCK);
        });
        if (!accept_goes_on(result)) {
            return result;
        }
    }
}

int call_connect(const operation& op) noexcept {
    make_non_blocking(op.descriptor);
    const int result =
        ::connect(op.descriptor, op.address.address, *op.address.length) == 0 ? 0 : -errno;
    const bool under_way = result == -EINPROGRESS || result == -EALREADY || result == -EINTR;
    return under_way ? -EAGAIN : result;
}

int call_poll(const operation& op) noexcept {
    pollfd waited{op.descriptor, static_cast<short>(op.number), 0};
    const int result = uninterrupted([&] { return ::poll(&waited, 1, 0); });
    if (result <= 0) {
        return result == 0 ? -EAGAIN : result;
    }
    return (waited.revents & POLLNVAL) != 0 ? -EBADF : waited.revents;
}

int read_stream(const operation& op) noexcept {
    const bool several = op.code == opcode::read_vector;
    const iovec one = several ? iovec{} : iovec{op.read.data, op.read.size};
    const iovec* const vectors = several ? op.read_vector.vectors : &one;
    const int count = several ? static_cast<int>(op.read_vector.count) : 1;
    return uninterrupted([&] { return ::preadv2(op.descriptor, vectors, count, -1, RWF_NOWAIT); });
}

}  // namespace

bool may_block(const operation& op) noexcept {
    switch (op.code) {
        case opcode::read:
        case opcode::read_vector:
        case opcode::open:
        case opcode::stat:
        case opcode::stat_file_system:
        case opcode::close:
            return true;
        case opcode::accept:
        case opcode::connect:
        case opcode::receive:
        case opcode::send:
        case opcode::shutdown:
        case opcode::poll:
            break;
    }
    return false;
}

int call_blocking(operation& op) noexcept {
    switch (op.code) {
        case opcode::read:
            return uninterrupted([&] {
                return ::pread(op.descriptor, op.read.data, op.read.size,
                               static_cast<off_t>(op.read.offset));
            });
        case opcode::read_vector:
            return uninterrupted([&] {
                return ::preadv(op.descriptor, op.read_vector.vectors,
                                static_cast<int>(op.read_vector.count),
                                static_cast<off_t>(op.read_vector.offset));
            });
        case opcode::open:
            return call_open(op);
        case opcode::stat:
            return uninterrupted([&] {
                return ::statx(op.descriptor, op.stat.path, op.stat.flags, op.stat.mask,
                               op.stat.out);
            });
        case opcode::stat_file_system:
            return uninterrupted([&] { return ::fstatfs(op.descriptor, op.stat_file_system.out); });
        case opcode::close:  // once: it is closed even where it was interrupted
            return ::close(op.descriptor) == 0 || errno == EINTR ? 0 : -errno;
        case opcode::accept:
        case opcode::connect:
        case opcode::receive:
        case opcode::send:
        case opcode::shutdown:
        case opcode::poll:
            break;
    }
    return -EINVAL;
}

int call_non_blocking(operation& op) noexcept {
    switch (op.code) {
        case opcode::read:
        case opcode::read_vector:
            return read_stream(op);
        case opcode::accept:
            return call_accept(op);
        case opcode::connect:
            return call_connect(op);
        case opcode::receive:
            return uninterrupted([&] {
                return ::recvmsg(op.descriptor, op.message.message,
                                 op.message.flags | MSG_DONTWAIT);
            });
        case opcode::send:
            return uninterrupted([&] {
                return ::sendmsg(op.descriptor, op.message.message,
                                 op.message.flags | MSG_DONTWAIT | MSG_NOSIGNAL);
            });
        case opcode::shutdown:
            return ::shutdown(op.descriptor, op.number) == 0 ? 0 : -errno;
        case opcode::poll:
            return call_poll(op);
        case opcode::open:
        case opcode::stat:
        case opcode::stat_file_system:
        case opcode::close:
            break;
    }
    return -EINVAL;
}

std::uint32_t interest(const operation& op) noexcept {
    switch (op.code) {
        case opcode::connect:
        case opcode::send:
            return EPOLLOUT;
        case opcode::poll:
            return static_cast<std::uint32_t>(op.number);
        case opcode::read:
        case opcode::read_vector:
        case opcode::accept:
        case opcode::receive:
        case opcode::open:  // these never wait for a descriptor
        case opcode::stat:
        case opcode::stat_file_system:
        case opcode::close:
        case opcode::shutdown:
            break;
    }
    return EPOLLIN;
}

}  // namespace leat::io
