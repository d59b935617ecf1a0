// Timers run in order, and not when removed.
#include <leat/engine/detail/timer.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <vector>

BOOST_AUTO_TEST_SUITE(timer_test)

using namespace std::chrono_literals;
using leat::detail::timer;
using leat::detail::timer_queue;
using leat::detail::work;
using leat::io::time_point;

namespace {

const time_point start{1h};

struct alarm_clock : timer {
    explicit alarm_clock(std::vector<int>& log_, int number_, time_point when)
        : timer(&ring), log(log_), number(number_) {
        deadline = when;
    }
    static void ring(work& item) noexcept {
        auto& self = static_cast<alarm_clock&>(item);
        self.log.push_back(self.number);
        if (self.then) self.then();
    }
    std::vector<int>& log;
    int number;
    std::function<void()> then;
};

}  // namespace

BOOST_AUTO_TEST_CASE(timers_run_in_the_order_of_their_deadlines_and_not_early) {
    timer_queue queue;
    std::vector<int> log;
    alarm_clock late{log, 3, start + 3ms};
    alarm_clock early{log, 1, start + 1ms};
    alarm_clock middle{log, 2, start + 2ms};
    BOOST_TEST(queue.empty());
    BOOST_TEST((queue.next() == time_point::max()));
    for (alarm_clock* one : {&late, &early, &middle}) queue.add(*one);
    BOOST_TEST((queue.next() == start + 1ms));
    BOOST_TEST(queue.expire(start) == 0u);
    BOOST_TEST(queue.expire(start + 2ms) == 2u);
    BOOST_TEST(log == (std::vector<int>{1, 2}));
    BOOST_TEST(!early.pending());
    BOOST_TEST(late.pending());
    BOOST_TEST(queue.expire(start + 1h) == 1u);
    BOOST_TEST(log == (std::vector<int>{1, 2, 3}));
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(equal_deadlines_run_in_the_order_they_were_added) {
    timer_queue queue;
    std::vector<int> log;
    std::vector<std::unique_ptr<alarm_clock>> clocks;
    for (int i = 0; i < 20; ++i) {
        clocks.push_back(std::make_unique<alarm_clock>(log, i, start));
        queue.add(*clocks.back());
    }
    BOOST_TEST(queue.expire(start) == 20u);
    for (int i = 0; i < 20; ++i) BOOST_TEST(log[static_cast<std::size_t>(i)] == i);
}

BOOST_AUTO_TEST_CASE(a_removed_timer_never_runs_even_if_its_time_has_come) {
    timer_queue queue;
    std::vector<int> log;
    alarm_clock first{log, 1, start};
    alarm_clock second{log, 2, start};
    queue.add(first);
    queue.add(second);
    first.then = [&] { queue.remove(second); };
    BOOST_TEST(queue.expire(start) == 1u);
    BOOST_TEST(log == (std::vector<int>{1}));
    queue.remove(second);  // no effect
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(a_timer_may_add_itself_again_from_its_run) {
    timer_queue queue;
    std::vector<int> log;
    alarm_clock ticking{log, 1, start};
    ticking.then = [&] {
        ticking.deadline += 1ms;
        queue.add(ticking);
    };
    queue.add(ticking);
    BOOST_TEST(queue.expire(start + 3ms) == 4u);
    BOOST_TEST((queue.next() == start + 4ms));
    queue.remove(ticking);
}

BOOST_AUTO_TEST_SUITE_END()
