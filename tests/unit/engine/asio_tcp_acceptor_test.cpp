// Accepting: in order, ahead, within bounds.
#include "asio_support.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <deque>
#include <optional>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_tcp_acceptor_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;

namespace {

/// A descriptor connected to the port by a blocking call.
int connect_to(const tcp::endpoint& endpoint) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
        ::close(descriptor);
        return -1;
    }
    return descriptor;
}

}  // namespace

namespace {

/// What the handlers of several async_accept were told, in the order they were called.
struct accepted {
    std::vector<int> order;
    std::vector<error_code> codes;
    std::deque<tcp_stream> streams;

    auto handler(int number) {
        return [this, number](error_code code, tcp_stream stream) {
            order.push_back(number);
            codes.push_back(code);
            streams.push_back(std::move(stream));
        };
    }
};

}  // namespace

BOOST_DATA_TEST_CASE(several_accepts_get_connections_in_order, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        tcp_acceptor acceptor(shard_executor::current(), loopback());
        accepted got;
        for (int i = 0; i < 5; ++i) acceptor.async_accept(got.handler(i));
        co_await some_turns();
        LEAT_EXPECT(got.order.empty());
        std::vector<int> clients;
        for (int i = 0; i < 8; ++i) clients.push_back(connect_to(acceptor.local_endpoint()));
        LEAT_EXPECT(co_await until([&] { return got.order.size() == 5; }));
        for (int i = 5; i < 8; ++i) acceptor.async_accept(got.handler(i));
        LEAT_EXPECT(got.order.size() == 5);
        LEAT_EXPECT(co_await until([&] { return got.order.size() == 8; }));
        for (int i = 0; i < 8; ++i) {
            const auto at = static_cast<std::size_t>(i);
            LEAT_EXPECT(got.order[at] == i && !got.codes[at]);
            const char sent = static_cast<char>('a' + i);
            LEAT_EXPECT(::write(clients[at], &sent, 1) == 1);
            char received = 0;
            co_await got.streams[at].async_read_some(asio::buffer(&received, 1));
            LEAT_EXPECT(received == sent);
            ::close(clients[at]);
        }
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_AUTO_TEST_CASE(by_default_the_kernel_accepts_many_by_one_operation) {
    auto job = [](engine&) -> task<std::string> {
        tcp_acceptor acceptor(shard_executor::current(), loopback());
        for (int i = 0; i < 10; ++i) {
            const int client = connect_to(acceptor.local_endpoint());
            tcp_stream peer = co_await acceptor.async_accept();
            ::close(client);
        }
        const io::backend_statistics counts = this_shard().backend().statistics();
        const bool can = counts.mode.find("DEFER") != std::string::npos;
        LEAT_EXPECT(counts.multishots == (can ? 1 : 0));
        co_return "";
    };
    BOOST_TEST(outcome_of(1, io::backend_kind::uring, job) == "");
}

BOOST_DATA_TEST_CASE(accepting_ahead_has_a_bound, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        tcp_acceptor acceptor(shard_executor::current(), loopback());
        const std::size_t before = open_descriptors();
        std::vector<int> clients;
        constexpr std::size_t count = 3 * detail::accept_queue::ahead;
        clients.push_back(connect_to(acceptor.local_endpoint()));
        tcp_stream first = co_await acceptor.async_accept();
        while (clients.size() < count) {
            clients.push_back(connect_to(acceptor.local_endpoint()));
            co_await some_turns();
        }
        const std::size_t held = open_descriptors() - before - count;
        LEAT_EXPECT(held > detail::accept_queue::ahead && held < 2 * detail::accept_queue::ahead);
        for (std::size_t i = 1; i < count; ++i) {
            tcp_stream next = co_await acceptor.async_accept();
            LEAT_EXPECT(next.is_open());
        }
        told waits;
        acceptor.async_accept([&](error_code code, tcp_stream) { waits.handler()(code); });
        co_await leat::sleep(2ms);
        LEAT_EXPECT(waits.calls == 0);
        // Those that nobody has asked for are closed with it.
        for (std::size_t i = 0; i < 3; ++i) ::close(std::exchange(clients[i], -1));
        for (std::size_t i = 0; i < 3; ++i) {
            clients[i] = connect_to(acceptor.local_endpoint());
        }
        LEAT_EXPECT(co_await until([&] { return waits.calls == 1; }));
        LEAT_EXPECT(!waits.code);
        co_await leat::sleep(2ms);
        acceptor.close();
        first.close();
        for (const int client : clients) ::close(client);
        LEAT_EXPECT(co_await until([&] { return open_descriptors() == before - 1; }));
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(whatever_ends_an_accept_ends_it_once, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        for (const char* how : {"cancel", "close", "destroy", "release", "slot"}) {
            std::optional<tcp_acceptor> acceptor(std::in_place, shard_executor::current(),
                                                 loopback());
            accepted got;
            asio::cancellation_signal signal;
            acceptor->async_accept(asio::bind_cancellation_slot(signal.slot(), got.handler(0)));
            acceptor->async_accept(got.handler(1));
            co_await some_turns();
            const std::string way = how;
            int released = -1;
            if (way == "cancel") acceptor->cancel();
            if (way == "close") acceptor->close();
            if (way == "destroy") acceptor.reset();
            if (way == "release") released = acceptor->release();
            if (way == "slot") signal.emit(asio::cancellation_type::terminal);
            LEAT_EXPECT(got.order.empty());
            co_await some_turns(20);
            LEAT_EXPECT(got.order.size() == (way == "slot" ? 1 : 2));
            LEAT_EXPECT(got.order[0] == 0);
            LEAT_EXPECT(got.codes[0] == asio::error::operation_aborted);
            LEAT_EXPECT(!got.streams[0].is_open());
            if (released >= 0) acceptor->assign(tcp::v4(), released);
            if (way == "close" || way == "destroy") continue;
            // It accepts on.
            if (way != "slot") acceptor->async_accept(got.handler(1));
            const int client = connect_to(acceptor->local_endpoint());
            LEAT_EXPECT(co_await until([&] { return got.codes.back() == error_code(); }));
            LEAT_EXPECT(got.order.back() == 1);
            ::close(client);
        }
        tcp_acceptor closed(shard_executor::current());
        const auto result = co_await closed.async_accept(with_code);
        LEAT_EXPECT(std::get<0>(result) == asio::error::bad_descriptor);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(shards_share_a_port, both_backends, kind) {
    auto job = [](engine& owner) -> task<std::string> {
        tcp_acceptor first(shard_executor::current(), loopback(), true);
        const tcp::endpoint where = first.local_endpoint();
        error_code code;
        tcp_acceptor alone(shard_executor::current());
        LEAT_EXPECT(alone.listen(where, false, 5, code) == asio::error::address_in_use);
        LEAT_EXPECT(!alone.is_open());
        std::atomic<unsigned> listening{0};
        std::vector<std::atomic<int>> counts(owner.shards());
        std::vector<const shard*> homes(owner.shards());
        auto serve = [&](unsigned index) -> task<> {
            tcp_acceptor mine(shard_executor::current(), where, true);
            ++listening;
            for (;;) {
                const auto result = co_await mine.async_accept(with_code);
                if (std::get<0>(result)) co_return;
                homes[index] = &std::get<1>(result).get_executor().home();
                ++counts[index];
            }
        };
        first.close();
        auto connect = [&]() -> task<std::string> {
            while (listening < owner.shards()) co_await leat::sleep(1ms);
            for (int i = 0; i < 200; ++i) {
                const int client = connect_to(where);
                if (client < 0) co_return "no connection";
                ::close(client);
            }
            while (counts[0] + counts[1] < 200) co_await leat::sleep(1ms);
            owner.stop();
            co_return "";
        };
        auto connected = owner.spawn_on(0, connect());
        co_await owner.run_on_each(serve);
        const std::string failure = co_await std::move(connected);
        LEAT_EXPECT(failure.empty());
        for (unsigned i = 0; i < owner.shards(); ++i) {
            LEAT_EXPECT(counts[i] > 20);
            LEAT_EXPECT(homes[i] == &owner.at(i));
        }
        co_return "";
    };
    BOOST_TEST(outcome_of(2, kind, job) == "");
}

namespace {

/// With few descriptors: an accept is told so, and the next one works when there are some again.
task<std::string> run_out_of_descriptors() {
    tcp_acceptor acceptor(shard_executor::current(), loopback());
    const int first = connect_to(acceptor.local_endpoint());
    const int second = connect_to(acceptor.local_endpoint());
    rlimit old{};
    ::getrlimit(RLIMIT_NOFILE, &old);
    rlimit none = old;
    none.rlim_cur = static_cast<rlim_t>(second) + 1;
    std::vector<int> fill;
    do {
        fill.push_back(::dup(0));
    } while (fill.back() < second);
    if (::setrlimit(RLIMIT_NOFILE, &none) != 0) co_return "setrlimit";
    for (int i = 0; i < 3; ++i) {
        const auto failed = co_await acceptor.async_accept(with_code);
        LEAT_EXPECT(std::get<0>(failed) == asio::error::no_descriptors);
        LEAT_EXPECT(!std::get<1>(failed).is_open());
    }
    // Two wait: each is told, once.
    accepted got;
    acceptor.async_accept(got.handler(0));
    acceptor.async_accept(got.handler(1));
    LEAT_EXPECT(co_await until([&] { return got.order.size() == 2; }));
    LEAT_EXPECT(got.codes[0] == asio::error::no_descriptors);
    LEAT_EXPECT(got.codes[1] == asio::error::no_descriptors);
    tcp_stream client(shard_executor::current());
    const auto refused = co_await client.async_connect(acceptor.local_endpoint(), with_code);
    LEAT_EXPECT(std::get<0>(refused) == asio::error::no_descriptors);
    ::setrlimit(RLIMIT_NOFILE, &old);
    tcp_stream one = co_await acceptor.async_accept();
    tcp_stream two = co_await acceptor.async_accept();
    LEAT_EXPECT(one.is_open() && two.is_open());
    ::close(first);
    ::close(second);
    for (const int made : fill) ::close(made);
    co_return "";
}

}  // namespace

BOOST_DATA_TEST_CASE(more_connections_than_descriptors, both_backends, kind) {
    // In a child, whose limit it is. Nothing of the test library runs there.
    const pid_t child = ::fork();
    if (child == 0) {
        auto job = [](engine&) { return run_out_of_descriptors(); };
        const std::string failure = outcome_of(1, kind, job);
        if (!failure.empty()) static_cast<void>(!::write(2, failure.data(), failure.size()));
        ::_exit(failure.empty() ? 0 : 1);
    }
    int status = -1;
    BOOST_TEST(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
