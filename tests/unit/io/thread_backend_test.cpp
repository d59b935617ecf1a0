// What only the backend of threads does.
#include "io_support.hpp"
#include "refusal.hpp"

#include <leat/io/file.hpp>

#include <sys/resource.h>

#include <fstream>

BOOST_AUTO_TEST_SUITE(thread_backend_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

std::unique_ptr<backend> make_threads(unsigned threads) {
    std::string note;
    return make_backend({backend_kind::thread, 4, 8, threads}, note);
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Whether a thread of this program waits in a system call.
bool some_thread_is_in(long call) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        long current = -1;
        std::ifstream(entry.path() / "syscall") >> current;
        if (current == call) {
            return true;
        }
    }
    return false;
}

// The error of a backend that cannot be made.
int refused() {
    try {
        static_cast<void>(make_threads(3));
    } catch (const boost::system::system_error& error) {
        return error.code().value();
    }
    return 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(behind_a_call_that_waits_others_can_be_cancelled) {
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 4096).c_str(), O_RDONLY | O_CLOEXEC));
    const std::string path = scratch / "fifo";
    BOOST_TEST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const auto through = make_threads(1);
    BOOST_TEST(through->statistics().mode == "1 thread and epoll");

    // The only thread waits for a writer, so the reads wait for the thread.
    counted open;
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC;
    open.prepare_open(AT_FDCWD, path.c_str(), how);
    through->submit(open);
    std::array<counted, 5> reads;
    std::array<std::byte, 4096> memory{};
    for (counted& op : reads) {
        op.prepare_read(in, memory, 0, -1);
        through->submit(op);
    }
    BOOST_TEST(through->run(time_point::min()) == 0U);
    BOOST_TEST(through->owed().find("5 reads of descriptor") != std::string::npos);
    for (const std::size_t i : {4U, 0U, 2U}) {
        through->cancel(reads[i]);
        through->cancel(reads[i]);
        BOOST_TEST(reads[i].completions == 0);
    }
    BOOST_TEST(through->run(time_point::max()) == 3U);
    BOOST_TEST(through->in_flight() == 3U);
    for (const std::size_t i : {0U, 2U, 4U}) {
        BOOST_TEST(reads[i].completions == 1);
        BOOST_TEST(reads[i].result == -ECANCELED);
    }
    // Sockets, polls and wake-ups are served meanwhile.
    const pipe_pair pipe;
    BOOST_TEST(::write(pipe.writer, "a", 1) == 1);
    counted poll;
    poll.prepare_poll(pipe.reader, POLLIN);
    BOOST_TEST(perform(*through, poll) == POLLIN);
    through->wake();
    BOOST_TEST(through->run(time_point::max()) == 0U);

    // The call that runs cannot be cancelled any more.
    BOOST_TEST(run_until(*through, [&] {
        through->wake();
        return some_thread_is_in(SYS_openat2);
    }));
    through->cancel(open);
    through->run(time_point::min());
    BOOST_TEST(open.completions == 0);
    const descriptor writer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    BOOST_TEST(finish(*through));
    BOOST_TEST(open.completions == 1);
    const descriptor opened(open.result);
    BOOST_TEST(opened >= 0);
    for (const counted& op : reads) {
        BOOST_TEST(op.completions == 1);
    }
    BOOST_TEST(reads[1].result == 4096);
    BOOST_TEST(reads[3].result == 4096);
    BOOST_TEST(patterned(memory.data(), 0, 4096));
}

// One of several that share a listening socket must not wait for a connection that another takes.
BOOST_AUTO_TEST_CASE(a_socket_that_is_shared_stays_non_blocking) {
    listener listening;
    const descriptor shared(::dup(listening.socket));
    const auto blocks = [&] { return (::fcntl(shared, F_GETFL) & O_NONBLOCK) == 0; };
    BOOST_TEST(blocks());
    const auto through = make_threads(1);
    counted accept;
    accept.prepare_accept(listening.socket, nullptr, nullptr);
    through->submit(accept);
    BOOST_TEST(through->run(time_point::min()) == 0U);
    BOOST_TEST(!blocks());
    through->cancel(accept);
    BOOST_TEST(finish(*through));
    BOOST_TEST(accept.result == -ECANCELED);
    BOOST_TEST(!blocks());
    const descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    counted connect;
    connect.prepare_connect(client, listening.generic(), &listening.length);
    BOOST_TEST(perform(*through, connect) == 0);
    accept.prepare_accept(listening.socket, nullptr, nullptr);
    const descriptor accepted(perform(*through, accept));
    BOOST_TEST(accepted >= 0);
    BOOST_TEST(!blocks());
}

BOOST_AUTO_TEST_CASE(without_precise_waits_deadlines_hold) {
    for (const int error : {ENOSYS, EPERM}) {
        bool held = true;
        bool woken = false;
        with_refusal(SYS_epoll_pwait2, error, [&] {
            const auto through = make_threads(1);
            for (const int microseconds : {0, 100, 1500, 20'000}) {
                const time_point deadline =
                    through->now() + std::chrono::microseconds(microseconds);
                held = held && through->run(deadline) == 0 && through->now() >= deadline;
            }
            std::thread other([&] { through->wake(); });
            woken = through->run(time_point::max()) == 0;
            other.join();
        });
        BOOST_TEST(held);
        BOOST_TEST(woken);
    }
}

BOOST_AUTO_TEST_CASE(where_openat2_is_unknown_only_roots_are_refused) {
    std::array<int, 2> results{};
    with_refusal(SYS_openat2, ENOSYS, [&] {
        const auto through = make_threads(1);
        for (const bool beneath : {false, true}) {
            counted op;
            op.prepare_open(AT_FDCWD, ".", file::how_to_open(beneath));
            through->submit(op);
            finish(*through);
            results[beneath ? 1 : 0] = op.result;
        }
    });
    BOOST_TEST(results[0] >= 0);
    ::close(results[0]);
    BOOST_TEST(results[1] == -ENOSYS);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_made_leaves_nothing) {
    const std::size_t before = open_descriptors();
    // The second thread of three is refused.
    int error = 0;
    const bool supervised = with_decisions(
        SYS_clone3, [](unsigned call) { return call == 1 ? EAGAIN : 0; },
        [&] { error = refused(); });
    BOOST_TEST((!supervised || error == EAGAIN));

    rlimit before_limit{};
    BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_limit) == 0);
    const int next = ::dup(0);
    ::close(next);
    for (const int room : {0, 1}) {
        rlimit limit = before_limit;
        limit.rlim_cur = static_cast<rlim_t>(next + room);
        BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
        error = refused();
        BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before_limit) == 0);
        BOOST_TEST(error == EMFILE);
    }
    BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_SUITE_END()
