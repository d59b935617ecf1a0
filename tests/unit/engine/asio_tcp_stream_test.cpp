// Bytes both ways through a stream.
#include "asio_support.hpp"

#include <leat/engine/sleep.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <climits>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_tcp_stream_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;

BOOST_DATA_TEST_CASE(bytes_go_both_ways, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        std::string hello = "hello";
        std::size_t count = co_await both.near.async_write_some(asio::buffer(hello));
        LEAT_EXPECT(count == 5);
        std::array<char, 16> memory{};
        count = co_await both.far.async_read_some(asio::buffer(memory));
        LEAT_EXPECT(std::string(memory.data(), count) == hello);
        // A read waits for its bytes, while a write goes the other way.
        told read;
        both.near.async_read_some(asio::buffer(memory), read.handler());
        co_await some_turns();
        LEAT_EXPECT(read.calls == 0);
        count = co_await both.far.async_write_some(asio::buffer("ab", 2));
        LEAT_EXPECT(co_await until([&] { return read.calls == 1; }));
        LEAT_EXPECT(!read.code && read.count == 2);
        both.far.shutdown(tcp_stream::shutdown_send);
        const auto end = co_await both.near.async_read_some(asio::buffer(memory), with_code);
        LEAT_EXPECT(std::get<0>(end) == asio::error::eof && std::get<1>(end) == 0);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(buffers_of_all_numbers, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        for (const std::size_t parts : {1U, 2U, 3U, 17U, 1023U, 1024U, 1025U, 3000U}) {
            connection both;
            std::string text(parts, 'a');
            for (std::size_t i = 0; i < parts; ++i) text[i] = static_cast<char>('a' + i % 26);
            std::vector<asio::const_buffer> out;
            std::string received(parts, ' ');
            std::vector<asio::mutable_buffer> in;
            for (std::size_t i = 0; i < parts; ++i) {
                out.emplace_back(&text[i], 1);
                out.emplace_back();  // an empty one takes no room
                in.emplace_back();
                in.emplace_back(&received[i], 1);
            }
            const std::size_t expected = std::min<std::size_t>(parts, IOV_MAX);
            const std::size_t sent = co_await both.near.async_write_some(out);
            LEAT_EXPECT(sent == expected);
            const std::size_t got = co_await both.far.async_read_some(in);
            LEAT_EXPECT(got == expected);
            LEAT_EXPECT(received.substr(0, got) == text.substr(0, got));
            // Composed operations carry on where one ends.
            told all_sent;
            asio::async_write(both.near, out, all_sent.handler());
            co_await asio::async_read(both.far, in, use_task);
            LEAT_EXPECT(received == text);
            LEAT_EXPECT(co_await until([&] { return all_sent.calls == 1; }));
            LEAT_EXPECT(all_sent.count == parts);
        }
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(no_handler_runs_inside_its_function, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        std::array<char, 4> memory{};
        told empty_read;
        told empty_write;
        told closed_read;
        told closed_write;
        both.near.async_read_some(asio::mutable_buffer(), empty_read.handler());
        both.near.async_write_some(std::vector<asio::const_buffer>(), empty_write.handler());
        tcp_stream closed(shard_executor::current());
        closed.async_read_some(asio::buffer(memory), closed_read.handler());
        closed.async_write_some(asio::const_buffer(), closed_write.handler());
        for (const told* one : {&empty_read, &empty_write, &closed_read, &closed_write}) {
            LEAT_EXPECT(one->calls == 0);
        }
        co_await some_turns();
        for (const told* one : {&empty_read, &empty_write, &closed_read, &closed_write}) {
            LEAT_EXPECT(one->calls == 1 && one->count == 0);
        }
        LEAT_EXPECT(!empty_read.code && !empty_write.code);
        LEAT_EXPECT(closed_read.code == asio::error::bad_descriptor);
        LEAT_EXPECT(closed_write.code == asio::error::bad_descriptor);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(connecting, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        for (const asio::ip::address& address :
             {asio::ip::address(asio::ip::address_v4::loopback()),
              asio::ip::address(asio::ip::address_v6::loopback())}) {
            tcp_acceptor acceptor(shard_executor::current());
            error_code code;
            acceptor.listen({address, 0}, false, 5, code);
            if (code && address.is_v6()) continue;  // a machine without it
            LEAT_EXPECT(!code);
            tcp_stream client(shard_executor::current());
            co_await client.async_connect(acceptor.local_endpoint());
            tcp_stream server = co_await acceptor.async_accept();
            LEAT_EXPECT(client.remote_endpoint() == acceptor.local_endpoint());
            LEAT_EXPECT(client.local_endpoint() == server.remote_endpoint());
            // Nobody listens there any more.
            const tcp::endpoint nobody = acceptor.local_endpoint();
            acceptor.close();
            co_await some_turns();
            tcp_stream refused(shard_executor::current());
            const auto result = co_await refused.async_connect(nobody, with_code);
            LEAT_EXPECT(std::get<0>(result) == asio::error::connection_refused);
        }
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(sending_without_a_copy, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        LEAT_EXPECT(!both.near.zero_copy());
        both.near.zero_copy(true);
        for (const std::size_t size : {1U, 4096U, 3'000'000U}) {
            const std::string out(size, 'z');
            std::string in(size, ' ');
            told sent;
            const std::array<asio::const_buffer, 2> parts{asio::buffer(out.data(), size / 2),
                                                          asio::buffer(out) + size / 2};
            asio::async_write(both.near, parts, sent.handler());
            co_await asio::async_read(both.far, asio::buffer(in), use_task);
            LEAT_EXPECT(in == out);
            const bool done = co_await until([&] { return sent.calls == 1; });
            LEAT_EXPECT(done && !sent.code && sent.count == size);
        }
        // Cancelled, once, with its memory free again.
        co_await fill(both.near);
        told write;
        both.near.async_write_some(asio::buffer("x", 1), write.handler());
        co_await some_turns();
        both.near.cancel();
        const bool ended = co_await until([&] { return write.calls == 1; });
        LEAT_EXPECT(ended && write.code == asio::error::operation_aborted);
        const io::backend_statistics done = this_shard().backend().statistics();
        LEAT_EXPECT(done.zero_copy_sends + done.zero_copy_refused > 0);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_AUTO_TEST_CASE(options_and_descriptors) {
    auto job = [](engine&) -> task<std::string> {
        tcp_stream stream(shard_executor::current());
        error_code code;
        LEAT_EXPECT(!stream.is_open() && stream.native_handle() == -1);
        LEAT_EXPECT(stream.set_option(tcp::no_delay(true), code) == asio::error::bad_descriptor);
        LEAT_EXPECT(stream.local_endpoint(code) == tcp::endpoint() && code);
        LEAT_EXPECT(stream.shutdown(tcp_stream::shutdown_both, code) && stream.release() == -1);
        stream.open(tcp::v4());
        stream.set_option(tcp::no_delay(true));
        tcp::no_delay delay;
        stream.get_option(delay);
        LEAT_EXPECT(delay.value());
        stream.set_option(asio::socket_base::keep_alive(true));
        stream.bind(loopback());
        LEAT_EXPECT(stream.local_endpoint().port() != 0);
        LEAT_EXPECT(stream.remote_endpoint(code) == tcp::endpoint());
        LEAT_EXPECT(code == asio::error::not_connected);
        bool thrown = false;
        try {
            stream.shutdown(tcp_stream::shutdown_both);
        } catch (const boost::system::system_error& failure) {
            thrown = failure.code() == asio::error::not_connected;
        }
        LEAT_EXPECT(thrown);
        const int descriptor = stream.release();
        LEAT_EXPECT(!stream.is_open());
        tcp_stream other(shard_executor::current(), tcp::v4(), descriptor);
        LEAT_EXPECT(other.native_handle() == descriptor);
        tcp_stream moved = std::move(other);
        LEAT_EXPECT(moved.is_open() && !other.is_open());
        other = std::move(moved);
        LEAT_EXPECT(other.native_handle() == descriptor);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, io::backend_kind::automatic, job) == "");
}

BOOST_DATA_TEST_CASE(whatever_ends_a_read_ends_it_once, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        std::array<char, 4> memory{};
        for (const char* how : {"cancel", "close", "destroy", "release", "slot", "assign"}) {
            auto both = std::make_unique<connection>();
            auto ended = std::make_unique<tcp_stream>(std::move(both->near));
            told read;
            told write;
            asio::cancellation_signal signal;
            co_await fill(*ended);
            ended->async_read_some(asio::buffer(memory),
                                   asio::bind_cancellation_slot(signal.slot(), read.handler()));
            ended->async_write_some(asio::buffer("x", 1), write.handler());
            co_await some_turns();
            LEAT_EXPECT(read.calls == 0 && write.calls == 0);
            int released = -1;
            const std::string way = how;
            if (way == "cancel") ended->cancel();
            if (way == "close") ended->close();
            if (way == "destroy") ended.reset();
            if (way == "release") released = ended->release();
            if (way == "slot") signal.emit(asio::cancellation_type::total);
            if (way == "assign") *ended = std::move(both->far);
            LEAT_EXPECT(read.calls == 0);
            LEAT_EXPECT(co_await until([&] { return read.calls > 0; }));
            LEAT_EXPECT(read.code == asio::error::operation_aborted);
            if (way == "slot") {
                LEAT_EXPECT(write.calls == 0);  // it was not meant
                ended->cancel();
            }
            LEAT_EXPECT(co_await until([&] { return write.calls > 0; }));
            LEAT_EXPECT(write.code == asio::error::operation_aborted);
            co_await some_turns(20);
            LEAT_EXPECT(read.calls == 1 && write.calls == 1);
            LEAT_EXPECT((released >= 0) == (way == "release"));
            if (released >= 0) ::close(released);
            if (way == "cancel") {  // it goes on
                told again;
                ended->async_read_some(asio::buffer(memory), again.handler());
                co_await both->far.async_write_some(asio::buffer("y", 1));
                LEAT_EXPECT(co_await until([&] { return again.calls == 1; }));
                LEAT_EXPECT(!again.code && again.count == 1);
            }
        }
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(a_closed_connection_is_closed_for_its_peer, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        std::array<char, 4> memory{};
        told read;
        both.near.async_read_some(asio::buffer(memory), read.handler());
        co_await some_turns();
        both.near.close();
        // The descriptor goes with the operation that was in flight.
        const auto end = co_await both.far.async_read_some(asio::buffer(memory), with_code);
        LEAT_EXPECT(std::get<0>(end) == asio::error::eof);
        LEAT_EXPECT(read.calls == 1);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(deadlines, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        std::array<char, 4> memory{};
        // One that passes.
        both.near.expires_after(5ms);
        const io::time_point begin = this_shard().now();
        auto read = co_await both.near.async_read_some(asio::buffer(memory), with_code);
        LEAT_EXPECT(std::get<0>(read) == asio::error::timed_out);
        LEAT_EXPECT(this_shard().now() - begin >= 5ms);
        // What is started later ends at once, also what could succeed.
        auto write = co_await both.near.async_write_some(asio::buffer("x", 1), with_code);
        LEAT_EXPECT(std::get<0>(write) == asio::error::timed_out);
        // Another deadline, and all is well again.
        both.near.expires_after(1h);
        write = co_await both.near.async_write_some(asio::buffer("x", 1), with_code);
        LEAT_EXPECT(!std::get<0>(write));
        // For operations in flight too: brought forward, put off, lifted.
        told pending;
        both.near.async_read_some(asio::buffer(memory), pending.handler());
        both.near.expires_after(1ms);
        both.near.expires_after(10ms);
        LEAT_EXPECT(co_await until([&] { return pending.calls == 1; }));
        LEAT_EXPECT(pending.code == asio::error::timed_out);
        both.near.expires_after(1ms);
        both.near.expires_never();
        both.near.async_read_some(asio::buffer(memory), pending.handler());
        co_await leat::sleep(10ms);
        LEAT_EXPECT(pending.calls == 1);
        both.near.expires_at(this_shard().now());
        LEAT_EXPECT(co_await until([&] { return pending.calls == 2; }));
        LEAT_EXPECT(pending.code == asio::error::timed_out);
        // Set while not open, it holds for what is opened; a cancel is no timeout.
        both.far.close();
        both.far.expires_after(1h);
        both.far.assign(tcp::v4(), both.near.release());
        both.far.async_read_some(asio::buffer(memory), pending.handler());
        both.far.cancel();
        LEAT_EXPECT(co_await until([&] { return pending.calls == 3; }));
        LEAT_EXPECT(pending.code == asio::error::operation_aborted);
        // Closed with an alarm set.
        both.far.expires_after(2ms);
        both.far.close();
        co_await leat::sleep(4ms);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

namespace {

/// Counts its allocations.
template <class T>
struct counting_allocator {
    using value_type = T;
    explicit counting_allocator(int* live_, int* made_) : live(live_), made(made_) {}
    template <class U>
    counting_allocator(const counting_allocator<U>& other) : live(other.live), made(other.made) {}
    T* allocate(std::size_t count) {
        ++*live;
        ++*made;
        return std::allocator<T>().allocate(count);
    }
    void deallocate(T* memory, std::size_t count) {
        --*live;
        std::allocator<T>().deallocate(memory, count);
    }
    template <class U>
    bool operator==(const counting_allocator<U>& other) const {
        return live == other.live;
    }
    int* live;
    int* made;
};

}  // namespace

BOOST_AUTO_TEST_CASE(memory_is_the_handlers_and_free_when_it_is_called) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        int live = 0;
        int made = 0;
        int live_in_handler = -1;
        std::array<char, 4> memory{};
        both.near.async_read_some(
            std::array{asio::buffer(memory, 1), asio::buffer(memory.data() + 1, 3)},
            asio::bind_allocator(counting_allocator<char>(&live, &made),
                                 [&](error_code, std::size_t) { live_in_handler = live; }));
        LEAT_EXPECT(live == 1 && made == 1);
        both.near.cancel();
        LEAT_EXPECT(co_await until([&] { return live_in_handler >= 0; }));
        LEAT_EXPECT(live_in_handler == 0 && made == 1);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, io::backend_kind::automatic, job) == "");
}

BOOST_DATA_TEST_CASE(a_handler_runs_where_its_executor_says, both_backends, kind) {
    // The io_context has nothing else to do: the operation keeps it at work until the handler ran.
    asio::io_context elsewhere;
    std::atomic<bool> started{false};
    std::thread::id ran_on;
    std::thread::id ran_on_other_shard;
    const shard* other_shard = nullptr;
    std::thread server([&] {
        while (!started) std::this_thread::yield();
        elsewhere.run();
    });
    const std::thread::id expected = server.get_id();
    auto job = [&](engine& owner) -> task<std::string> {
        connection both;
        std::array<char, 4> memory{};
        std::atomic<int> calls{0};
        both.near.async_read_some(
            asio::buffer(memory),
            asio::bind_executor(elsewhere.get_executor(), [&](error_code, std::size_t) {
                ran_on = std::this_thread::get_id();
                ++calls;
            }));
        started = true;
        co_await leat::sleep(2ms);
        co_await both.far.async_write_some(asio::buffer("x", 1));
        LEAT_EXPECT(co_await until([&] { return calls == 1; }));
        both.near.async_read_some(
            asio::buffer(memory),
            asio::bind_executor(shard_executor(owner.at(1)), [&](error_code, std::size_t) {
                other_shard = shard::current();
                ++calls;
            }));
        co_await both.far.async_write_some(asio::buffer("x", 1));
        LEAT_EXPECT(co_await until([&] { return calls == 2; }));
        LEAT_EXPECT(other_shard == &owner.at(1));
        co_return "";
    };
    BOOST_TEST(outcome_of(2, kind, job) == "");
    started = true;
    server.join();
    BOOST_TEST((ran_on == expected));
}

BOOST_DATA_TEST_CASE(the_engines_stop_ends_operations_also_later_ones, both_backends, kind) {
    const leftovers before;
    std::unique_ptr<connection> both;
    std::array<char, 4> memory{};
    told idle;
    told late;
    {
        engine owner{options_of(1, kind)};
        auto job = [&](engine& stopped) -> task<> {
            both = std::make_unique<connection>();
            both->near.expires_after(1h);
            both->near.async_read_some(
                asio::buffer(memory), [&](error_code code, std::size_t count) {
                    idle.handler()(code, count);
                    both->near.async_write_some(asio::buffer("x", 1), late.handler());
                });
            co_await leat::sleep(1ms);
            stopped.stop();
        };
        owner.run(job(owner));
        const stop_report report = owner.join();
        BOOST_TEST(!report.code, report.owed);
        BOOST_TEST(idle.calls == 1);
        BOOST_TEST((idle.code == asio::error::operation_aborted));
        BOOST_TEST(late.calls == 1);
        BOOST_TEST((late.code == asio::error::operation_aborted));
    }
    both.reset();  // outlived the engine
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_SUITE_END()
