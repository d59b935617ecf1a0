// One simulated user of a socket, and what its operations may end with.
#include "conversation.hpp"

#include "allocations.hpp"
#include "verdict.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace leat::sim {

namespace {
namespace asio = boost::asio;

constexpr auto as_result = asio::as_tuple_t<use_task_t>(use_task);
// How much later than its deadline an operation may end: shards freeze, devices are late.
constexpr std::uint64_t patience_ns = 200'000'000;

std::chrono::nanoseconds span_of(std::uint64_t time_ns) {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(time_ns)};
}
}  // namespace

conversation::conversation(workload& in, chunk_manager* from, const file& of, const action& step)
    : in_(in), from_(from), file_(of), step_(step), whole_(has(27)), composed_(has(20)) {}

void conversation::prepare(const simulated_sockets::connection& line) {
    line_ = line;
    if (from_ == nullptr) return;
    line_->version = file_.version();
    line_->offset = step_.a % file_.size();
}

task<> conversation::call() {
    prepare(in_.invite_peer(!has_receiver(step_)));
    stream_.emplace(shard_executor::current());
    return see_to_its_end();
}

task<> conversation::answer(tcp_stream accepted) {
    prepare(in_.all.sockets.at(accepted.native_handle()));
    stream_.emplace(std::move(accepted));
    return see_to_its_end();
}

task<> conversation::see_to_its_end() {
    // Nothing may fail between the first spawn and join().
    if (line_->connected) {
        talk();
    } else {
        all_.spawn_made([this] { return connect(); });
    }
    if (has(21)) all_.spawn_made([this] { return disrupt(); });
    try {
        co_await all_.join();
    } catch (...) {
        check_counts();
        throw;
    }
    check_counts();
}

task<> conversation::connect() {
    const asio::ip::tcp::endpoint to{asio::ip::address_v4::loopback(),
                                     simulated_sockets::port_of(*line_)};
    move_deadline();
    const std::uint64_t begun = in_.all.now_ns();
    error_code code;
    try {
        co_await stream_->async_connect(to);
    } catch (const boost::system::system_error& failure) {
        code = failure.code();
    }
    judge(code, begun);
    if (!code && usable()) talk();
}

void conversation::talk() {
    stream_->zero_copy(has(22));
    if (from_ != nullptr) all_.spawn_made([this] { return send(); });
    if (has_receiver(step_)) all_.spawn_made([this] { return receive(); });
}

task<> conversation::send() {
    const std::uint64_t most = 1 + step_.b % 300'000;
    const std::uint64_t length = std::min(file_.size() - line_->offset, most);
    task<> sending = whole_ ? send_whole(length) : send_pieces(line_->offset + length);
    co_await std::move(sending);
    if (usable() && has(24)) shut(tcp_stream::shutdown_send);
}

task<> conversation::send_whole(std::uint64_t length) {
    move_deadline();
    const std::uint64_t begun = in_.all.now_ns();
    error_code code;
    try {
        task<> sending = send_range(*stream_, *from_, file_, line_->offset, length);
        co_await std::move(sending);
        sent_ = length;
    } catch (const system_error& failure) {
        cut_short();
        if (failure.where().doing == activity::get_chunk) throw;
        code = failure.code();
    } catch (const boost::system::system_error& failure) {
        cut_short();
        code = failure.code();
    } catch (const std::bad_alloc&) {
        cut_short();
        throw;
    }
    judge_code(code, begun);  // it may have waited for chunks, which no deadline ends
}

// A range has not been sent to its end.
void conversation::cut_short() {
    require(!usable() || line_->sent == 0, "a range was cut short, and the stream is still open");
    disrupted_ = disrupted_ || !usable();
    sent_ = line_->sent;
}

task<> conversation::send_pieces(std::uint64_t end) {
    std::uint64_t at = line_->offset;
    while (at < end && usable()) {
        const std::uint64_t chunk_end = (at / from_->chunk_size() + 1) * from_->chunk_size();
        const auto size = static_cast<std::uint32_t>(std::min({end, chunk_end, at + 100'000}) - at);
        const chunk_config wanted{file_.id(), at, size};
        const slice piece = co_await from_->get_chunk(wanted);
        asio::const_buffer rest = piece.buffer();
        while (rest.size() != 0 && usable()) {
            task<transferred> writing = write(rest);
            const transferred done = co_await std::move(writing);
            rest += done.count;
        }
        at += size;
    }
}

task<conversation::transferred> conversation::write(asio::const_buffer bytes) {
    move_deadline();
    const std::uint64_t begun = in_.all.now_ns();
    transferred done;
    try {
        if (composed_) {
            const auto all = co_await asio::async_write(*stream_, bytes, as_result);
            done = {std::get<0>(all), std::get<1>(all)};
        } else {
            done.count = co_await stream_->async_write_some(bytes);
        }
    } catch (const boost::system::system_error& failure) {
        done.code = failure.code();
    }
    require(done.code || done.count == bytes.size() || (!composed_ && done.count != 0),
            "a write ended too early");
    sent_ += done.count;
    judge(done.code, begun);
    co_return done;
}

task<> conversation::receive() {
    const std::size_t size = 1 + step_.a % 20'000;
    const auto memory = std::make_unique<std::byte[]>(size);
    while (usable()) {
        const std::uint64_t before = received_;
        task<transferred> reading = read({memory.get(), size});
        const transferred done = co_await std::move(reading);
        require(line_->made({memory.get(), done.count}, before),
                "other bytes are received than the peer sent");
        if (done.code == asio::error::eof) co_return;
    }
}

task<conversation::transferred> conversation::read(std::span<std::byte> memory) {
    move_deadline();
    const std::uint64_t begun = in_.all.now_ns();
    const std::size_t first = memory.size() / 3;
    const std::array<asio::mutable_buffer, 2> parts{
        asio::mutable_buffer{memory.data(), first},
        asio::mutable_buffer{memory.data() + first, memory.size() - first}};
    transferred done;
    try {
        if (composed_) {
            const auto all = co_await asio::async_read(*stream_, parts, as_result);
            done = {std::get<0>(all), std::get<1>(all)};
        } else {
            done.count = co_await stream_->async_read_some(parts);
        }
    } catch (const boost::system::system_error& failure) {
        done.code = failure.code();
    }
    require(done.code || done.count == memory.size() || (!composed_ && done.count != 0),
            "a read ended too early");
    received_ += done.count;
    judge(done.code, begun);
    co_return done;
}

// Some conversations have a deadline from the beginning, some one that moves on.
void conversation::move_deadline() {
    constexpr std::uint64_t most[] = {200'000, 3'000'000, 100'000'000};
    const bool moves = has(25);
    if (has(26) || (!moves && deadline_ != attempt::never)) return;
    expire_after(step_.b % most[step_.a % 3]);
}

void conversation::expire_after(std::uint64_t time_ns) {
    const std::uint64_t now = in_.all.now_ns();
    if (deadline_ <= now) replaced_ = now;
    deadline_ = now + time_ns;
    stream_->expires_after(span_of(time_ns));
}

void conversation::shut(tcp_stream::shutdown_type what) {
    error_code code;
    stream_->shutdown(what, code);
    require(!code || line_->was_reset || !line_->connected, "a stream cannot be shut down");
}

task<> conversation::disrupt() {
    co_await leat::sleep(span_of((step_.b >> 20) % 3'000'000));
    if (!usable()) co_return;
    in_.all.note("disrupt", (step_.a >> 20) % 6);
    switch ((step_.a >> 20) % 6) {
        case 0:
            stream_->cancel();
            break;
        case 1:
            shut(tcp_stream::shutdown_both);
            break;
        case 2:
            expire_after(0);
            break;
        case 3: {
            tcp_stream moved = std::move(*stream_);
            *stream_ = std::move(moved);
            co_return;
        }
        case 4:
            if (!composed_ && !whole_) {  // which would use it once more
                stream_.reset();
                break;
            }
            [[fallthrough]];
        default:
            stream_->close();
    }
    disrupted_ = true;
}

void conversation::judge(error_code code, std::uint64_t begun) {
    const std::uint64_t latest = std::max(deadline_, begun) + patience_ns;
    if (deadline_ != attempt::never && in_.all.now_ns() > latest)
        fail("an operation did not end by the deadline of its stream");
    judge_code(code, begun);
}

void conversation::judge_code(error_code code, std::uint64_t begun) {
    const allocations_succeed here;
    ++in_.all.progress;
    in_.all.note("transferred", line_->number, sent_ + received_,
                 static_cast<std::uint64_t>(code.value()));
    if (!code) return;
    if (!called_for(code, begun))
        fail("a socket's error that nothing called for: " + code.message());
    if (code == asio::error::eof) return;
    // A stream whose deadline is over may get another.
    if (code == asio::error::timed_out && line_->connected && usable() && renewals_ > 0) {
        --renewals_;
        expire_after(1'000'000);
        return;
    }
    failed_ = true;
    if (!dropped_ && (code == errc::cancelled || code == errc::stopped))
        throw system_error({code, {}});
}

bool conversation::called_for(error_code code, std::uint64_t begun) {
    const bool no_memory = failed_allocations() != 0;
    if (code == asio::error::eof) {
        return line_->was_reset || !line_->near_reads ||
               (line_->far_ended && line_->received == line_->written);
    }
    const bool stops = in_.owner.stopping() || all_.stop_token().stop_requested();
    if (code == asio::error::operation_aborted) return stops || disrupted_;
    if (code == errc::stopped) return in_.owner.stopping();
    if (code == errc::cancelled) {
        dropped_ = no_memory;
        return stops || no_memory;
    }
    if (code == asio::error::bad_descriptor) return disrupted_;
    const bool expired = deadline_ <= in_.all.now_ns() || (replaced_ != 0 && replaced_ >= begun);
    if (code == asio::error::timed_out && expired) return true;
    return in_.all.blamed(code.value(), line_->culprit(), begun) ||
           (code == asio::error::no_memory && no_memory);
}

void conversation::check_counts() const {
    if (dropped_ || failed_allocations() != 0) return;
    require(line_->sent == sent_, "the peer has got other bytes than the stream told");
    require(line_->received == received_, "the stream has got other bytes than it told");
}

}  // namespace leat::sim
