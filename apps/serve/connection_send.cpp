// Sends answers, with or without TLS, as fast as the connection may.
#include "connection.hpp"
#include "shard_server.hpp"

#include <leat/asio.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/asio/write.hpp>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <vector>

namespace leat::serve {

namespace asio = boost::asio;

namespace {
constexpr std::uint64_t small = 64 * KiB;
}

void connection::heed_progress() noexcept {
    int unacknowledged = 0;
    if (!answering_ || ::ioctl(socket_.native_handle(), SIOCOUTQ, &unacknowledged) != 0) return;
    // What has become less was acknowledged, and what has become more had found room before.
    if (unacknowledged != unacknowledged_)
        socket_.expires_after(server_.shared().options.send_timeout);
    unacknowledged_ = unacknowledged;
}

task<> connection::send(std::string_view head,
                        const leat::file& file,
                        std::uint64_t first,
                        std::uint64_t length) {
    const std::uint64_t rate = server_.shared().options.rate;
    if (rate == 0) return send_piece(head, file, first, length);
    return send_slowly(head, file, first, length);
}

task<> connection::send_slowly(std::string_view head,
                               const leat::file& file,
                               std::uint64_t first,
                               std::uint64_t length) {
    using std::chrono::nanoseconds;
    const std::uint64_t rate = server_.shared().options.rate;
    // Ten pieces a second, so that a player sees a steady stream.
    const std::uint64_t piece = std::max<std::uint64_t>(rate / 10, 4096);
    std::uint64_t at = 0;
    do {
        // What went out last is waited for here, and not behind it, so that the pieces of all
        // answers count as one stream, however short each of them is.
        const io::time_point now = this_shard().now();
        if (now < next_piece_) co_await leat::sleep(next_piece_ - now);
        const io::time_point begun = std::max(now, next_piece_);
        const std::string_view of_head = head.substr(0, piece);
        const std::uint64_t count =
            of_head.size() == head.size() ? std::min(piece, length - at) : 0;
        const double seconds =
            static_cast<double>(of_head.size() + count) / static_cast<double>(rate);
        co_await send_piece(of_head, file, first + at, count);
        head.remove_prefix(of_head.size());
        begun_ = true;
        at += count;
        next_piece_ = begun + nanoseconds{static_cast<std::int64_t>(seconds * 1e9)};
    } while (!head.empty() || at < length);
}

task<> connection::send_piece(std::string_view head,
                              const leat::file& file,
                              std::uint64_t first,
                              std::uint64_t length) {
    const chunk_manager& manager = server_.manager();
    if (tls_) return send_by_tls(head, file, first, length);
    // A short range is more often one of many here and there than the beginning of a stream.
    if (length != 0 && length <= small &&
        first / manager.chunk_size() == (first + length - 1) / manager.chunk_size())
        return send_small(head, file, first, length);
    return send_range(socket_, manager, file, first, length,
                      {.head = asio::buffer(head.data(), head.size()),
                       .patience = server_.shared().options.send_timeout,
                       .progress = &gone_out_});
}

task<> connection::send_small(std::string_view head,
                              const leat::file& file,
                              std::uint64_t first,
                              std::uint64_t length) {
    std::size_t sent = 0;
    {
        const slice piece =
            co_await server_.manager().get_chunk({file, first, static_cast<std::uint32_t>(length)});
        const std::array<asio::const_buffer, 2> buffers{
            asio::const_buffer{head.data(), head.size()}, piece.buffer()};
        // The deadline may have passed while it was not the peer that was waited for.
        socket_.expires_after(server_.shared().options.send_timeout);
        const auto gone = socket_.try_send(buffers);
        if (!gone) throw boost::system::system_error(gone.error());
        sent = *gone;
    }
    // For a peer that is slow the rest is asked for again when there is room.
    begun_ = begun_ || sent != 0;
    const std::size_t of_head = std::min(sent, head.size());
    const std::uint64_t of_file = sent - of_head;
    gone_out_ += of_file;
    head.remove_prefix(of_head);
    if (head.empty() && of_file == length) co_return;
    co_await send_range(socket_, server_.manager(), file, first + of_file, length - of_file,
                        {.head = asio::buffer(head.data(), head.size()),
                         .patience = server_.shared().options.send_timeout,
                         .progress = &gone_out_});
}

task<> connection::send_by_tls(std::string_view head,
                               const leat::file& file,
                               std::uint64_t first,
                               std::uint64_t length) {
    const chunk_manager& manager = server_.manager();
    const time_span patience = server_.shared().options.send_timeout;
    const std::uint64_t before = gone_out_;
    // One record of TLS for the head and what else there is room for.
    constexpr std::size_t record = 1 << 14;
    std::vector<char> memory(std::min<std::uint64_t>(head.size() + length, record));
    std::uint64_t at = 0;
    while (!head.empty()) {
        const std::size_t of_head = std::min(head.size(), memory.size());
        std::copy_n(head.begin(), of_head, memory.begin());
        head.remove_prefix(of_head);
        const std::span<char> room{memory.data() + of_head,
                                   std::min<std::uint64_t>(memory.size() - of_head, length)};
        if (head.empty() && !room.empty())
            at = co_await server_.manager().read(file, first, std::as_writable_bytes(room));
        socket_.expires_after(patience);
        begun_ = true;
        co_await asio::async_write(*tls_, asio::buffer(memory.data(), of_head + at), use_task);
        gone_out_ = before + at;
    }
    // The rest is encrypted where it lies, in pieces of what lies together in memory.
    constexpr std::chrono::milliseconds quick{2};
    bool waits = false;
    while (at < length) {
        if (waits) {  // with nothing in hand
            socket_.expires_after(patience);
            co_await socket_.async_wait(tcp_stream::wait_write);
        }
        const std::uint64_t next = first + at;
        const std::uint64_t end = std::min((next / small + 1) * small, first + length);
        const slice piece = co_await manager.get_chunk(
            {file, next, static_cast<std::uint32_t>(end - next), hint::stream});
        socket_.expires_after(patience);
        begun_ = true;
        const io::time_point begun = this_shard().now();
        co_await asio::async_write(*tls_, piece.buffer(), use_task);
        waits = this_shard().now() - begun > quick;
        at += piece.size();
        gone_out_ = before + at;
    }
}

}  // namespace leat::serve
