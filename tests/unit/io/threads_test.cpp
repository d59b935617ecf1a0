// CPUs, masks and pins of threads.
#include "threads.hpp"

#include <leat/io/detail/threads.hpp>

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(threads_test)

using leat::detail::cpus_told_by;
using leat::detail::mask_of;
using leat::detail::pin_thread;
using leat::detail::start_thread;
using leat::detail::usable_cpus;
using leat::test::cpus_of_this_thread;
using leat::test::thread_status;
using list = std::vector<unsigned>;

namespace {

// What the made-up kernel says.
list told;
std::size_t shortest_mask = 0;  // bytes
int failure = 0;

int made_up(pid_t thread, std::size_t bytes, cpu_set_t* mask) noexcept {
    if (thread != 0 || failure != 0 || bytes < shortest_mask) {
        errno = failure != 0 ? failure : EINVAL;
        return -1;
    }
    for (const unsigned cpu : told) CPU_SET_S(cpu, bytes, mask);
    return 0;
}

list told_by(list cpus, std::size_t bytes, int error = 0) {
    told = std::move(cpus);
    shortest_mask = bytes;
    failure = error;
    return cpus_told_by(&made_up);
}

std::string number_of_this_thread() {
    return std::to_string(::gettid());
}

}  // namespace

BOOST_AUTO_TEST_CASE(cpus_are_told_however_many_there_are) {
    BOOST_TEST(told_by({0, 1, 5, 1023}, 128) == (list{0, 1, 5, 1023}));
    BOOST_TEST(told_by({3, 1024, 5000, 8191}, 1024) == (list{3, 1024, 5000, 8191}));
    BOOST_TEST(told_by({65535}, 8192) == (list{65535}));
    BOOST_TEST(told_by({2}, 8193) == (list{0}));
    BOOST_TEST(told_by({2}, 1, EPERM) == (list{0}));
    BOOST_TEST(told_by({}, 1) == (list{0}));
}

BOOST_AUTO_TEST_CASE(a_mask_is_as_long_as_its_highest_cpu_needs) {
    for (const list& cpus : {list{0}, list{1, 1023}, list{1024}, list{7, 2048, 65535}}) {
        const std::vector<cpu_set_t> mask = mask_of(cpus);
        const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
        BOOST_TEST(mask.size() == cpus.back() / 1024 + 1);
        BOOST_TEST(CPU_COUNT_S(bytes, mask.data()) == static_cast<int>(cpus.size()));
        for (const unsigned cpu : cpus) BOOST_TEST(CPU_ISSET_S(cpu, bytes, mask.data()));
    }
    BOOST_TEST(mask_of({}).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_pinned_thread_knows_where_it_might_run_and_passes_that_on) {
    const list all = cpus_of_this_thread();
    BOOST_TEST(usable_cpus() == all);
    list usable;
    list pinned;
    list started;
    int missing = 0;
    std::thread([&] {
        missing = pin_thread(60'000);
        if (pin_thread(all.back()) != 0 || pin_thread(all.front()) != 0) return;
        usable = usable_cpus();
        pinned = cpus_of_this_thread();
        start_thread([&] { started = cpus_of_this_thread(); }).join();
    }).join();
    BOOST_TEST(missing == EINVAL);
    BOOST_TEST(usable == all);
    BOOST_TEST(pinned == (list{all.front()}));
    BOOST_TEST(started == all);
}

BOOST_AUTO_TEST_CASE(a_started_thread_takes_no_signals_but_those_of_its_own_faults) {
    const thread_status here{number_of_this_thread()};
    std::string told_there;
    start_thread([&] {
        const thread_status there{number_of_this_thread()};
        for (int signal = 1; signal < 32; ++signal) {
            const bool fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE ||
                               signal == SIGILL || signal == SIGTRAP || signal == SIGSYS;
            const bool never = signal == SIGKILL || signal == SIGSTOP;
            if (there.blocks(signal) == (fault || never))
                told_there += std::to_string(signal) + " ";
        }
    }).join();
    BOOST_TEST(told_there == "");
    BOOST_TEST(thread_status{number_of_this_thread()}.blocked == here.blocked);
}

BOOST_AUTO_TEST_SUITE_END()
