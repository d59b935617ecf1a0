// A range of a file to a peer, through the cache.
#pragma once

#include <leat/cache/asio/detail/range_sender.hpp>
#include <leat/cache/asio/detail/slice_buffer.hpp>
#include <leat/cache/asio/detail/uncopied_send.hpp>
#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/detail/manager_access.hpp>
#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/task.hpp>
#include <leat/io/detail/misuse.hpp>

#include <boost/asio/buffer.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace leat {

/// How a range is sent.
struct send_range_options {
    /// Goes out before the range, in one send with its first bytes. The memory is the caller's and
    /// stays as it is until send_range has ended.
    boost::asio::const_buffer head;
    /// How long the peer may take nothing: the stream's deadline moves to so much later each time
    /// something is about to go out, so that a slow peer is not cut off, only one that has stopped.
    /// 0: the stream's deadline stays as it is, and holds for the whole.
    time_span patience{};
    /// If it is not null, the bytes of the range that have gone out are added to it as they go. It
    /// must live until send_range has ended.
    std::uint64_t* progress = nullptr;
};

namespace detail {

/// Throws unless the range lies inside the file.
inline void check_range(const file& from, std::uint64_t offset, std::uint64_t length) {
    if (!from || (offset <= from.size() && length <= from.size() - offset)) return;
    where place{.doing = activity::send_range, .file = from.id().number, .offset = offset};
    place.size = length;
    place.set_name(from.name());
    throw system_error({errc::out_of_range, place});
}

/// The result of a try_send, or its error thrown as that of the stream's other operations is.
[[nodiscard]] inline std::size_t count_of(const boost::system::result<std::size_t>& sent) {
    if (sent) return *sent;
    if (this_shard().stopping())
        throw system_error({errc::stopped, {.doing = activity::send_range}});
    throw boost::system::system_error(sent.error(), "send_range");
}

}  // namespace detail

/// Sends `length` bytes of a file from `offset` on, after options.head, through the cache.
///
/// `co_await`ed on the stream's shard it ends when the socket has taken all, which is before the
/// peer has. Nothing else may be written to the stream meanwhile; a read may be in flight.
///
/// A buffer is pinned while bytes move, not while somebody waits: a slice is taken, as much of it
/// sent as the socket has room for, the slice dropped, and only then is room waited for. So any
/// number of slow peers pins nothing. A hit is copied once, by the kernel, and what is absent is
/// asked for in pieces that fit the peer, cut where what lies together in memory ends: 64 KiB at
/// first, up to 1 MiB for a quick one, less for a slow one. A peer that takes all as fast as it
/// comes lets other tasks of the shard go first every 256 KiB.
///
/// Where the stream's zero_copy() is on, pieces of 64 KiB or more go out without a copy, as long as
/// the peer is quick: such a send pins its buffer until the peer has acknowledged it, and after one
/// that took longer than 20 ms zero_copy() is switched off. The buffers that such sends pin stay
/// below an eighth of the shard's memory (cache_statistics::sending_bytes); beyond that, sends
/// copy. It is off unless asked for, over loopback, too, where the kernel copies all the same.
///
/// Never a short body: if it fails after the first byte has gone out, be it of the head, the stream
/// is closed, so that the peer sees the connection end before what it was promised. If the stream
/// is still open, nothing has gone out and something else can be answered instead.
///
/// Throws leat::system_error: errc::out_of_range, before anything is sent, if the range does not
/// lie inside the file; what get_chunk throws, errc::file_changed and the source's errors among it;
/// errc::cancelled or errc::stopped when a stop is requested. Throws boost::system::system_error
/// with the stream's errors: timed_out by its deadline, broken_pipe or connection_reset when the
/// peer has gone. `stream`, `manager` and the head must outlive it; it keeps the file open itself.
///
///     co_await leat::send_range(peer, manager, file, 0, file.size(),
///                               {.head = boost::asio::buffer(header), .patience = 30s});
[[nodiscard]] inline task<> send_range(tcp_stream& stream,
                                       const chunk_manager& manager,
                                       file from,
                                       std::uint64_t offset,
                                       std::uint64_t length,
                                       send_range_options options = {}) {
    shard& home = stream.get_executor().home();
    if (shard::current() != &home) {
        detail::misuse(
            "send_range was awaited on a shard other than its stream's: co_await resume_on() that "
            "one first, or use spawn_on()");
    }
    detail::check_range(from, offset, length);
    const auto be_patient = [&stream, &options] {
        if (options.patience != time_span{}) stream.expires_after(options.patience);
    };
    detail::range_sender sending{stream, std::move(from), offset, length, options.head};
    const auto went = [&sending, &options](std::size_t count, std::size_t asked) {
        const std::uint64_t before = sending.at();
        sending.sent(count, asked);
        if (options.progress != nullptr) *options.progress += sending.at() - before;
    };
    while (!sending.done()) {
        if (sending.is_to_wait()) {
            be_patient();
            co_await stream.async_wait(tcp_stream::wait_write);
            sending.waited();
        }
        slice piece;
        std::uint64_t at_once = 0;
        if (sending.has_bytes()) {
            at_once = detail::at_once(manager, sending.from(), sending.at());
            piece = co_await manager.get_chunk(sending.next(at_once));
        }
        be_patient();  // the wait for a disk is not the peer's
        if (sending.goes_uncopied()) {
            const bool fragment = at_once <= detail::fragment_size;
            const detail::uncopied_send kept{fragment ? detail::fragment_size
                                                      : manager.chunk_size()};
            if (kept) {
                const io::time_point begun = home.now();
                const std::size_t asked = piece.size();
                went(co_await stream.async_write_some(piece.buffer()), asked);
                sending.acknowledged(home.now() - begun);
                continue;
            }
        }
        const auto buffers = sending.behind_head(piece.buffer());
        went(detail::count_of(stream.try_send(buffers)), boost::asio::buffer_size(buffers));
    }
}

}  // namespace leat
