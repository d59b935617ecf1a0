// Fills a submission entry from an operation.
#include "uring_entry.hpp"

#include <fcntl.h>

#include <cassert>
#include <climits>

namespace leat::io {

namespace {

constexpr unsigned send_reports_usage = 1U << 3;  // not named by liburing 2.3

// IORING_OP_READV_FIXED; not named by liburing 2.3.
constexpr int read_vector_fixed = 60;

void fill_read(io_uring_sqe* entry, const operation& op) noexcept {
    if (op.read.buffer >= 0) {
        io_uring_prep_read_fixed(entry, op.descriptor, op.read.data, op.read.size, op.read.offset,
                                 op.read.buffer);
    } else {
        io_uring_prep_read(entry, op.descriptor, op.read.data, op.read.size, op.read.offset);
    }
}

void fill_read_vector(io_uring_sqe* entry, const operation& op, bool fixed_vectors) noexcept {
    const operation::read_vector_arguments& read = op.read_vector;
    io_uring_prep_readv(entry, op.descriptor, read.vectors, read.count, read.offset);
    if (fixed_vectors && read.buffer >= 0) {
        entry->opcode = read_vector_fixed;
        entry->buf_index = static_cast<std::uint16_t>(read.buffer);
    }
}

void fill_send(io_uring_sqe* entry, const operation& op, bool report_usage) noexcept {
    // With MSG_DONTWAIT the kernel would answer EAGAIN instead of waiting.
    const int flags = (op.message.flags & ~MSG_DONTWAIT) | MSG_NOSIGNAL;
    const msghdr& message = *op.message.message;
    if (!op.zero_copy) {
        io_uring_prep_sendmsg(entry, op.descriptor, &message, static_cast<unsigned>(flags));
        return;
    }
    const unsigned usage = report_usage ? send_reports_usage : 0;
    if (op.message.buffer >= 0) {
        io_uring_prep_send_zc_fixed(entry, op.descriptor, message.msg_iov->iov_base,
                                    message.msg_iov->iov_len, flags, usage,
                                    static_cast<unsigned>(op.message.buffer));
    } else {
        io_uring_prep_sendmsg_zc(entry, op.descriptor, &message, static_cast<unsigned>(flags));
        entry->ioprio = static_cast<std::uint16_t>(usage);
    }
}

// A message of one buffer and nothing else is cheaper without the message: the kernel copies none.
void fill_receive(io_uring_sqe* entry, const operation& op) noexcept {
    const int flags = op.message.flags & ~MSG_DONTWAIT;  // as a send
    msghdr& message = *op.message.message;
    const bool plain =
        message.msg_iovlen == 1 && message.msg_name == nullptr && message.msg_control == nullptr;
    if (plain && message.msg_iov->iov_len <= INT_MAX) {
        io_uring_prep_recv(entry, op.descriptor, message.msg_iov->iov_base,
                           message.msg_iov->iov_len, flags);
    } else {
        io_uring_prep_recvmsg(entry, op.descriptor, &message, static_cast<unsigned>(flags));
    }
}

}  // namespace

void fill_entry(io_uring_sqe& into, operation& op, const entry_features& given) noexcept {
    io_uring_sqe* const entry = &into;
    switch (op.code) {
        case opcode::read:
            fill_read(entry, op);
            break;
        case opcode::read_vector:
            fill_read_vector(entry, op, given.fixed_vectors);
            break;
        case opcode::open:
            io_uring_prep_openat2(entry, op.open.directory, op.open.path, &op.open.how);
            break;
        case opcode::stat:
            io_uring_prep_statx(entry, op.descriptor, op.stat.path, op.stat.flags, op.stat.mask,
                                op.stat.out);
            break;
        case opcode::stat_file_system:
            assert(false && "the kernel has no such operation: a thread makes the call");
            io_uring_prep_nop(entry);
            break;
        case opcode::close:
            io_uring_prep_close(entry, op.descriptor);
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
        case opcode::receive:
            fill_receive(entry, op);
            break;
        case opcode::send:
            fill_send(entry, op, given.usage_reports);
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

void fill_trial(io_uring_sqe& entry) noexcept {
    io_uring_prep_readv(&entry, -1, nullptr, 0, 0);
    entry.opcode = read_vector_fixed;
}

}  // namespace leat::io
