// Rings from several threads.
#include "waker.hpp"

#include "io_support.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <thread>

BOOST_AUTO_TEST_SUITE(waker_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

bool readable(const waker& waker) {
    pollfd waited{waker.descriptor(), POLLIN, 0};
    return ::poll(&waited, 1, 0) == 1;
}

bool drain(const waker& waker) {
    std::uint64_t value = 0;
    return ::read(waker.descriptor(), &value, sizeof value) == sizeof value;
}

}  // namespace

BOOST_AUTO_TEST_CASE(rings_before_an_answer_are_as_one) {
    waker waker(EFD_CLOEXEC | EFD_NONBLOCK);
    BOOST_TEST((::fcntl(waker.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
    BOOST_TEST(!readable(waker));
    for (int i = 0; i < 3; ++i) {
        errno = 77;
        BOOST_TEST(waker.wake());
        BOOST_TEST(errno == 77);
        BOOST_TEST(!waker.wake());
        BOOST_TEST(readable(waker));
        BOOST_TEST(drain(waker));
        BOOST_TEST(!waker.wake());  // not answered yet, and whoever answers sees what came before
        BOOST_TEST(!readable(waker));
        waker.reset();
    }
}

BOOST_AUTO_TEST_CASE(no_ring_of_several_threads_is_lost) {
    waker waker(EFD_CLOEXEC);
    constexpr int rings = 5000;
    std::atomic<int> written{0};
    std::atomic<int> calls{0};
    const auto ringer = [&] {
        for (int i = 0; i < rings; ++i) {
            written.fetch_add(1, std::memory_order_relaxed);
            calls += waker.wake() ? 1 : 0;
        }
    };
    std::thread first(ringer);
    std::thread second(ringer);
    int answers = 0;
    while (written.load(std::memory_order_relaxed) < 2 * rings) {
        if (!drain(waker)) {
            break;
        }
        waker.reset();
        ++answers;
    }
    first.join();
    second.join();
    // A last ring may have found the flag set before the last answer, or have been left unread.
    BOOST_TEST((calls == answers || (calls == answers + 1 && readable(waker))));
}

BOOST_AUTO_TEST_CASE(without_descriptors_it_throws) {
    BOOST_CHECK_THROW(waker(-1), boost::system::system_error);
}

BOOST_AUTO_TEST_SUITE_END()
