// An asynchronous operation of the kernel, as a plain intrusive object that its caller owns.
#pragma once

#include <boost/intrusive/list_hook.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace leat::io {

/// What an operation asks of the kernel: of files first, of sockets from `accept` on.
enum class opcode : std::uint8_t {
    read,
    read_vector,
    open,
    stat,
    stat_file_system,
    close,
    accept,
    connect,
    receive,
    send,
    shutdown,
    poll
};

/// One request to a backend.
///
/// The caller owns it, fills it by one of the factories, sets `on_complete`, and hands it to
/// backend::submit. From then on, until `on_complete` runs, neither the operation nor any memory it
/// names may be touched, moved or freed. It completes exactly once, cancelled or not, on the thread
/// that runs the backend, from inside backend::run and never from inside submit or cancel; within
/// `on_complete` the operation is idle again and may be reused or freed.
///
/// A multishot one gives several results: while `more` is set in `on_complete` it is still in
/// flight, may be cancelled but not touched otherwise, and `on_complete` will run again. The one
/// without `more` is its completion.
///
/// `result` follows the kernel: a value of 0 or more, or a negated errno. EINTR and EAGAIN are
/// never seen. A cancelled operation has -ECANCELED, unless it was completing anyway.
struct operation : boost::intrusive::list_base_hook<> {
    using completion = void (*)(operation&) noexcept;

    /// Where the operation stands; kept by the backend.
    enum class phase : std::uint8_t { idle, pending, submitted };

    struct read_arguments {
        std::byte* data;
        std::uint32_t size;
        std::uint64_t offset;
        int buffer;  ///< index of the registered buffer that holds [data, data + size), or -1
    };
    struct read_vector_arguments {
        const iovec* vectors;
        std::uint32_t count;
        std::uint64_t offset;
        int buffer;  ///< index of the one registered buffer that holds them all, or -1
    };
    struct open_arguments {
        int directory;
        const char* path;
        open_how how;
    };
    struct stat_arguments {
        const char* path;  ///< relative to `descriptor`; "" stats that itself
        int flags;
        unsigned mask;
        struct statx* out;
    };
    struct stat_file_system_arguments {
        struct statfs* out;
    };
    struct message_arguments {
        msghdr* message;
        int flags;
        int buffer;  ///< zero-copy send: index of the registered buffer that holds it all, or -1
    };
    struct address_arguments {
        sockaddr* address;
        socklen_t* length;  ///< accept: in and out; connect: in
        unsigned backlog;   ///< multishot accept: kept by the backend
    };

    static constexpr std::size_t most_vectors = 1024;  ///< the kernel's limit, UIO_MAXIOV

    operation() = default;
    operation(const operation&) = delete;
    operation& operator=(const operation&) = delete;

    /// Reads up to data.size() bytes (at most 2 GiB - 4096) at `offset`; `buffer` as in
    /// read_arguments. The result is the count, short at the end of the file or by the kernel's
    /// whim.
    void prepare_read(int descriptor_,
                      std::span<std::byte> data,
                      std::uint64_t offset,
                      int buffer) noexcept {
        start(opcode::read, descriptor_);
        read = {data.data(), static_cast<std::uint32_t>(data.size()), offset, buffer};
    }
    /// Reads on from `offset` through several buffers, at most most_vectors, one after the other;
    /// `buffer` as in read_vector_arguments. The vectors themselves must stay valid, too. The
    /// result as that of prepare_read.
    void prepare_read_vector(int descriptor_,
                             std::span<const iovec> vectors,
                             std::uint64_t offset,
                             int buffer) noexcept {
        start(opcode::read_vector, descriptor_);
        read_vector = {vectors.data(), static_cast<std::uint32_t>(vectors.size()), offset, buffer};
    }
    /// Opens `path`, which must stay valid, relative to `directory`; the result is a descriptor.
    void prepare_open(int directory, const char* path, const open_how& how) noexcept {
        start(opcode::open, -1);
        open = {directory, path, how};
    }
    /// statx of an open descriptor; asks its file system anew, also where that is remote.
    void prepare_stat(int descriptor_, unsigned mask, struct statx& out) noexcept {
        prepare_stat_at(descriptor_, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, mask, out);
    }
    /// statx of `path`, which must stay valid, relative to `directory`, with statx's `flags`.
    void prepare_stat_at(
        int directory, const char* path, int flags, unsigned mask, struct statx& out) noexcept {
        start(opcode::stat, directory);
        stat = {path, flags, mask, &out};
    }
    /// fstatfs of an open descriptor. A thread makes the call: it may wait for a server.
    void prepare_stat_file_system(int descriptor_, struct statfs& out) noexcept {
        start(opcode::stat_file_system, descriptor_);
        stat_file_system = {&out};
    }
    /// Closes a descriptor, not on the thread that runs the backend: the last close of an unlinked
    /// file gives back its blocks, one of a remote file may wait for a server. The result says
    /// nothing: the descriptor is closed in any case, unless this was cancelled.
    void prepare_close(int descriptor_) noexcept {
        start(opcode::close, descriptor_);
        punt = true;
    }
    /// Accepts one connection; `address` and `length` may be null. The result is a descriptor that
    /// is close-on-exec and non-blocking. A backend of threads makes the listening socket
    /// non-blocking for good, for all that share its open file description; so it does with one
    /// that connects.
    void prepare_accept(int descriptor_, sockaddr* from, socklen_t* length) noexcept {
        start(opcode::accept, descriptor_);
        address = {from, length, 0};
    }
    /// Accepts connections until it is cancelled or fails: each descriptor, as above, comes with
    /// `more`, also those accepted before a cancellation takes effect; then, without, the error.
    /// A connection that broke before it was accepted is passed over. What the process or the
    /// system lacks (EMFILE, ENFILE, ENOBUFS, ENOMEM) ends it: who made it decides when to begin
    /// again.
    void prepare_accept_multishot(int descriptor_) noexcept {
        start(opcode::accept, descriptor_);
        multishot = true;
        address = {nullptr, nullptr, 0};
    }
    void prepare_connect(int descriptor_, sockaddr* to, socklen_t* length) noexcept {
        start(opcode::connect, descriptor_);
        address = {to, length, 0};
    }
    /// The result is the count, 0 at the end. Straight into the message's buffers; its msg_flags
    /// may stay as they are.
    void prepare_receive(int descriptor_, msghdr& message_, int flags) noexcept {
        start(opcode::receive, descriptor_);
        message = {&message_, flags, -1};
    }
    /// Never raises SIGPIPE. The result is the count, which may be short.
    void prepare_send(int descriptor_, msghdr& message_, int flags) noexcept {
        start(opcode::send, descriptor_);
        message = {&message_, flags, -1};
    }
    /// As prepare_send, but the device reads the message's own bytes where the kernel, the socket
    /// and the limit of locked memory allow it: it completes when nobody reads them any more, which
    /// may be long after they went out, with the result of sending them. Elsewhere it is a plain
    /// send. `buffer` is the index of the registered buffer that holds the message's only vector,
    /// which then has no address and no control data, or -1. Loopback copies all the same.
    void prepare_send_zero_copy(int descriptor_,
                                msghdr& message_,
                                int flags,
                                int buffer = -1) noexcept {
        start(opcode::send, descriptor_);
        message = {&message_, flags, buffer};
        zero_copy = true;
    }
    /// shutdown(2) with SHUT_RD, SHUT_WR or SHUT_RDWR.
    void prepare_shutdown(int descriptor_, int how) noexcept {
        start(opcode::shutdown, descriptor_);
        number = how;
    }
    /// Waits until the descriptor has one of the poll(2) `events`; the result is those it has.
    void prepare_poll(int descriptor_, unsigned events) noexcept {
        start(opcode::poll, descriptor_);
        number = static_cast<int>(events);
    }

    /// Whether it reads at an offset.
    [[nodiscard]] bool reads() const noexcept {
        return code == opcode::read || code == opcode::read_vector;
    }

    completion on_complete = nullptr;
    int descriptor = -1;
    int result = 0;
    opcode code = opcode::read;
    phase state = phase::idle;
    bool cancel_requested = false;  ///< kept by the backend
    /// Let a kernel worker do it, since it may block its submitter (large buffered reads do).
    bool punt = false;
    /// Let a thread of the process make the call: the ring has none such, or gives wrong bytes.
    bool by_thread = false;
    bool multishot = false;  ///< set by its factory
    bool zero_copy = false;  ///< set by its factory; on completion, whether it was sent so
    bool more = false;       ///< on completion: on_complete will run again
    union {
        read_arguments read{};
        read_vector_arguments read_vector;
        open_arguments open;
        stat_arguments stat;
        stat_file_system_arguments stat_file_system;
        message_arguments message;
        address_arguments address;
        int number;
    };

    // Kept by the backend.
    bool ending = false;       ///< the kernel is asked to end it, though its maker did not
    std::uint32_t credit = 0;  ///< completions that are reserved for it
    std::uint32_t tries = 0;   ///< how often it was to be tried again, for want of something

private:
    void start(opcode code_, int descriptor_) noexcept {
        code = code_;
        descriptor = descriptor_;
        result = 0;
        cancel_requested = false;
        punt = false;
        by_thread = code == opcode::stat_file_system;
        multishot = false;
        zero_copy = false;
        more = false;
    }
};

/// The operation's name as an error message says it: "read", "open", ...
[[nodiscard]] const char* to_string(opcode code) noexcept;

}  // namespace leat::io
