// Accepts TCP connections on a shard's ring.
#pragma once

#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/detail/accept_queue.hpp>

#include <new>
#include <tuple>

namespace leat {

namespace detail {

/// A wait for a connection.
struct tcp_accept : waiter {
    tcp_accept(work::function run_,
               shard& home_,
               const boost::asio::ip::tcp& protocol_,
               bool keeps_idle_) noexcept
        : waiter(run_, home_), protocol(protocol_), keeps_idle(keeps_idle_) {}
    [[nodiscard]] std::tuple<boost::system::error_code, tcp_stream> outcome() const noexcept {
        tcp_stream stream{shard_executor(home)};
        boost::system::error_code code = error_of_result(result);
        if (result < 0) return {code, std::move(stream)};
        try {
            stream.assign(protocol, result);
            stream.state_->occupy_place(!keeps_idle);
        } catch (const std::bad_alloc&) {
            home.connections().leave(nullptr);
            code = boost::asio::error::no_memory;
        }
        return {code, std::move(stream)};
    }

    boost::asio::ip::tcp protocol;
    bool keeps_idle;
};

}  // namespace detail

/// A listening TCP socket of one shard. On each shard one with `share` and the same endpoint: then
/// the kernel spreads the connections over them.
///
///     leat::tcp_acceptor acceptor(leat::shard_executor::current(), endpoint, /*share*/ true);
///     for (;;) {
///         leat::tcp_stream peer = co_await acceptor.async_accept();
///         sessions.spawn(serve(std::move(peer)));
///     }
///
/// Everything is called on the acceptor's shard; for completion handlers, cancellation, the
/// engine's stop and errors see tcp_stream. Several async_accept may be in flight and get the
/// connections in order. The kernel accepts a little ahead: about accept_queue::ahead
/// connections that nobody has asked for may wait in the acceptor, and are closed with it.
///
/// A shard has as many accepted connections as its backend can serve at once (see
/// io::backend::connection_limit: by default more than 11,000 with io_uring). At that many
/// async_accept waits, peers wait in the kernel's backlog, and the accepted connection whose peer
/// alone has been waited for longest, for 20 ms at least, is shut down to make room: its read ends
/// with asio::error::eof, as if the peer had closed it. See keep_idle, and
/// shard_statistics::idle_connections_ended.
class tcp_acceptor : public boost::asio::socket_base {
public:
    using executor_type = shard_executor;
    using protocol_type = boost::asio::ip::tcp;
    using endpoint_type = protocol_type::endpoint;
    using native_handle_type = int;
    using error_code = boost::system::error_code;

    /// Not open.
    explicit tcp_acceptor(const executor_type& executor) noexcept : executor_(executor) {}
    /// Listens on `endpoint`; see listen.
    tcp_acceptor(const executor_type& executor, const endpoint_type& endpoint, bool share = false)
        : executor_(executor) {
        listen(endpoint, share);
    }
    tcp_acceptor(tcp_acceptor&& other) noexcept = default;
    /// Closes this one first.
    tcp_acceptor& operator=(tcp_acceptor&& other) noexcept {
        if (this != &other) {
            close();
            executor_ = other.executor_;
            protocol_ = other.protocol_;
            keep_idle_ = other.keep_idle_;
            queue_ = std::move(other.queue_);
        }
        return *this;
    }
    ~tcp_acceptor() { close(); }

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
    [[nodiscard]] bool is_open() const noexcept { return queue_ != nullptr; }
    /// The descriptor, which stays the acceptor's; -1 if it is not open.
    [[nodiscard]] int native_handle() const noexcept { return queue_ ? queue_->descriptor() : -1; }

    /// Opens a socket, closing the one it has, and listens on `endpoint`; port 0 takes a free one,
    /// which local_endpoint() tells. The address may be one that connections of a former listener
    /// still use (SO_REUSEADDR) and, with `share`, one that other sockets of this user listen on
    /// that share it as well (SO_REUSEPORT).
    ///
    /// `backlog` connections may wait in the kernel, which takes no more than its own limit
    /// (net.core.somaxconn). Where twice as many completions are free (see
    /// io::backend_options::completion_entries) one operation accepts them all: by default beside
    /// up to some 2,000 connections on which something waits. Beyond that they are accepted one by
    /// one: give a smaller backlog, or more entries.
    void listen(const endpoint_type& endpoint,
                bool share = false,
                int backlog = max_listen_connections) {
        error_code code;
        detail::throw_if(listen(endpoint, share, backlog, code), "listen");
    }
    error_code listen(const endpoint_type& endpoint, bool share, int backlog, error_code& code) {
        const int descriptor = detail::make_socket(endpoint.protocol());
        code = detail::error_of_call(descriptor);
        if (code) return code;
        const int on = 1;
        const auto allow = [&](int option) {
            if (code) return;
            code =
                detail::error_of_call(::setsockopt(descriptor, SOL_SOCKET, option, &on, sizeof on));
        };
        allow(SO_REUSEADDR);
        if (share) allow(SO_REUSEPORT);
        if (!code) code = detail::bind_to(descriptor, endpoint);
        if (!code) code = detail::error_of_call(::listen(descriptor, backlog));
        if (code) {
            ::close(descriptor);
        } else {
            assign(endpoint.protocol(), descriptor);
        }
        return code;
    }
    /// Takes a listening socket's descriptor, closing the one it has; if it throws std::bad_alloc,
    /// the descriptor is closed.
    void assign(const protocol_type& protocol, int descriptor) {
        close();
        try {
            queue_ = detail::accept_queue::make(executor_.home(), descriptor);
            queue_->keep_idle(keep_idle_);
        } catch (...) {
            ::close(descriptor);
            throw;
        }
        protocol_ = protocol;
    }
    /// As close(), but gives the descriptor to the caller; -1 if it is not open.
    [[nodiscard]] int release() noexcept {
        const auto queue = std::exchange(queue_, nullptr);
        return queue ? queue->release() : -1;
    }
    /// Whether connections accepted from now on stay however long they are idle, and none is ended
    /// for another of this acceptor: then it only waits. Off at first.
    void keep_idle(bool on) noexcept {
        keep_idle_ = on;
        if (queue_) queue_->keep_idle(on);
    }
    [[nodiscard]] bool keep_idle() const noexcept { return keep_idle_; }

    /// Ends the waiting async_accept; the acceptor goes on.
    void cancel() noexcept {
        if (queue_) queue_->cancel_all();
    }
    /// Ends the waiting async_accept with asio::error::operation_aborted and stops listening.
    void close() noexcept {
        if (const auto queue = std::exchange(queue_, nullptr)) queue->close();
    }

    template <class Option>
    void set_option(const Option& option) {
        detail::throw_if(detail::set_option(native_handle(), protocol_, option), "set_option");
    }
    template <class Option>
    void get_option(Option& option) const {
        detail::throw_if(detail::get_option(native_handle(), protocol_, option), "get_option");
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

    /// Waits for a connection, a tcp_stream of the same shard. Handler: void(error_code,
    /// tcp_stream). An error such as no_descriptors is told to one async_accept, and the next one
    /// tries again: after one, wait a little, or close something.
    ///
    ///     leat::tcp_stream peer = co_await acceptor.async_accept();
    template <class Token = use_task_t>
    auto async_accept(Token&& token = Token()) {
        return boost::asio::async_initiate<Token, void(error_code, tcp_stream)>(initiation{this},
                                                                                token);
    }

private:
    struct initiation {
        [[nodiscard]] static where awaits() noexcept { return detail::on_socket("accept"); }
        using executor_type = shard_executor;
        [[nodiscard]] executor_type get_executor() const noexcept { return acceptor->executor_; }
        template <class Handler>
        void operator()(Handler&& handler) const {
            acceptor->start_accept(std::forward<Handler>(handler));
        }
        tcp_acceptor* acceptor;
    };

    template <class Handler>
    void start_accept(Handler&& handler) {
        using operation = detail::completion<detail::tcp_accept, std::decay_t<Handler>>;
        auto& op = operation::make(executor_.home(), std::forward<Handler>(handler), 0, protocol_,
                                   keep_idle_);
        if (queue_) {
            queue_->wait(op);
        } else {
            op.finish(-EBADF);
        }
    }

    executor_type executor_;
    protocol_type protocol_ = protocol_type::v4();
    bool keep_idle_ = false;
    boost::intrusive_ptr<detail::accept_queue> queue_;
};

}  // namespace leat
