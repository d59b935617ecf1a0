// A backend inside a loop that polls its descriptor.
#include "io_support.hpp"
#include "refusal.hpp"

#include <leat/engine/sleep.hpp>

#include <poll.h>

#include <thread>

BOOST_AUTO_TEST_SUITE(backend_wait_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

bool readable(int number, int milliseconds = 0) {
    pollfd waited{number, POLLIN, 0};
    return ::poll(&waited, 1, milliseconds) == 1;
}

/// Polls until the backend says that the descriptor may be waited for; how many runs that took.
int settle(backend& through) {
    int runs = 0;
    for (; !through.prepare_wait() && runs < 100; ++runs) {
        through.run(time_point::min());
    }
    return runs;
}

/// What a backend does with a program that waits by descriptor; a sentence about what is wrong.
std::string misbehaviour(backend& through) {
    const int number = through.wait_descriptor();
    static_cast<void>(settle(through));
    if (number < 0 || through.wait_descriptor() != number) {
        return "no descriptor";
    }
    pipe_pair pipe;
    counted op;
    for (int round = 0; round < 50; ++round) {
        if (settle(through) > 3 || readable(number)) {
            return "it is readable though nothing is there";
        }
        char byte = 'x';
        counted wait;
        wait.prepare_poll(pipe.reader, POLLIN);
        through.submit(wait);
        if (through.prepare_wait()) {
            return "what was submitted is forgotten";
        }
        if (settle(through) > 3 || readable(number)) {
            return "an operation that waits makes it readable";
        }
        if (::write(pipe.writer, &byte, 1) != 1 || !readable(number, 10'000)) {
            return "a completion does not make it readable";
        }
        if (through.prepare_wait()) {
            return "a completion that lies there is not seen";
        }
        while (wait.completions == 0) {
            through.run(time_point::min());
        }
        if (::read(pipe.reader, &byte, 1) != 1 || settle(through) > 3 || readable(number)) {
            return "it stays readable";
        }
        // Also a wake-up that comes while nobody waits.
        if (round % 2 == 0) {
            through.run(time_point::min());
        }
        std::thread([&] { through.wake(); }).join();
        if (!readable(number, 10'000)) {
            return "a wake-up does not make it readable";
        }
        if (round % 3 == 0 && through.prepare_wait()) {
            return "a wake-up is not seen";
        }
        // Withdrawn while it waits for its turn.
        op.prepare_poll(pipe.reader, POLLIN);
        through.submit(op);
        through.cancel(op);
        if (through.prepare_wait()) {
            return "a withdrawn operation is not seen";
        }
        while (op.completions != round + 1) {
            through.run(time_point::min());
        }
    }
    return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_program_waits_by_descriptor, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    BOOST_TEST(misbehaviour(*through) == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(wake_ups_of_other_threads_are_never_lost, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const int number = through->wait_descriptor();
    constexpr int rounds = 2000;
    std::atomic<int> asked{0};
    std::atomic<int> seen{0};
    std::thread waking([&] {
        for (int round = 1; round <= rounds; ++round) {
            asked = round;
            through->wake();
            while (seen < round) {
                std::this_thread::yield();
            }
        }
    });
    bool lost = false;
    while (seen < rounds) {
        through->run(time_point::min());
        // As a shard does: it makes ready to wait, looks at what others write, and then waits.
        lost = through->prepare_wait() && asked == seen && !readable(number, 10'000);
        seen = lost ? rounds : asked.load();
    }
    waking.join();
    BOOST_TEST(!lost);
}

BOOST_AUTO_TEST_CASE(on_each_rung_of_the_feature_ladder) {
    if (!make<uring_kind>()) {
        return;
    }
    for (const unsigned refused : {0U, 1U, 2U}) {
        std::string wrong;
        std::string mode;
        const auto decide = [refused](unsigned call) { return call < refused ? EINVAL : 0; };
        const bool supervised = with_decisions(SYS_io_uring_setup, decide, [&] {
            std::string note;
            const auto through = make_backend({backend_kind::uring}, note);
            wrong = misbehaviour(*through);
            mode = through->statistics().mode;
        });
        if (supervised) {
            BOOST_TEST(mode == (refused < 2 ? "COOP_TASKRUN" : "no flags"));
            BOOST_TEST(wrong == "");
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
