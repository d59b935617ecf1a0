// Accepting many connections by one operation.
#include "accept.hpp"
#include "io_support.hpp"
#include "refusal.hpp"

#include <sys/resource.h>

#include <atomic>

BOOST_AUTO_TEST_SUITE(multishot_accept_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

/// A multishot accept, with the descriptors that it gave.
struct accepting : operation {
    accepting() { on_complete = &accepting::done; }

    static void done(operation& op) noexcept {
        auto& self = static_cast<accepting&>(op);
        if (!op.more) {
            ++self.completions;
            self.last = op.result;
            return;
        }
        if (op.result < 0 || self.completions != 0) {
            ++self.wrong;
            return;
        }
        self.accepted.emplace_back(op.result);
        if (self.accepted.size() == self.cancel_at) {
            self.through->cancel(op);
        }
    }
    void begin(backend& with, int listening) {
        through = &with;
        completions = 0;
        prepare_accept_multishot(listening);
        with.submit(*this);
    }

    backend* through = nullptr;
    std::vector<test::descriptor> accepted;
    std::size_t cancel_at = 0;
    int completions = 0;
    int wrong = 0;
    int last = 0;
};

/// Connections that wait for a listener, or are accepted.
std::vector<descriptor> connect(listener& to, int count) {
    std::vector<descriptor> made;
    for (int i = 0; i < count; ++i) {
        made.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        BOOST_TEST_REQUIRE(::connect(made.back(), to.generic(), to.length) == 0);
    }
    return made;
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Sizes of the ring: the smallest, one that has room for a multishot accept of the listener.
constexpr std::array<std::pair<unsigned, unsigned>, 2> sizes{{{4, 8}, {64, 512}}};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(it_accepts_until_it_is_cancelled, Kind, kinds) {
    for (const auto& [entries, completions] : sizes) {
        const auto through = make<Kind>(entries, completions);
        if (!through) {
            return;
        }
        const std::size_t before = open_descriptors();
        {
            listener listening;
            accepting accept;
            accept.begin(*through, listening.socket);
            std::vector<descriptor> clients = connect(listening, 1);
            BOOST_TEST(run_until(*through, [&] { return accept.accepted.size() == 1; }));
            BOOST_TEST((::fcntl(accept.accepted[0], F_GETFD) & FD_CLOEXEC) != 0);
            BOOST_TEST((::fcntl(accept.accepted[0], F_GETFL) & O_NONBLOCK) != 0);
            // More at once than a small ring has completions.
            for (int round = 0; round < 5; ++round) {
                std::vector<descriptor> more = connect(listening, 60);
                const std::size_t all = accept.accepted.size() + 60;
                BOOST_TEST(run_until(*through, [&] { return accept.accepted.size() == all; }));
                BOOST_TEST(through->in_flight() == 1U);
            }
            through->cancel(accept);
            BOOST_TEST(finish(*through));
            BOOST_TEST(accept.completions == 1);
            BOOST_TEST(accept.last == -ECANCELED);
            BOOST_TEST(accept.accepted.size() == 301U);
            BOOST_TEST(accept.wrong == 0);
            BOOST_TEST(through->statistics().overflows == 0U);
            const bool room = Kind::kind == backend_kind::uring && completions == 512 &&
                              through->statistics().mode.find("DEFER") != std::string::npos;
            BOOST_TEST(through->statistics().multishots == (room ? 1U : 0U));
        }
        BOOST_TEST(open_descriptors() == before);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(cancelled_at_any_time_it_loses_no_connection, Kind, kinds) {
    for (const auto& [entries, completions] : sizes) {
        const auto through = make<Kind>(entries, completions);
        if (!through) {
            return;
        }
        for (int round = 0; round < 60; ++round) {
            listener listening;
            std::vector<descriptor> clients = connect(listening, round % 30);
            accepting accept;
            // Before it runs, after so many results from inside, or after a run from outside.
            accept.cancel_at = round % 3 == 0 ? static_cast<std::size_t>(1 + round % 7) : 0;
            accept.begin(*through, listening.socket);
            if (round % 3 == 1) {
                through->run(time_point::min());
            }
            std::vector<descriptor> more = connect(listening, round % 5);
            if (round % 3 != 0) {
                through->cancel(accept);
            } else {
                more = connect(listening, 8);
            }
            BOOST_TEST_REQUIRE(finish(*through));
            BOOST_TEST(accept.completions == 1);
            BOOST_TEST(accept.last == -ECANCELED);
            BOOST_TEST(accept.wrong == 0);
            // What was not delivered still waits.
            accepting rest;
            const std::size_t left = clients.size() + more.size() +
                                     (round % 3 == 0 ? static_cast<std::size_t>(round % 5) : 0) -
                                     accept.accepted.size();
            rest.begin(*through, listening.socket);
            BOOST_TEST(run_until(*through, [&] { return rest.accepted.size() >= left; }));
            through->run(time_point::min());
            BOOST_TEST(rest.accepted.size() == left);
            through->cancel(rest);
            BOOST_TEST(finish(*through));
            BOOST_TEST(through->statistics().overflows == 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_the_process_lacks_is_told, Kind, kinds) {
    const auto through = make<Kind>(64, 512);
    if (!through) {
        return;
    }
    listener listening;
    accepting accept;
    std::vector<descriptor> clients = connect(listening, 3);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
    accept.begin(*through, listening.socket);
    const bool ended = finish(*through);
    ::setrlimit(RLIMIT_NOFILE, &before);
    BOOST_TEST(ended);
    BOOST_TEST(accept.completions == 1);
    BOOST_TEST(accept.last == -EMFILE);
    BOOST_TEST(accept.accepted.empty());
    // The connections have waited.
    accept.begin(*through, listening.socket);
    BOOST_TEST(run_until(*through, [&] { return accept.accepted.size() == 3; }));
    through->cancel(accept);
    BOOST_TEST(finish(*through));

    const pipe_pair pipe;
    accept.begin(*through, pipe.reader);
    BOOST_TEST(finish(*through));
    BOOST_TEST(accept.last == -ENOTSOCK);
    const descriptor silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    accept.begin(*through, silent);
    BOOST_TEST(finish(*through));
    BOOST_TEST(accept.last == -EINVAL);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(it_makes_room_for_others, Kind, kinds) {
    const auto through = make<Kind>(64, 512);
    if (!through) {
        return;
    }
    listener listening;
    accepting accept;
    accept.begin(*through, listening.socket);
    through->run(time_point::min());
    // More receives than the ring has credit, each of which waits.
    std::vector<socket_pair> pairs(300);
    std::vector<char> bytes(pairs.size());
    std::vector<one_buffer> buffers;
    std::vector<counted> receives(pairs.size());
    for (char& one : bytes) {
        buffers.emplace_back(&one, 1);
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        buffers[i].message.msg_iov = &buffers[i].vector;
        receives[i].prepare_receive(pairs[i].near, buffers[i].message, 0);
        through->submit(receives[i]);
    }
    // The first ones are received though the accept had reserved their room.
    constexpr std::size_t first = 200;
    for (std::size_t i = 0; i < first; ++i) {
        BOOST_TEST_REQUIRE(::write(pairs[i].far, "x", 1) == 1);
    }
    BOOST_TEST(run_until(*through, [&] { return receives[first - 1].completions == 1; }));
    std::vector<descriptor> clients = connect(listening, 20);
    BOOST_TEST(run_until(*through, [&] { return accept.accepted.size() == 20; }));
    for (std::size_t i = first; i < pairs.size(); ++i) {
        BOOST_TEST_REQUIRE(::write(pairs[i].far, "x", 1) == 1);
    }
    BOOST_TEST(run_until(*through, [&] { return through->in_flight() == 1; }));
    // With room again it takes it back.
    for (int i = 0; i < 3; ++i) {
        clients = connect(listening, 1);
        const std::size_t all = accept.accepted.size() + 1;
        BOOST_TEST(run_until(*through, [&] { return accept.accepted.size() == all; }));
    }
    if (through->statistics().mode.find("DEFER") != std::string::npos) {
        BOOST_TEST(through->statistics().multishots >= 2U);
    }
    through->cancel(accept);
    BOOST_TEST(finish(*through));
    BOOST_TEST(through->statistics().overflows == 0U);
    for (const counted& op : receives) {
        BOOST_TEST(op.completions == 1);
    }
}

BOOST_AUTO_TEST_CASE(which_errors_are_of_one_connection) {
    for (const int error : {ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH}) {
        BOOST_TEST(accept_goes_on(-error));
    }
    for (const int error :
         {EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL, ENOTSOCK, EOPNOTSUPP, EBADF, ECANCELED}) {
        BOOST_TEST(!accept_goes_on(-error));
    }
    BOOST_TEST(!accept_goes_on(0));
    BOOST_TEST(!accept_goes_on(7));
}

BOOST_AUTO_TEST_CASE(a_broken_connection_is_passed_over) {
    // Only thread_backend's accepts are system calls that a test can let fail.
    const auto through = make<thread_kind>();
    listener listening;
    std::vector<descriptor> clients = connect(listening, 2);
    accepting accept;
    std::size_t seen = 0;
    const bool supervised = with_decisions(
        SYS_accept4,
        [](unsigned call) { return call == 0   ? ECONNABORTED
                                   : call == 2 ? EPROTO
                                               : 0; },
        [&] {
            const auto mine = make<thread_kind>();
            accept.begin(*mine, listening.socket);
            const time_point limit = mine->now() + std::chrono::seconds(10);
            while (accept.accepted.size() < 2 && mine->now() < limit) {
                mine->run(limit);
            }
            seen = accept.accepted.size();
            mine->cancel(accept);
            while (mine->in_flight() != 0) {
                mine->run(limit);
            }
        });
    if (supervised) {
        BOOST_TEST(seen == 2U);
        BOOST_TEST(accept.completions == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
