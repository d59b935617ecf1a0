#include "uring_entry.hpp"

#include <fcntl.h>

namespace leat::io {

void fill_entry(io_uring_sqe& into, operation& op) noexcept {
    io_uring_sqe* const entry = &into;
    switch (op.code) {
        case opcode::read:
            if (op.read.buffer >= 0) {
                io_uring_prep_read_fixed(entry, op.descriptor, op.read.data, op.read.size,
                                         op.read.offset, op.read.buffer);
            } else {
                io_uring_prep_read(entry, op.descriptor, op.read.data, op.read.size,
                                   op.read.offset);
            }
            break;
        case opcode::open:
            io_uring_prep_openat2(entry, op.open.directory, op.open.path, &op.open.how);
            break;
        case opcode::stat:
            io_uring_prep_statx(entry, op.descriptor, op.stat.path, AT_EMPTY_PATH, op.stat.mask,
                                op.stat.out);
            break;
        case opcode::accept:
            if (op.credit > 1) {
                io_uring_prep_multishot_accept(entry, op.descriptor, nullptr, nullptr,
                                               SOCK_CLOEXEC | SOCK_NONBLOCK);
            } else {
                io_uring_prep_accept(entry, op.descriptor, op.address.address, op.address.length,
                                     SOCK_CLOEXEC | SOCK_NONBLOCK);
            }
            break;
        case opcode::connect:
            io_uring_prep_connect(entry, op.descriptor, op.address.address, *op.address.length);
            break;
        // With MSG_DONTWAIT the kernel would answer EAGAIN instead of waiting.
        case opcode::receive:
            io_uring_prep_recvmsg(entry, op.descriptor, op.message.message,
                                  static_cast<unsigned>(op.message.flags & ~MSG_DONTWAIT));
            break;
        case opcode::send:
            io_uring_prep_sendmsg(
                entry, op.descriptor, op.message.message,
                static_cast<unsigned>((op.message.flags & ~MSG_DONTWAIT) | MSG_NOSIGNAL));
            break;
        case opcode::shutdown:
            io_uring_prep_shutdown(entry, op.descriptor, op.number);
            break;
        case opcode::poll:
            io_uring_prep_poll_add(entry, op.descriptor, static_cast<unsigned>(op.number));
            break;
    }
    if (op.punt) {
        io_uring_sqe_set_flags(entry, IOSQE_ASYNC);
    }
    io_uring_sqe_set_data(entry, &op);
}

}  // namespace leat::io
