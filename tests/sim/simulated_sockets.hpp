// A made-up network: sockets with descriptors of their own.
#pragma once

#include "simulated_connection.hpp"

#include <leat/io/detail/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace leat::sim {

class world;

/// Is told that operations which wait for a socket may go on.
class socket_watcher {
public:
    virtual void socket_changed(int descriptor) noexcept = 0;

protected:
    ~socket_watcher() = default;
};

/// What sockets and connections there are, as the kernel sees them. Descriptors begin above those
/// of simulated_files; system calls of the code under test come here by way of the linker,
/// operations from the backend. Errors are negated errnos.
class simulated_sockets {
public:
    static constexpr int first_descriptor = 1 << 21;
    using connection = std::shared_ptr<simulated_connection>;

    explicit simulated_sockets(world& all) : all_(all) {}
    simulated_sockets(const simulated_sockets&) = delete;
    simulated_sockets& operator=(const simulated_sockets&) = delete;

    // System calls.
    [[nodiscard]] int open();
    [[nodiscard]] int close(int descriptor);
    [[nodiscard]] int shutdown(int descriptor, int how);
    [[nodiscard]] int listen(int descriptor);
    /// sendmsg with MSG_DONTWAIT.
    [[nodiscard]] int send_at_once(int descriptor, const msghdr& message);
    [[nodiscard]] bool is_open(int descriptor) const noexcept;
    [[nodiscard]] std::size_t open_descriptors() const noexcept;

    // Operations in flight: closing a descriptor then is an error of the code under test.
    void begin(int descriptor, socket_watcher& watcher);
    void end(int descriptor);
    /// What becomes of the operation now: its result, or -EAGAIN if it has to wait.
    [[nodiscard]] int attempt(const io::operation& op);
    /// Whether an operation in flight waits for a far side that does nothing any more.
    [[nodiscard]] bool waits_in_vain() const noexcept;

    // The far side.
    /// A program that waits to be connected to at port_of() it.
    [[nodiscard]] connection await(std::uint64_t room);
    [[nodiscard]] static std::uint16_t port_of(const simulated_connection& made) noexcept;
    /// Tells how many programs will arrive() at a listening socket.
    void announce(int descriptor, unsigned count) {
        slot_of(descriptor).listening->to_come = count;
    }
    /// What they arrive at, whatever becomes of the descriptor.
    struct listener;
    [[nodiscard]] std::weak_ptr<listener> listener_of(int descriptor) {
        return slot_of(descriptor).listening;
    }
    /// One connects; see await().
    void arrive(const std::weak_ptr<listener>& at, const connection& arrived);
    /// Takes `count` bytes of what has been sent.
    void read(simulated_connection& from, std::uint64_t count);
    void write(simulated_connection& to, std::uint64_t count);
    /// Sends no more.
    void end(simulated_connection& of);
    void reset(simulated_connection& of);

    /// The connection of a connected socket.
    [[nodiscard]] const connection& at(int descriptor) { return slot_of(descriptor).connected; }

    struct listener {
        int descriptor = -1;
        std::deque<connection> backlog;
        unsigned to_come = 0;
    };

private:
    struct slot {
        bool open = false;
        connection connected;
        std::shared_ptr<listener> listening;
        unsigned operations = 0;
        socket_watcher* watcher = nullptr;
    };
    [[nodiscard]] slot& slot_of(int descriptor) {
        return slots_[static_cast<std::size_t>(descriptor - first_descriptor)];
    }
    [[nodiscard]] int take_slot();
    void changed(const simulated_connection& of);
    static void let_go(simulated_connection& of);
    [[nodiscard]] int fault_of(simulated_connection& of);
    [[nodiscard]] std::size_t some_of(std::size_t most);
    [[nodiscard]] int connect(const io::operation& op);
    [[nodiscard]] int accept(slot& at);
    [[nodiscard]] int send(const msghdr& message, simulated_connection& to);
    [[nodiscard]] static int poll(const io::operation& op, const simulated_connection* of);
    [[nodiscard]] int receive(const io::operation& op, simulated_connection& from);

    world& all_;
    std::vector<slot> slots_;
    std::map<std::uint16_t, connection> awaited_;  ///< by port
    std::uint64_t connections_ = 0;
};

/// The parts of a message, up to `most` bytes in all: calls use(part, bytes before it).
template <class Use>
void for_each_part(const msghdr& message, std::size_t most, Use use) {
    std::size_t before = 0;
    for (std::size_t i = 0; i < message.msg_iovlen && before < most; ++i) {
        const iovec& part = message.msg_iov[i];
        const std::size_t size = part.iov_len < most - before ? part.iov_len : most - before;
        use(std::span{static_cast<std::byte*>(part.iov_base), size}, before);
        before += size;
    }
}

[[nodiscard]] inline std::size_t size_of(const msghdr& message) noexcept {
    std::size_t size = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) size += message.msg_iov[i].iov_len;
    return size;
}

}  // namespace leat::sim
