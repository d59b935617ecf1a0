// More connections than a ring has completions for.
#include "asio_support.hpp"

#include <leat/engine/file_io.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <fcntl.h>

#include <algorithm>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_tcp_crowd_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;

namespace {

/// An engine whose shard has a ring of 64 completions.
engine_options few_completions(io::backend_kind kind) {
    engine_options options = options_of(1, kind);
    options.backend.entries = 4;
    options.backend.completion_entries = 64;
    return options;
}

template <class Job>
std::string outcome_of_few(io::backend_kind kind, Job job) {
    const leftovers before;
    std::string failure;
    {
        engine owner{few_completions(kind)};
        try {
            failure = owner.run(job());
        } catch (const std::exception& escaped) {
            failure = escaped.what();
        }
        owner.stop();
        if (const stop_report report = owner.join(); report.code) failure += report.owed;
    }
    if (!before.none()) failure += "; something is left";
    return failure;
}

/// Answers each byte by the next one, until the peer has gone.
task<> serve(tcp_stream peer, int& ended) {
    char byte = 0;
    try {
        for (;;) {
            co_await peer.async_read_some(asio::buffer(&byte, 1));
            ++byte;
            co_await peer.async_write_some(asio::buffer(&byte, 1));
        }
    } catch (const boost::system::system_error&) {
    }
    ++ended;
}

task<> accept_all(tcp_acceptor& acceptor, scope& sessions, int& accepted, int& ended) {
    try {
        for (;;) {
            tcp_stream peer = co_await acceptor.async_accept();
            ++accepted;
            sessions.spawn(serve(std::move(peer), ended));
        }
    } catch (const boost::system::system_error&) {
    }
}

/// Clients that are no part of the engine.
struct clients {
    ~clients() {
        for (const int one : descriptors) ::close(one);
    }
    void connect(const tcp::endpoint& to) {
        descriptors.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::connect(descriptors.back(), to.data(), static_cast<socklen_t>(to.size())) != 0)
            throw std::runtime_error("no connection over loopback");
    }
    /// What has come for one: a byte, 0 at the end of the connection, or -1 if nothing has.
    [[nodiscard]] int received(std::size_t index) const {
        char byte = 0;
        const ssize_t got = ::recv(descriptors[index], &byte, 1, MSG_DONTWAIT);
        if (got < 0) return errno == EAGAIN ? -1 : 0;
        return got == 0 ? 0 : byte;
    }
    std::vector<int> descriptors;
};

}  // namespace

BOOST_DATA_TEST_CASE(every_connection_is_answered_or_closed_and_counted, both_backends, kind) {
    auto job = []() -> task<std::string> {
        constexpr std::size_t count = 60;
        tcp_acceptor acceptor(shard_executor::current(), loopback());
        scope sessions;
        int accepted = 0;
        int ended = 0;
        sessions.spawn(accept_all(acceptor, sessions, accepted, ended));
        clients all;
        for (std::size_t i = 0; i < count; ++i) all.connect(acceptor.local_endpoint());
        LEAT_EXPECT(co_await until([&] { return accepted == count; }));
        // Files are read beside them.
        const io::file file = co_await open_file("/etc/passwd", AT_FDCWD, false);
        LEAT_EXPECT(file.size() > 0);
        const std::uint64_t closed = this_shard().statistics().idle_connections_ended;
        LEAT_EXPECT(co_await until([&] { return ended == static_cast<int>(closed); }));
        for (const int one : all.descriptors) static_cast<void>(::send(one, "a", 1, MSG_NOSIGNAL));
        std::vector<int> got(count, -1);
        LEAT_EXPECT(co_await until([&] {
            bool complete = true;
            for (std::size_t i = 0; i < count; ++i) {
                if (got[i] < 0) got[i] = all.received(i);
                complete = complete && got[i] >= 0;
            }
            return complete;
        }));
        const auto answered = std::count(got.begin(), got.end(), 'b');
        const auto refused = std::count(got.begin(), got.end(), 0);
        LEAT_EXPECT(answered + refused == count);
        const shard_statistics counts = this_shard().statistics();
        LEAT_EXPECT(static_cast<std::uint64_t>(refused) == counts.idle_connections_ended);
        LEAT_EXPECT((refused > 0) == (counts.backend.name == "uring"));
        LEAT_EXPECT(counts.accept_waits >= counts.idle_connections_ended);
        LEAT_EXPECT(answered > 20);
        // The longest idle ones were closed.
        const auto first_kept = std::find(got.begin(), got.end(), 'b');
        LEAT_EXPECT(std::count(first_kept, got.end(), 0) == 0);
        acceptor.close();
        sessions.request_stop();
        co_await sessions.join();
        co_return "";
    };
    BOOST_TEST(outcome_of_few(kind, job) == "");
}

BOOST_AUTO_TEST_CASE(whoever_keeps_idle_connections_waits_for_an_end) {
    auto job = []() -> task<std::string> {
        tcp_acceptor acceptor(shard_executor::current(), loopback());
        acceptor.keep_idle(true);
        scope sessions;
        int accepted = 0;
        int ended = 0;
        sessions.spawn(accept_all(acceptor, sessions, accepted, ended));
        clients all;
        for (int i = 0; i < 60; ++i) all.connect(acceptor.local_endpoint());
        const auto limit = static_cast<int>(this_shard().backend().connection_limit());
        LEAT_EXPECT(limit < 60);
        LEAT_EXPECT(co_await until([&] { return accepted == limit; }));
        co_await leat::sleep(3 * detail::connection_room::idle_patience);
        LEAT_EXPECT(accepted == limit && ended == 0);
        // One that ends lets another in, and that one is served.
        ::close(std::exchange(all.descriptors[0], ::dup(0)));
        LEAT_EXPECT(co_await until([&] { return accepted == limit + 1; }));
        const auto last = static_cast<std::size_t>(limit);
        LEAT_EXPECT(::send(all.descriptors[last], "a", 1, MSG_NOSIGNAL) == 1);
        LEAT_EXPECT(co_await until([&] { return all.received(last) == 'b'; }));
        LEAT_EXPECT(this_shard().statistics().idle_connections_ended == 0);
        acceptor.close();
        sessions.request_stop();
        co_await sessions.join();
        co_return "";
    };
    BOOST_TEST(outcome_of_few(io::backend_kind::uring, job) == "");
}

BOOST_DATA_TEST_CASE(a_peer_that_floods_without_reading_delays_nobody, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        constexpr std::size_t count = 100;
        tcp_acceptor acceptor(shard_executor::current(), loopback());
        scope sessions;
        int accepted = 0;
        int ended = 0;
        sessions.spawn(accept_all(acceptor, sessions, accepted, ended));
        clients all;
        for (std::size_t i = 0; i <= count; ++i) all.connect(acceptor.local_endpoint());
        LEAT_EXPECT(co_await until([&] { return accepted == count + 1; }));
        // The last one's answers find no room any more, nor do its bytes.
        const int flooding = all.descriptors[count];
        const int small = 4096;
        ::setsockopt(flooding, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        const std::string block(1 << 16, 'f');
        const auto flood = [&] {
            while (::send(flooding, block.data(), block.size(), MSG_DONTWAIT) > 0) {
            }
        };
        for (int round = 0; round < 20; ++round) {
            flood();
            for (std::size_t i = 0; i < count; ++i) {
                const char sent = static_cast<char>('a' + round % 20);
                LEAT_EXPECT(::send(all.descriptors[i], &sent, 1, MSG_NOSIGNAL) == 1);
            }
            std::size_t answered = 0;
            std::vector<bool> has(count);
            LEAT_EXPECT(co_await until([&] {
                for (std::size_t i = 0; i < count; ++i) {
                    if (!has[i] && all.received(i) == 'a' + round % 20 + 1) {
                        has[i] = true;
                        ++answered;
                    }
                }
                return answered == count;
            }));
        }
        LEAT_EXPECT(ended == 0);
        acceptor.close();
        sessions.request_stop();
        co_await sessions.join();
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_AUTO_TEST_SUITE_END()
