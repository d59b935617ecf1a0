// What the calls of sockets do in the simulation.
#include "simulated_sockets.hpp"

#include "verdict.hpp"
#include "world.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace leat::sim {

bool simulated_sockets::is_open(int descriptor) const noexcept {
    const auto index = static_cast<std::size_t>(descriptor - first_descriptor);
    return descriptor >= first_descriptor && index < slots_.size() && slots_[index].open;
}

std::size_t simulated_sockets::open_descriptors() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(slots_.begin(), slots_.end(), [](const slot& one) { return one.open; }));
}

int simulated_sockets::take_slot() {
    auto free =
        std::find_if(slots_.begin(), slots_.end(), [](const slot& one) { return !one.open; });
    if (free == slots_.end()) free = slots_.emplace(free);
    free->open = true;
    return first_descriptor + static_cast<int>(free - slots_.begin());
}

int simulated_sockets::open() {
    if (all_.strikes(fault::failed_sockets)) {
        constexpr int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
        const int error = errors[all_.device.below(4)];
        all_.blame(error, 0);
        return -error;
    }
    return take_slot();
}

int simulated_sockets::close(int descriptor) {
    if (!is_open(descriptor)) return -EBADF;
    slot& closed = slot_of(descriptor);
    require(closed.operations == 0, "a socket was closed while an operation on it was in flight");
    if (closed.connected) let_go(*closed.connected);
    if (closed.listening) {
        for (const connection& one : closed.listening->backlog) let_go(*one);
    }
    closed = {};
    return 0;
}

// The near side has gone.
void simulated_sockets::let_go(simulated_connection& of) {
    of.closed = of.near_ended = true;
    of.stir();
}

int simulated_sockets::shutdown(int descriptor, int how) {
    if (!is_open(descriptor)) return -EBADF;
    const connection& of = slot_of(descriptor).connected;
    if (!of || !of->connected || of->was_reset) return -ENOTCONN;
    if (how != SHUT_WR) of->near_reads = false;
    if (how != SHUT_RD) of->near_ended = true;
    changed(*of);
    of->stir();
    return 0;
}

int simulated_sockets::listen(int descriptor) {
    require(is_open(descriptor), "a socket that is not open is to listen");
    if (all_.strikes(fault::failed_sockets)) {
        all_.blame(EADDRINUSE, 0);
        return -EADDRINUSE;
    }
    slot_of(descriptor).listening = std::make_shared<listener>();
    slot_of(descriptor).listening->descriptor = descriptor;
    return 0;
}

void simulated_sockets::begin(int descriptor, socket_watcher& watcher) {
    require(is_open(descriptor), "an operation on a socket that is closed");
    slot& of = slot_of(descriptor);
    ++of.operations;
    of.watcher = &watcher;
}

void simulated_sockets::end(int descriptor) {
    --slot_of(descriptor).operations;
}

bool simulated_sockets::waits_in_vain() const noexcept {
    return std::any_of(slots_.begin(), slots_.end(), [](const slot& one) {
        if (one.operations == 0) return false;
        return one.listening ? one.listening->to_come == 0 : one.connected && one.connected->silent;
    });
}

int simulated_sockets::attempt(const io::operation& op) {
    slot& of = slot_of(op.descriptor);
    switch (op.code) {
        case io::opcode::connect:
            return connect(op);
        case io::opcode::accept:
            return accept(of);
        case io::opcode::send:
            return of.connected ? send(*op.message.message, *of.connected) : -ENOTCONN;
        case io::opcode::receive:
            return of.connected ? receive(op, *of.connected) : -ENOTCONN;
        case io::opcode::poll:
            return poll(op, of.connected.get());
        case io::opcode::read:
        case io::opcode::read_vector:
        case io::opcode::open:
        case io::opcode::stat:
        case io::opcode::stat_file_system:
        case io::opcode::close:
        case io::opcode::shutdown:
            break;
    }
    fail("an operation on a socket that nobody has a use for");
}

int simulated_sockets::connect(const io::operation& op) {
    sockaddr_in to{};
    require(*op.address.length == sizeof to, "the address to connect to has another size");
    std::copy_n(reinterpret_cast<const std::byte*>(op.address.address), sizeof to,
                reinterpret_cast<std::byte*>(&to));
    const auto found = awaited_.find(ntohs(to.sin_port));
    require(to.sin_family == AF_INET && found != awaited_.end(),
            "a connection to an address that nobody has");
    slot& of = slot_of(op.descriptor);
    of.connected = found->second;
    awaited_.erase(found);
    if (all_.strikes(fault::resets)) {
        constexpr int errors[] = {ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT};
        const int error = errors[all_.device.below(3)];
        all_.blame(error, of.connected->culprit());
        of.connected.reset();
        return -error;
    }
    if (all_.strikes(fault::stuck)) {
        of.connected->silent = true;
        return -EAGAIN;
    }
    of.connected->connected = true;
    of.connected->stir();
    return 0;
}

int simulated_sockets::accept(slot& at) {
    require(at.listening != nullptr, "accepting from a socket that does not listen");
    if (at.listening->backlog.empty()) return -EAGAIN;
    if (all_.strikes(fault::failed_sockets)) {
        constexpr int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
        const int error = errors[all_.device.below(4)];
        all_.blame(error, 0);
        return -error;
    }
    const connection taken = std::move(at.listening->backlog.front());
    at.listening->backlog.pop_front();
    const int descriptor = take_slot();  // `at` may have moved
    slot_of(descriptor).connected = taken;
    return descriptor;
}

// What the kernel remembers of a connection that was reset, once.
int simulated_sockets::fault_of(simulated_connection& of) {
    const int error = std::exchange(of.error, 0);
    if (error != 0) all_.blame(error, of.culprit());
    return error;
}

std::size_t simulated_sockets::some_of(std::size_t most) {
    return all_.strikes(fault::short_transfers) ? all_.device.between(1, most) : most;
}

int simulated_sockets::send_at_once(int descriptor, const msghdr& message) {
    require(is_open(descriptor), "a send on a socket that is closed");
    const connection of = slot_of(descriptor).connected;
    return of ? send(message, *of) : -ENOTCONN;
}

int simulated_sockets::send(const msghdr& message, simulated_connection& to) {
    if (const int error = fault_of(to); error != 0) return -error;
    if (to.was_reset || to.near_ended) {
        all_.blame(EPIPE, to.culprit());
        return -EPIPE;
    }
    if (to.unread >= to.room) return -EAGAIN;
    const std::size_t count = some_of(std::min<std::size_t>(size_of(message), to.room - to.unread));
    for_each_part(message, count, [&](std::span<const std::byte> part, std::size_t before) {
        require(to.match(part, to.sent + before),
                "bytes are sent that do not follow those sent before");
    });
    to.sent += count;
    to.unread += count;
    to.stir();
    return static_cast<int>(count);
}

int simulated_sockets::receive(const io::operation& op, simulated_connection& from) {
    if (const int error = fault_of(from); error != 0) return -error;
    const std::uint64_t there = from.written - from.received;
    if (there == 0) return from.far_ended || from.was_reset || !from.near_reads ? 0 : -EAGAIN;
    const msghdr& message = *op.message.message;
    const std::size_t count = some_of(std::min<std::size_t>(size_of(message), there));
    for_each_part(message, count, [&](std::span<std::byte> part, std::size_t before) {
        from.make(part, from.received + before);
    });
    from.received += count;
    from.stir();
    return static_cast<int>(count);
}

// Only whether something can be sent is asked; an error is left to whoever sends.
int simulated_sockets::poll(const io::operation& op, const simulated_connection* of) {
    require((op.number & POLLIN) == 0, "a wait that nobody has a use for");
    if (of == nullptr || of->was_reset || of->near_ended) return POLLOUT | POLLHUP;
    if (of->error != 0) return POLLOUT | POLLERR;
    return of->unread < of->room ? POLLOUT : -EAGAIN;
}

simulated_sockets::connection simulated_sockets::await(std::uint64_t room) {
    auto made = std::make_shared<simulated_connection>();
    made->number = ++connections_;
    made->room = room;
    awaited_[port_of(*made)] = made;
    return made;
}

std::uint16_t simulated_sockets::port_of(const simulated_connection& made) noexcept {
    return static_cast<std::uint16_t>(1024 + made.number % 60'000);
}

void simulated_sockets::arrive(const std::weak_ptr<listener>& at, const connection& arrived) {
    awaited_.erase(port_of(*arrived));
    const std::shared_ptr<listener> still = at.lock();
    if (!still) return;
    --still->to_come;
    arrived->connected = true;
    still->backlog.push_back(arrived);
    const slot& of = slot_of(still->descriptor);
    if (of.watcher != nullptr) of.watcher->socket_changed(still->descriptor);
    arrived->stir();
}

// Operations of the near side may go on.
void simulated_sockets::changed(const simulated_connection& of) {
    const auto found = std::find_if(slots_.begin(), slots_.end(),
                                    [&](const slot& one) { return one.connected.get() == &of; });
    if (found == slots_.end() || found->operations == 0) return;
    found->watcher->socket_changed(first_descriptor + static_cast<int>(found - slots_.begin()));
}

void simulated_sockets::read(simulated_connection& from, std::uint64_t count) {
    from.unread -= count;
    changed(from);
}

void simulated_sockets::write(simulated_connection& to, std::uint64_t count) {
    to.written += count;
    changed(to);
}

void simulated_sockets::end(simulated_connection& of) {
    of.far_ended = true;
    changed(of);
}

// As TCP has it: what was on its way is lost, and the near side is told once.
void simulated_sockets::reset(simulated_connection& of) {
    of.was_reset = true;
    of.error = of.far_ended ? EPIPE : ECONNRESET;
    of.unread = 0;
    of.written = of.received;
    changed(of);
}

}  // namespace leat::sim
