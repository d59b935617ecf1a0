// A TCP connection on a shard's ring, for Asio's composed operations, Beast and asio::ssl.
#pragma once

#include <leat/engine/asio/detail/completion.hpp>
#include <leat/engine/asio/detail/tcp_operations.hpp>
#include <leat/engine/asio/shard_executor.hpp>
#include <leat/engine/asio/use_task.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/result.hpp>

#include <netinet/tcp.h>
#include <poll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <utility>

namespace leat {

namespace detail {
struct tcp_accept;
}

/// A TCP connection of one shard: models Asio's AsyncReadStream and AsyncWriteStream.
///
/// Everything is called on the stream's shard, the destructor and what emits to cancellation slots
/// included; elsewhere what reaches the connection ends the program with a sentence, in every
/// build. So a stream is not to be moved into a task for another shard: release() its descriptor,
/// and assign() it to a stream there. Only after the engine has ended a stream that is left may be
/// destroyed anywhere.
///
/// Operations: each async_ function takes a completion token, by default one for a task to
/// co_await. Its handler is called once, by the handler's associated executor (default: the
/// shard's), never from inside the function; what failed at once is posted. The operation's memory
/// is of the handler's associated allocator. One read and one write may be in flight together,
/// several of a kind complete in an order that is not told. The buffers' memory is the caller's and
/// must stay as it is until the handler is called; what was written before the function was called
/// is sent, and what was received is seen by the handler. A handler that throws is reported by the
/// engine's on_event.
///
/// Ends: cancel(), close(), the destructor, a cancellation slot and the engine's stop end an
/// operation with asio::error::operation_aborted, unless it was ending anyway; bytes already
/// transferred are told, not lost. The descriptor is closed when the kernel is done with it.
///
/// Functions with an error_code as last parameter tell errors by it, those without throw
/// boost::system::system_error.
class tcp_stream : public boost::asio::socket_base {
public:
    using executor_type = shard_executor;
    using protocol_type = boost::asio::ip::tcp;
    using endpoint_type = protocol_type::endpoint;
    using native_handle_type = int;
    using lowest_layer_type = tcp_stream;
    using error_code = boost::system::error_code;

    /// Not open: async_connect opens it.
    explicit tcp_stream(const executor_type& executor) noexcept : executor_(executor) {}
    /// Takes a connected socket's descriptor; see assign.
    tcp_stream(const executor_type& executor, const protocol_type& protocol, int descriptor)
        : executor_(executor) {
        assign(protocol, descriptor);
    }
    /// Operations in flight go on; `other` is then as if it had been closed.
    tcp_stream(tcp_stream&& other) noexcept = default;
    /// Closes this one first.
    tcp_stream& operator=(tcp_stream&& other) noexcept {
        if (this != &other) {
            close();
            executor_ = other.executor_;
            protocol_ = other.protocol_;
            state_ = std::move(other.state_);
            deadline_ = other.deadline_;
            zero_copy_ = other.zero_copy_;
        }
        return *this;
    }
    ~tcp_stream() { close(); }

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
    [[nodiscard]] lowest_layer_type& lowest_layer() noexcept { return *this; }
    [[nodiscard]] const lowest_layer_type& lowest_layer() const noexcept { return *this; }

    [[nodiscard]] bool is_open() const noexcept { return state_ != nullptr; }
    /// The descriptor, which stays the stream's; -1 if it is not open.
    [[nodiscard]] int native_handle() const noexcept { return state_ ? state_->descriptor() : -1; }

    /// Makes a socket, closing the one it has.
    void open(const protocol_type& protocol) {
        error_code code;
        detail::throw_if(open(protocol, code), "open");
    }
    error_code open(const protocol_type& protocol, error_code& code) {
        const int descriptor = detail::make_socket(protocol);
        code = detail::error_of_call(descriptor);
        if (!code) assign(protocol, descriptor);
        return code;
    }
    /// Takes a socket's descriptor, closing the one it has; if it throws std::bad_alloc, the
    /// descriptor is closed.
    void assign(const protocol_type& protocol, int descriptor) {
        close();
        try {
            state_ = detail::socket_state::make(executor_.home(), descriptor);
        } catch (...) {
            ::close(descriptor);
            throw;
        }
        state_->set_deadline(deadline_);
        protocol_ = protocol;
    }
    /// Cancels what is in flight and gives the descriptor to the caller; -1 if it is not open.
    [[nodiscard]] int release() noexcept {
        const auto state = std::exchange(state_, nullptr);
        return state ? state->release() : -1;
    }

    void bind(const endpoint_type& endpoint) {
        error_code code;
        detail::throw_if(bind(endpoint, code), "bind");
    }
    error_code bind(const endpoint_type& endpoint, error_code& code) noexcept {
        return code = detail::bind_to(native_handle(), endpoint);
    }

    /// Cancels all operations in flight.
    void cancel() noexcept {
        if (state_) state_->cancel_all();
    }
    error_code cancel(error_code& code) noexcept {
        cancel();
        return code = {};
    }
    /// Cancels all operations in flight and lets go of the socket. Never fails.
    void close() noexcept {
        if (const auto state = std::exchange(state_, nullptr)) {
            state->set_deadline(io::time_point::max());
            state->cancel_all();
        }
    }
    error_code close(error_code& code) noexcept {
        close();
        return code = {};
    }
    /// shutdown(2): does not wait, and lets operations in flight end as the kernel sees fit.
    void shutdown(shutdown_type what) {
        error_code code;
        detail::throw_if(shutdown(what, code), "shutdown");
    }
    error_code shutdown(shutdown_type what, error_code& code) noexcept {
        return code = detail::error_of_call(::shutdown(native_handle(), what));
    }

    /// Sets an option of asio::ip::tcp or asio::socket_base (SettableSocketOption). With a linger
    /// time above 0 closing blocks the shard.
    template <class Option>
    void set_option(const Option& option) {
        error_code code;
        detail::throw_if(set_option(option, code), "set_option");
    }
    template <class Option>
    error_code set_option(const Option& option, error_code& code) {
        return code = detail::set_option(native_handle(), protocol_, option);
    }
    template <class Option>
    void get_option(Option& option) const {
        error_code code;
        detail::throw_if(get_option(option, code), "get_option");
    }
    template <class Option>
    error_code get_option(Option& option, error_code& code) const {
        return code = detail::get_option(native_handle(), protocol_, option);
    }

    [[nodiscard]] endpoint_type local_endpoint() const {
        error_code code;
        const endpoint_type endpoint = local_endpoint(code);
        detail::throw_if(code, "local_endpoint");
        return endpoint;
    }
    [[nodiscard]] endpoint_type local_endpoint(error_code& code) const noexcept {
        return detail::endpoint_of(native_handle(), &::getsockname, code);
    }
    [[nodiscard]] endpoint_type remote_endpoint() const {
        error_code code;
        const endpoint_type endpoint = remote_endpoint(code);
        detail::throw_if(code, "remote_endpoint");
        return endpoint;
    }
    [[nodiscard]] endpoint_type remote_endpoint(error_code& code) const noexcept {
        return detail::endpoint_of(native_handle(), &::getpeername, code);
    }

    /// Sets a deadline by the shard's clock, for what is in flight and for what is started later:
    /// an operation that has not ended by then ends with asio::error::timed_out, and so do at once
    /// those started after it, until the deadline is changed. The stream stays open. It holds for
    /// each single operation: a composed one, such as asio::async_read, ends with the first of its
    /// parts that the deadline ends. Cheap: moving a deadline on for each request is as good as
    /// free.
    void expires_at(io::time_point deadline) noexcept {
        deadline_ = deadline;
        if (state_) state_->set_deadline(deadline);
    }
    /// As expires_at(), so long from now; time_span::max() is no deadline.
    void expires_after(time_span duration) noexcept {
        expires_at(executor_.home().after(duration));
    }
    void expires_never() noexcept { expires_at(io::time_point::max()); }

    /// Whether what is sent from now on goes to the device without a copy, where kernel and socket
    /// allow it; elsewhere it is copied as ever. A write then completes only when nobody reads its
    /// buffers any more, with TCP when the peer has acknowledged them. Slices of chunks of this
    /// shard are sent as registered buffers. Worth its price for large writes over a network;
    /// loopback copies all the same. Off at first.
    ///
    /// Nothing but the connection's end gets the kernel to let go of bytes that a peer does not
    /// acknowledge, not even cancel() or close(): call it when connected, so that the connection
    /// is given up (TCP_USER_TIMEOUT) if the peer takes nothing for zero_copy_patience.
    void zero_copy(bool on) noexcept {
        zero_copy_ = on;
        const unsigned patience_ms = on ? static_cast<unsigned>(zero_copy_patience.count()) : 0;
        if (state_)
            ::setsockopt(native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms,
                         sizeof patience_ms);
    }
    static constexpr std::chrono::milliseconds zero_copy_patience{30'000};
    [[nodiscard]] bool zero_copy() const noexcept { return zero_copy_; }

    /// Connects, opening a socket of the endpoint's protocol unless one is open. Handler:
    /// void(error_code). After an error the stream is good for close() only.
    ///
    ///     leat::tcp_stream stream(leat::shard_executor::current());
    ///     stream.expires_after(10s);
    ///     co_await stream.async_connect(endpoint);
    template <class Token = use_task_t>
    auto async_connect(const endpoint_type& endpoint, Token&& token = Token()) {
        return boost::asio::async_initiate<Token, void(error_code)>(connecting{this}, token,
                                                                    endpoint);
    }
    /// Receives up to the buffers' size, at least one byte. Handler: void(error_code, size_t);
    /// asio::error::eof at the end of what the peer sends. Buffers without any room complete with
    /// 0. Of more than IOV_MAX buffers the first IOV_MAX are used.
    ///
    ///     std::array<char, 4096> memory;
    ///     const std::size_t count = co_await stream.async_read_some(asio::buffer(memory));
    template <class Buffers, class Token = use_task_t>
    auto async_read_some(const Buffers& buffers, Token&& token = Token()) {
        return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(receiving{this},
                                                                                 token, buffers);
    }
    /// Sends at least one byte of the buffers, as many as the socket has room for. Handler:
    /// void(error_code, size_t). asio::async_write sends all. Empty buffers complete with 0. A peer
    /// that has gone gives asio::error::broken_pipe or connection_reset; no signal is raised.
    ///
    ///     co_await asio::async_write(stream, page.buffer(), leat::use_task);
    template <class Buffers, class Token = use_task_t>
    auto async_write_some(const Buffers& buffers, Token&& token = Token()) {
        return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(sending{this},
                                                                                 token, buffers);
    }
    /// Sends as many of the buffers' bytes as the socket has room for, at once: with async_wait,
    /// for those who would keep nothing while a peer is slow, such as a slice and with it its
    /// chunk. Gives the count, 0 if there is no room or nothing to send; errors are those of
    /// async_write_some. Of more than 8 buffers the first 8 are used, and of them at most 1 GiB.
    /// Always copies. Not while an async_write_some is in flight: whose bytes go first is not told.
    ///
    ///     const auto sent = stream.try_send(page.buffer());
    ///     if (sent && *sent == 0) {  // let go of the slice, then
    ///         page = {};
    ///         co_await stream.async_wait(leat::tcp_stream::wait_write);
    ///     }
    template <class Buffers>
        requires boost::asio::is_const_buffer_sequence<Buffers>::value
    [[nodiscard]] boost::system::result<std::size_t> try_send(const Buffers& buffers) noexcept {
        std::array<iovec, 8> vectors;
        msghdr message{};
        message.msg_iov = vectors.data();
        message.msg_iovlen = detail::gather_vectors(vectors, buffers);
        const int result = state_ ? state_->try_send(message) : -EBADF;
        if (result == -EAGAIN) return std::size_t{0};
        if (result < 0) return detail::error_of_result(result);
        return static_cast<std::size_t>(result);
    }
    [[nodiscard]] boost::system::result<std::size_t> try_send(
        std::span<const std::byte> bytes) noexcept {
        return try_send(boost::asio::const_buffer{bytes.data(), bytes.size()});
    }
    /// Waits until the socket can be read or written, or has an error; the next operation tells
    /// which. Handler: void(error_code). Holds no memory but the handler's.
    template <class Token = use_task_t>
    auto async_wait(wait_type what, Token&& token = Token()) {
        return boost::asio::async_initiate<Token, void(error_code)>(waiting{this}, token, what);
    }

private:
    friend struct detail::tcp_accept;
    struct initiation {
        using executor_type = shard_executor;
        [[nodiscard]] executor_type get_executor() const noexcept { return stream->executor_; }
        tcp_stream* stream;
    };
    struct connecting : initiation {
        [[nodiscard]] static where awaits() noexcept { return detail::on_socket("connect"); }
        template <class Handler>
        void operator()(Handler&& handler, const endpoint_type& endpoint) const {
            this->stream->start_connect(std::forward<Handler>(handler), endpoint);
        }
    };
    struct receiving : initiation {
        [[nodiscard]] static where awaits() noexcept { return detail::on_socket("receive"); }
        template <class Handler, class Buffers>
        void operator()(Handler&& handler, const Buffers& buffers) const {
            this->stream->template start_transfer<boost::asio::mutable_buffer>(
                std::forward<Handler>(handler), buffers);
        }
    };
    struct sending : initiation {
        [[nodiscard]] static where awaits() noexcept { return detail::on_socket("send"); }
        template <class Handler, class Buffers>
        void operator()(Handler&& handler, const Buffers& buffers) const {
            this->stream->template start_transfer<boost::asio::const_buffer>(
                std::forward<Handler>(handler), buffers);
        }
    };

    struct waiting : initiation {
        [[nodiscard]] static where awaits() noexcept { return detail::on_socket("wait"); }
        template <class Handler>
        void operator()(Handler&& handler, wait_type what) const {
            this->stream->start_wait(std::forward<Handler>(handler), what);
        }
    };

    void start(detail::socket_operation& op, int failure) noexcept {
        if (failure != 0 || !state_) {
            detail::socket_state::fail(executor_.home(), op, failure != 0 ? failure : -EBADF);
        } else {
            state_->start(op);
        }
    }

    template <class Handler>
    void start_connect(Handler&& handler, const endpoint_type& endpoint) {
        using operation = detail::completion<detail::tcp_connect, std::decay_t<Handler>>;
        error_code code;
        if (!is_open()) open(endpoint.protocol(), code);
        auto& op = operation::make(executor_.home(), std::forward<Handler>(handler), 0, endpoint);
        op.prepare_connect(native_handle(), op.endpoint.data(), &op.length);
        start(op, -code.value());
    }

    template <class Handler>
    void start_wait(Handler&& handler, wait_type what) {
        using operation = detail::completion<detail::tcp_wait, std::decay_t<Handler>>;
        auto& op = operation::make(executor_.home(), std::forward<Handler>(handler), 0);
        const unsigned wanted = what == wait_read ? POLLIN : what == wait_write ? POLLOUT : 0U;
        op.prepare_poll(native_handle(), wanted | POLLERR | POLLHUP);
        start(op, 0);
    }

    template <class Buffer, class Handler, class Buffers>
    void start_transfer(Handler&& handler, const Buffers& buffers) {
        using operation = detail::completion<detail::tcp_transfer, std::decay_t<Handler>>;
        const std::size_t count = detail::count_vectors(buffers);
        auto& op = operation::make(executor_.home(), std::forward<Handler>(handler),
                                   count * sizeof(iovec));
        detail::attach_buffers<Buffer>(op, {static_cast<iovec*>(op.extra()), count}, buffers);
        if constexpr (std::is_same_v<Buffer, boost::asio::const_buffer>) {
            prepare_send(op, count);
        } else {
            op.prepare_receive(native_handle(), op.message, 0);
        }
        if (is_open() && count == 0) {
            detail::socket_state::fail(executor_.home(), op, 0);
        } else {
            start(op, 0);
        }
    }

    void prepare_send(detail::tcp_transfer& op, std::size_t count) const noexcept {
        if (!zero_copy_) {
            op.prepare_send(native_handle(), op.message, 0);
            return;
        }
        int buffer = -1;
        if (count == 1) {
            const auto* const data = static_cast<const std::byte*>(op.message.msg_iov->iov_base);
            buffer = executor_.home().arena()->buffer_index(data);
        }
        op.prepare_send_zero_copy(native_handle(), op.message, 0, buffer);
    }

    executor_type executor_;
    protocol_type protocol_ = protocol_type::v4();
    bool zero_copy_ = false;
    boost::intrusive_ptr<detail::socket_state> state_;
    io::time_point deadline_ = io::time_point::max();
};

}  // namespace leat
