// Sends answers, with or without TLS, as fast as the connection may.
#include "connection.hpp"
#include "shard_server.hpp"
#include "short_range.hpp"

#include <leat/asio.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/asio/write.hpp>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <utility>
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

task<> connection::send(outgoing what) {
    const std::uint64_t rate = server_.shared().options.rate;
    if (rate == 0) return send_piece(what);
    return send_slowly(what);
}

task<> connection::send_slowly(outgoing what) {
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
        const std::string_view of_head = what.head.substr(0, piece);
        const std::uint64_t count =
            of_head.size() == what.head.size() ? std::min(piece, what.length - at) : 0;
        const double seconds =
            static_cast<double>(of_head.size() + count) / static_cast<double>(rate);
        co_await send_piece({of_head, what.file, what.first + at, count});
        what.head.remove_prefix(of_head.size());
        begun_ = true;
        at += count;
        next_piece_ = begun + nanoseconds{static_cast<std::int64_t>(seconds * 1e9)};
    } while (!what.head.empty() || at < what.length);
}

task<> connection::send_piece(outgoing what) {
    const chunk_manager& manager = server_.manager();
    if (tls_) return send_by_tls(what);
    // A short range is more often one of many here and there than the beginning of a stream.
    const std::uint64_t last = what.first + what.length - 1;
    if (what.length != 0 && what.length <= small &&
        what.first / manager.chunk_size() == last / manager.chunk_size())
        return send_small(what);
    return send_range(socket_, manager, what.file != nullptr ? *what.file : leat::file{},
                      what.first, what.length,
                      {.head = asio::buffer(what.head.data(), what.head.size()),
                       .patience = server_.shared().options.send_timeout,
                       .progress = &gone_out_});
}

task<> connection::send_small(outgoing what) {
    std::size_t sent = 0;
    {
        const chunk_config wanted{*what.file, what.first, static_cast<std::uint32_t>(what.length)};
        short_range range{server_.manager(), wanted};
        if (!range) {
            slice all = co_await server_.manager().get_chunk(wanted);
            range.set(std::move(all));
        }
        const std::array<asio::const_buffer, 3> buffers = range.after(what.head);
        // The deadline may have passed while it was not the peer that was waited for.
        socket_.expires_after(server_.shared().options.send_timeout);
        const auto gone = socket_.try_send(buffers);
        if (!gone) throw boost::system::system_error(gone.error());
        sent = *gone;
    }
    // For a peer that is slow the rest is asked for again when there is room.
    begun_ = begun_ || sent != 0;
    const std::size_t of_head = std::min(sent, what.head.size());
    const std::uint64_t of_file = sent - of_head;
    gone_out_ += of_file;
    what.head.remove_prefix(of_head);
    if (what.head.empty() && of_file == what.length) co_return;
    co_await send_range(socket_, server_.manager(), *what.file, what.first + of_file,
                        what.length - of_file,
                        {.head = asio::buffer(what.head.data(), what.head.size()),
                         .patience = server_.shared().options.send_timeout,
                         .progress = &gone_out_});
}

task<> connection::send_by_tls(outgoing what) {
    const chunk_manager& manager = server_.manager();
    const time_span patience = server_.shared().options.send_timeout;
    const std::uint64_t before = gone_out_;
    // One record of TLS for the head and what else there is room for.
    constexpr std::size_t record = 1 << 14;
    std::vector<char> memory(std::min<std::uint64_t>(what.head.size() + what.length, record));
    std::uint64_t at = 0;
    while (!what.head.empty()) {
        const std::size_t of_head = std::min(what.head.size(), memory.size());
        std::copy_n(what.head.begin(), of_head, memory.begin());
        what.head.remove_prefix(of_head);
        const std::span<char> room{memory.data() + of_head,
                                   std::min<std::uint64_t>(memory.size() - of_head, what.length)};
        if (what.head.empty() && !room.empty())
            at = co_await server_.manager().read(*what.file, what.first,
                                                 std::as_writable_bytes(room));
        socket_.expires_after(patience);
        begun_ = true;
        co_await asio::async_write(*tls_, asio::buffer(memory.data(), of_head + at), use_task);
        gone_out_ = before + at;
    }
    // The rest is encrypted where it lies, in pieces of what lies together in memory.
    constexpr std::chrono::milliseconds quick{2};
    bool waits = false;
    while (at < what.length) {
        if (waits) {  // with nothing in hand
            socket_.expires_after(patience);
            co_await socket_.async_wait(tcp_stream::wait_write);
        }
        const std::uint64_t next = what.first + at;
        const std::uint64_t end = std::min((next / small + 1) * small, what.first + what.length);
        const slice piece = co_await manager.get_chunk(
            {*what.file, next, static_cast<std::uint32_t>(end - next), hint::stream});
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
