// System calls that the code under test makes besides its backend's; the linker leads them here
// (--wrap), from static libraries only.
#include "allocations.hpp"
#include "verdict.hpp"
#include "world.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdarg>

using leat::sim::simulated_files;
using leat::sim::simulated_sockets;
using leat::sim::world;

extern "C" {
int __real_close(int descriptor);
void* __real_mmap64(void* address, std::size_t size, int access, int flags, int file, off_t offset);
int __real_mprotect(void* address, std::size_t size, int access);
int __real_munmap(void* address, std::size_t size);

int __wrap_close(int descriptor);
int __wrap_fcntl64(int descriptor, int command, ...);
void* __wrap_mmap64(void* address, std::size_t size, int access, int flags, int file, off_t offset);
int __wrap_mprotect(void* address, std::size_t size, int access);
int __wrap_munmap(void* address, std::size_t size);
int __wrap_socket(int family, int type, int protocol);
int __wrap_bind(int descriptor, const sockaddr* address, socklen_t length);
int __wrap_listen(int descriptor, int backlog);
int __wrap_shutdown(int descriptor, int how);
ssize_t __wrap_sendmsg(int descriptor, const msghdr* message, int flags);
int __wrap_setsockopt(int descriptor, int level, int name, const void* value, socklen_t length);
}

namespace {
// As the C library tells the outcome of a call.
int told(int result) noexcept {
    if (result >= 0) return result;
    errno = -result;
    return -1;
}
}  // namespace

int __wrap_close(int descriptor) {
    if (descriptor < simulated_files::first_descriptor) return __real_close(descriptor);
    const leat::sim::allocations_succeed here;
    leat::sim::require(world::current() != nullptr, "a descriptor outlived its run");
    world& all = *world::current();
    const bool is_socket = descriptor >= simulated_sockets::first_descriptor;
    const int result = is_socket ? all.sockets.close(descriptor) : all.files.close(descriptor);
    leat::sim::require(result == 0, "a descriptor was closed twice");
    all.note("close", static_cast<std::uint64_t>(descriptor));
    return 0;
}

// Of simulated descriptors only; the code under test asks it of no others.
int __wrap_fcntl64(int descriptor, int command, ...) {
    world& all = *world::current();
    leat::sim::require(all.files.at(descriptor) != nullptr, "fcntl of a descriptor that is closed");
    if (command == F_GETFL) return O_RDONLY | O_NONBLOCK;
    leat::sim::require(command == F_SETFL, "an unexpected fcntl");
    va_list rest;
    va_start(rest, command);
    const int flags = va_arg(rest, int);
    va_end(rest);
    if (all.files.set_direct(descriptor, (flags & O_DIRECT) != 0)) return 0;
    errno = EINVAL;
    return -1;
}

// Address space, in which mprotect makes memory.
void* __wrap_mmap64(
    void* address, std::size_t size, int access, int flags, int file, off_t offset) {
    void* const mapped = __real_mmap64(address, size, access, flags, file, offset);
    world* const all = world::current();
    if (all == nullptr || mapped == MAP_FAILED) return mapped;
    leat::sim::require(access == PROT_NONE, "memory is mapped outside the address space for it");
    if ((flags & MAP_FIXED) != 0) {
        all->memory_bytes -= size;
    } else {
        all->mapped_bytes += size;
    }
    return mapped;
}

int __wrap_mprotect(void* address, std::size_t size, int access) {
    world* const all = world::current();
    if (all != nullptr && all->strikes(leat::sim::fault::mapping)) {
        const leat::sim::allocations_succeed here;
        all->note("mprotect fails");
        all->blame(ENOMEM, 0);
        errno = ENOMEM;
        return -1;
    }
    const int result = __real_mprotect(address, size, access);
    if (all != nullptr && result == 0) all->memory_bytes += size;
    return result;
}

int __wrap_munmap(void* address, std::size_t size) {
    if (world* const all = world::current()) all->mapped_bytes -= size;
    return __real_munmap(address, size);
}

int __wrap_socket(int family, int type, int) {
    const leat::sim::allocations_succeed here;
    world& all = *world::current();
    leat::sim::require(family == AF_INET && type == (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK),
                       "an unexpected kind of socket");
    const int result = all.sockets.open();
    all.note("socket", static_cast<std::uint64_t>(result));
    return told(result);
}

int __wrap_bind(int descriptor, const sockaddr*, socklen_t) {
    leat::sim::require(world::current()->sockets.is_open(descriptor), "a closed socket is bound");
    return 0;
}

int __wrap_listen(int descriptor, int) {
    const leat::sim::allocations_succeed here;
    return told(world::current()->sockets.listen(descriptor));
}

int __wrap_shutdown(int descriptor, int how) {
    const leat::sim::allocations_succeed here;
    world& all = *world::current();
    all.note("shutdown", static_cast<std::uint64_t>(descriptor), static_cast<std::uint64_t>(how));
    return told(all.sockets.shutdown(descriptor, how));
}

ssize_t __wrap_sendmsg(int descriptor, const msghdr* message, int flags) {
    const leat::sim::allocations_succeed here;
    leat::sim::require((flags & MSG_DONTWAIT) != 0, "a call that blocks a shard");
    world& all = *world::current();
    const int result = all.sockets.send_at_once(descriptor, *message);
    all.note("sendmsg", static_cast<std::uint64_t>(descriptor), static_cast<std::uint64_t>(result));
    return told(result);
}

int __wrap_setsockopt(int descriptor, int, int, const void*, socklen_t) {
    leat::sim::require(world::current()->sockets.is_open(descriptor),
                       "an option of a closed socket is set");
    return 0;
}
