// The operations of tcp_stream and tcp_acceptor, as completion.hpp wants them.
#pragma once

#include <leat/engine/asio/detail/socket_calls.hpp>
#include <leat/engine/detail/socket_state.hpp>
#include <leat/engine/detail/waiter.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <sys/uio.h>

#include <climits>
#include <cstddef>
#include <span>
#include <tuple>

namespace leat::detail {

/// One receive or send; its buffers are named by the memory behind it.
struct tcp_transfer : socket_operation {
    tcp_transfer(work::function run_, shard&) noexcept : socket_operation(run_) {}
    void cancel() noexcept { socket_state::cancel(*this); }
    [[nodiscard]] std::tuple<boost::system::error_code, std::size_t> outcome() const noexcept {
        if (result < 0) return {error_of_result(result), 0};
        const bool ended = code == io::opcode::receive && result == 0 && size != 0;
        if (ended) return {boost::asio::error::eof, 0};
        return {boost::system::error_code(), static_cast<std::size_t>(result)};
    }

    std::size_t size = 0;  ///< bytes asked for
    msghdr message{};
};

/// A wait until a socket can be read or written.
struct tcp_wait : socket_operation {
    tcp_wait(work::function run_, shard&) noexcept : socket_operation(run_) {}
    void cancel() noexcept { socket_state::cancel(*this); }
    [[nodiscard]] std::tuple<boost::system::error_code> outcome() const noexcept {
        return {error_of_result(result)};
    }
};

struct tcp_connect : socket_operation {
    tcp_connect(work::function run_, shard&, const boost::asio::ip::tcp::endpoint& to)
        : socket_operation(run_), endpoint(to), length(static_cast<socklen_t>(to.size())) {}
    void cancel() noexcept { socket_state::cancel(*this); }
    [[nodiscard]] std::tuple<boost::system::error_code> outcome() const noexcept {
        return {error_of_result(result)};
    }

    boost::asio::ip::tcp::endpoint endpoint;
    socklen_t length;
};

/// How many vectors the buffers need: empty ones need none, and the kernel takes IOV_MAX.
template <class Buffers>
[[nodiscard]] std::size_t count_vectors(const Buffers& buffers) {
    std::size_t count = 0;
    auto position = boost::asio::buffer_sequence_begin(buffers);
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (; position != end && count < IOV_MAX; ++position) {
        if (boost::asio::const_buffer(*position).size() != 0) ++count;
    }
    return count;
}

/// Lets the transfer have the buffers' first vectors.size() parts that are not empty.
template <class Buffer, class Buffers>
void attach_buffers(tcp_transfer& op, std::span<iovec> vectors, const Buffers& buffers) {
    auto position = boost::asio::buffer_sequence_begin(buffers);
    op.message.msg_iov = vectors.data();
    op.message.msg_iovlen = vectors.size();
    for (iovec& vector : vectors) {
        Buffer part(*position++);
        while (part.size() == 0) part = Buffer(*position++);
        vector = {const_cast<void*>(static_cast<const void*>(part.data())), part.size()};
        op.size += part.size();
    }
}

/// Names the buffers' first parts by `vectors`, as many as these are and up to 1 GiB in all: a
/// system call takes no more than INT_MAX bytes. Returns the number of vectors used.
template <class Buffers>
[[nodiscard]] std::size_t gather_vectors(std::span<iovec> vectors, const Buffers& buffers) {
    std::size_t left = std::size_t{1} << 30;
    std::size_t count = 0;
    auto position = boost::asio::buffer_sequence_begin(buffers);
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (; position != end && count < vectors.size() && left != 0; ++position) {
        const boost::asio::const_buffer part(*position);
        if (part.size() == 0) continue;
        const std::size_t size = part.size() < left ? part.size() : left;
        vectors[count++] = {const_cast<void*>(part.data()), size};
        left -= size;
    }
    return count;
}

}  // namespace leat::detail
