// Ten thousand connections that do nothing.
#include "asio_support.hpp"

#include <leat/engine/sleep.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_tcp_idle_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t idle_connections = 10'000;
constexpr rlim_t descriptors_needed = idle_connections + 100;

/// Raises the limit of descriptors if that is allowed; whether they suffice.
bool enough_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, descriptors_needed));
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur >= descriptors_needed;
}

/// The other side, a process of its own since both would exceed many a limit: connects when it is
/// told the port, and holds the connections until it is told to end.
class crowd {
public:
    crowd() {
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()) != 0) return;
        child_ = ::fork();
        if (child_ == 0) {
            ::close(ends_[0]);
            ::_exit(hold(ends_[1]));
        }
        ::close(ends_[1]);
    }
    crowd(const crowd&) = delete;
    crowd& operator=(const crowd&) = delete;
    ~crowd() { static_cast<void>(end()); }
    void connect_to(std::uint16_t port) const {
        static_cast<void>(!::write(ends_[0], &port, sizeof port));
    }
    /// Whether all went well there.
    [[nodiscard]] bool end() {
        if (child_ <= 0) return false;
        ::close(ends_[0]);
        int status = -1;
        ::waitpid(std::exchange(child_, -1), &status, 0);
        return status == 0;
    }

private:
    [[nodiscard]] static int hold(int parent) {
        std::uint16_t port = 0;
        if (::read(parent, &port, sizeof port) != sizeof port) return 1;
        const tcp::endpoint to = loopback(port);
        for (std::size_t i = 0; i < idle_connections; ++i) {
            const int one = ::socket(AF_INET, SOCK_STREAM, 0);
            if (::connect(one, to.data(), static_cast<socklen_t>(to.size())) != 0) return 2;
        }
        return ::read(parent, &port, 1) == 0 ? 0 : 3;
    }

    std::array<int, 2> ends_{};
    pid_t child_ = -1;
};

/// A connection on which a read waits for ever.
struct idle {
    explicit idle(tcp_stream stream_) : stream(std::move(stream_)) {}
    void wait() {
        stream.expires_after(1h);
        stream.async_read_some(asio::buffer(&byte, 1), end.handler());
    }
    tcp_stream stream;
    char byte = 0;
    told end;
};

task<std::string> hold_them_all(const crowd& clients) {
    tcp_acceptor acceptor(shard_executor::current(), loopback());
    clients.connect_to(acceptor.local_endpoint().port());
    std::deque<idle> all;
    while (all.size() < idle_connections) {
        all.emplace_back(co_await acceptor.async_accept()).wait();
    }
    // Among them a busy one is served as ever.
    connection busy;
    for (int i = 0; i < 1000; ++i) {
        char byte = 'a';
        co_await busy.near.async_write_some(asio::buffer(&byte, 1));
        co_await busy.far.async_read_some(asio::buffer(&byte, 1));
    }
    for (const idle& one : all) LEAT_EXPECT(one.end.calls == 0);
    // Half of them end by a cancel, the others with the engine.
    for (std::size_t i = 0; i < all.size(); i += 2) all[i].stream.close();
    for (std::size_t i = 0; i < all.size(); i += 2) {
        const bool ended = co_await until([&] { return all[i].end.calls == 1; });
        LEAT_EXPECT(ended && all[i].end.code == asio::error::operation_aborted);
    }
    this_shard().engine().stop();
    for (std::size_t i = 1; i < all.size(); i += 2) {
        while (all[i].end.calls == 0) co_await yield{};
        LEAT_EXPECT(all[i].end.calls == 1 && all[i].end.code == asio::error::operation_aborted);
    }
    co_return "";
}

}  // namespace

BOOST_DATA_TEST_CASE(ten_thousand_connections_idle, both_backends, kind) {
    if (!enough_descriptors()) {
        BOOST_TEST_MESSAGE("skipped: RLIMIT_NOFILE is below " << descriptors_needed);
        return;
    }
    crowd clients;
    auto job = [&](engine&) { return hold_them_all(clients); };
    BOOST_TEST(outcome_of(1, kind, job) == "");
    BOOST_TEST(clients.end());
}

BOOST_AUTO_TEST_SUITE_END()
