// Peers that reset, streams that are closed, cancelled and destroyed.
#include "asio_support.hpp"

#include <leat/engine/sleep.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_tcp_fault_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;

BOOST_DATA_TEST_CASE(a_peer_resets_in_the_middle_of_a_send, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        for (int i = 0; i < 20; ++i) {
            connection both;
            const std::vector<char> block(16 << 20, 'x');
            told write;
            told read;
            std::array<char, 1 << 16> memory{};
            asio::async_write(both.near, asio::buffer(block), write.handler());
            both.near.async_read_some(asio::buffer(memory), read.handler());
            for (int part = 0; part < i; ++part) {
                co_await both.far.async_read_some(asio::buffer(memory));
            }
            reset_at_close(both.far);
            both.far.close();
            const bool ended = co_await until([&] { return write.calls > 0 && read.calls > 0; });
            LEAT_EXPECT(ended);
            LEAT_EXPECT(write.code == asio::error::connection_reset ||
                        write.code == asio::error::broken_pipe);
            LEAT_EXPECT(write.count < block.size());
            LEAT_EXPECT(read.code == asio::error::connection_reset ||
                        read.code == asio::error::eof);
            const auto again = co_await both.near.async_write_some(asio::buffer("x", 1), with_code);
            LEAT_EXPECT(std::get<0>(again) == asio::error::broken_pipe);
            LEAT_EXPECT(write.calls == 1 && read.calls == 1);
        }
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(cancel_races_with_completion, both_backends, kind) {
    constexpr int rounds = 10'000;
    std::atomic<int> far{-1};
    std::atomic<int> wanted{0};
    // Another thread sends a byte while the shard cancels the read that waits for it.
    std::thread sender([&] {
        for (int sent = 0; sent < rounds; ++sent) {
            while (wanted.load() == sent) std::this_thread::yield();
            if (wanted.load() < 0) return;
            const char byte = static_cast<char>(sent);
            if (::write(far, &byte, 1) != 1) return;
        }
    });
    auto job = [&](engine&) -> task<std::string> {
        connection both;
        tcp_stream& stream = both.near;
        far = both.far.native_handle();
        asio::cancellation_signal signal;
        int received = 0;
        int cancelled = 0;
        char byte = 0;
        told read;
        const auto account = [&] {
            if (read.code == asio::error::operation_aborted) return ++cancelled, true;
            return !read.code && read.count == 1 && byte == static_cast<char>(received++);
        };
        for (int round = 0; round < rounds; ++round) {
            read = {};
            stream.async_read_some(asio::buffer(&byte, 1),
                                   asio::bind_cancellation_slot(signal.slot(), read.handler()));
            wanted.store(round + 1);
            for (int turn = 0; turn < round % 4; ++turn) co_await leat::sleep(0ns);
            if (round % 2 == 0) signal.emit(asio::cancellation_type::terminal);
            if (round % 2 == 1) stream.cancel();
            for (int turn = 0; read.calls == 0 && turn < 10'000; ++turn) co_await leat::sleep(0ns);
            LEAT_EXPECT(read.calls == 1 && account());
        }
        // No byte is lost by a cancelled read.
        while (received < rounds) {
            read = {};
            stream.async_read_some(asio::buffer(&byte, 1), read.handler());
            const bool done = co_await until([&] { return read.calls == 1; });
            LEAT_EXPECT(done && account());
        }
        LEAT_EXPECT(cancelled > 0 && cancelled < rounds);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
    wanted = -1;
    sender.join();
}

BOOST_DATA_TEST_CASE(a_handler_destroys_its_own_stream, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        auto owned = std::make_unique<tcp_stream>(std::move(both.near));
        std::array<char, 4> memory{};
        told write;
        told read;
        co_await fill(*owned);
        owned->async_write_some(asio::buffer("x", 1), write.handler());
        owned->async_read_some(asio::buffer(memory), [&](error_code code, std::size_t count) {
            read.handler()(code, count);
            owned.reset();
        });
        co_await both.far.async_write_some(asio::buffer("abc", 3));
        const bool ended = co_await until([&] { return write.calls > 0; });
        LEAT_EXPECT(ended && write.code == asio::error::operation_aborted);
        LEAT_EXPECT(read.calls == 1 && read.count == 3);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

namespace {

/// Handlers made, called, and destroyed without having been called.
struct tally {
    std::atomic<int> made{0};
    std::atomic<int> called{0};
    std::atomic<int> dropped{0};
};

/// A handler that may be called once, and must be.
template <class Function>
class once {
public:
    once(tally& counts, Function function) : counts_(&counts), function_(std::move(function)) {
        ++counts.made;
    }
    once(once&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), function_(std::move(other.function_)) {}
    ~once() {
        if (counts_ != nullptr) ++counts_->dropped;
    }
    template <class... Arguments>
    void operator()(Arguments&&... arguments) {
        ++std::exchange(counts_, nullptr)->called;
        function_(std::forward<Arguments>(arguments)...);
    }

private:
    tally* counts_;
    Function function_;
};

/// A server that echoes and clients that talk to it, all by callbacks, until an error ends them.
class load {
public:
    load(shard_executor executor, tally& counts, std::atomic<int>& echoes)
        : executor_(executor), counts_(counts), echoes_(echoes), acceptor_(executor, loopback()) {}

    void accept() {
        acceptor_.async_accept(once(counts_, [this](error_code code, tcp_stream stream) {
            if (code) return;
            std::make_shared<peer>(std::move(stream), *this)->receive();
            accept();
        }));
    }
    void connect() {
        auto client = std::make_shared<peer>(tcp_stream(executor_), *this);
        client->stream.async_connect(acceptor_.local_endpoint(),
                                     once(counts_, [client](error_code code) {
                                         if (!code) client->send(1000);
                                         if (!code) client->receive();
                                     }));
    }
    /// Called by each echo.
    std::function<void()> at_echo = [] {};

private:
    struct peer : std::enable_shared_from_this<peer> {
        peer(tcp_stream stream_, load& owner_) : stream(std::move(stream_)), owner(owner_) {}
        void receive() {
            stream.expires_after(10s);
            stream.async_read_some(asio::buffer(in),
                                   once(owner.counts_, [self = shared_from_this()](
                                                           error_code code, std::size_t count) {
                                       if (!code) self->send(count);
                                   }));
        }
        void send(std::size_t count) {
            asio::async_write(
                stream, asio::buffer(out.data(), count),
                once(owner.counts_, [self = shared_from_this()](error_code code, std::size_t) {
                    if (code) return;
                    ++self->owner.echoes_;
                    self->owner.at_echo();
                    self->receive();
                }));
        }
        tcp_stream stream;
        load& owner;
        std::array<char, 1024> in{};
        std::array<char, 1024> out{};
    };

    shard_executor executor_;
    tally& counts_;
    std::atomic<int>& echoes_;
    tcp_acceptor acceptor_;
};

}  // namespace

BOOST_DATA_TEST_CASE(the_engine_stops_under_load, both_backends, kind) {
    for (const bool from_inside : {true, false}) {
        const leftovers before;
        tally counts;
        std::atomic<int> echoes{0};
        std::vector<std::unique_ptr<load>> loads(2);  // outlive the engine
        {
            engine owner{options_of(2, kind)};
            auto begin = [&](unsigned index) -> task<> {
                loads[index] = std::make_unique<load>(shard_executor::current(), counts, echoes);
                load& mine = *loads[index];
                if (from_inside) {
                    mine.at_echo = [&] {
                        if (echoes == 2000) owner.stop();
                    };
                }
                mine.accept();
                for (int i = 0; i < 20; ++i) mine.connect();
                co_return;
            };
            owner.run(owner.run_on_each(begin));
            if (!from_inside) {
                while (echoes < 2000) std::this_thread::yield();
                owner.stop();
            }
            const stop_report report = owner.join();
            BOOST_TEST(!report.code, report.owed);
        }
        loads.clear();
        BOOST_TEST(counts.made == counts.called);
        BOOST_TEST(counts.dropped == 0);
        BOOST_TEST(echoes >= 2000);
        BOOST_TEST(before.none());
    }
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_is_reported) {
    std::vector<std::string> events;
    engine_options options = options_of(1);
    options.on_event = [&](const event& told_) { events.push_back(told_.text); };
    engine owner{options};
    auto job = [](engine&) -> task<std::string> {
        connection both;
        int calls = 0;
        both.near.async_write_some(asio::buffer("x", 1), [&](error_code, std::size_t) {
            ++calls;
            throw std::runtime_error("thrown by a handler");
        });
        const bool ended = co_await until([&] { return calls == 1; });
        LEAT_EXPECT(ended);
        co_await both.far.async_write_some(asio::buffer("x", 1));
        co_return "";
    };
    BOOST_TEST(owner.run(job(owner)) == "");
    owner.stop();
    BOOST_TEST(!owner.join().code);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].find("thrown by a handler") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
