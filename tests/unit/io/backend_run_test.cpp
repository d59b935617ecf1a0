// Waiting, polling and waking, on every backend.
#include "io_support.hpp"

#include <leat/engine/sleep.hpp>
#include <leat/io/file.hpp>

#include <poll.h>
#include <sys/time.h>

#include <atomic>
#include <csignal>
#include <thread>

BOOST_AUTO_TEST_SUITE(backend_run_test)

using namespace leat::io;
using namespace leat::io::test;

BOOST_AUTO_TEST_CASE_TEMPLATE(wakes, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    // Before: several are as one.
    through->wake();
    through->wake();
    through->wake();
    BOOST_TEST(through->statistics().wakes == 1U);
    BOOST_TEST(through->run(time_point::max()) == 0U);

    // A poll leaves it for the next run that waits, also one that was at work in between.
    through->wake();
    through->run(time_point::min());
    through->run(time_point::min());
    BOOST_TEST(through->run(time_point::max()) == 0U);

    // During, many times; what was written before is seen after.
    int plain = 0;
    std::atomic<int> seen{0};
    std::thread other([&] {
        for (int i = 1; i <= 200; ++i) {
            plain = i;
            through->wake();
            while (seen.load(std::memory_order_acquire) < i) {
                std::this_thread::yield();
            }
        }
    });
    for (int i = 1; i <= 200; ++i) {
        through->run(time_point::max());
        if (plain == i) {
            seen.store(i, std::memory_order_release);
        } else {
            break;
        }
    }
    BOOST_TEST(seen.load() == 200);
    seen.store(1000);
    other.join();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(deadlines, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const pipe_pair pipe;
    counted op;
    op.prepare_poll(pipe.reader, POLLIN);
    through->submit(op);
    for (const auto wait : {std::chrono::microseconds(300), std::chrono::microseconds(20'000)}) {
        const time_point deadline = through->now() + wait;
        BOOST_TEST(through->run(deadline) == 0U);
        BOOST_TEST((through->now() >= deadline));
    }
    BOOST_TEST(through->run(through->now() - std::chrono::seconds(1)) == 0U);
    through->cancel(op);
    BOOST_TEST(finish(*through));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(idle_polling_makes_no_system_call, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    counted op;
    op.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
    ::close(perform(*through, op));
    through->run(time_point::min());
    const auto before = through->statistics().enters;
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST_REQUIRE(through->run(time_point::min()) == 0U);
    }
    BOOST_TEST(through->statistics().enters == before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_system_call_submits_many_and_waits, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const pipe_pair pipe;
    BOOST_TEST(::write(pipe.writer, "a", 1) == 1);
    std::array<counted, 32> operations;
    for (counted& op : operations) {
        op.prepare_poll(pipe.reader, POLLIN);
        through->submit(op);
    }
    const auto before = through->statistics().enters;
    std::size_t completed = through->run(time_point::max());
    BOOST_TEST(through->statistics().enters - before <= 1U);
    completed += through->run(time_point::min());
    BOOST_TEST(completed == operations.size());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(signals_do_not_show, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = [](int) {};
    ::sigaction(SIGALRM, &action, &before);
    const itimerval often{{0, 200}, {0, 200}};
    ::setitimer(ITIMER_REAL, &often, nullptr);
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 65536).c_str(), O_RDONLY | O_CLOEXEC));
    std::array<std::byte, 4096> memory{};
    int result = 4096;
    bool well = true;
    for (std::size_t i = 0; i < 2000 && result == 4096 && well; ++i) {
        counted op;
        op.prepare_read(in, memory, (i % 16) * 4096, -1);
        op.punt = true;
        result = perform(*through, op);
        well = patterned(memory.data(), (i % 16) * 4096, 4096);
    }
    const time_point deadline = through->now() + std::chrono::milliseconds(20);
    BOOST_TEST(through->run(deadline) == 0U);
    BOOST_TEST((through->now() >= deadline));
    const itimerval never{};
    ::setitimer(ITIMER_REAL, &never, nullptr);
    ::sigaction(SIGALRM, &before, nullptr);
    BOOST_TEST(result == 4096);
    BOOST_TEST(well);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(made_on_one_thread_run_on_another, Kind, kinds) {
    auto through = make<Kind>();
    if (!through) {
        return;
    }
    counted op;
    op.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
    through->submit(op);
    bool finished = false;
    std::thread runner([&] { finished = finish(*through); });
    runner.join();
    BOOST_TEST(finished);
    BOOST_TEST(op.result >= 0);
    ::close(op.result);
    through.reset();
}

BOOST_AUTO_TEST_SUITE_END()
