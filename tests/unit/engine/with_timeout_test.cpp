// Limits of time on anything that can be awaited.
#include "engine_support.hpp"

#include <leat/engine/resume_on.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

BOOST_AUTO_TEST_SUITE(with_timeout_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::both_backends;
using leat::test::code_of;
using leat::test::nap;
using leat::test::options_of;

namespace {

task<std::unique_ptr<int>> boxed(std::chrono::nanoseconds time) {
    co_await leat::sleep(time);
    co_return std::make_unique<int>(7);
}

/// Gives a value though it was asked to stop.
task<int> stubborn(bool& asked) {
    const auto code = co_await code_of(nap(1h));
    asked = code == errc::cancelled;
    co_return 5;
}

task<> fail() {
    co_await leat::yield{};
    throw std::logic_error("no");
}

}  // namespace

BOOST_DATA_TEST_CASE(it_fires_and_names_what_was_cancelled, both_backends, kind) {
    engine owner{options_of(1, kind)};
    try {
        owner.run(with_timeout(nap(1h), 2ms));
        BOOST_ERROR("it slept for an hour");
    } catch (const system_error& failure) {
        BOOST_TEST(failure.code() == errc::timed_out);
        BOOST_TEST((failure.where().doing == activity::sleep));
    }
    BOOST_TEST(owner.run(code_of(with_timeout(nap(1h), 0ns))) == errc::timed_out);
    BOOST_TEST(owner.run(code_of(with_timeout(nap(1h), -1h))) == errc::timed_out);
}

BOOST_AUTO_TEST_CASE(it_does_not_fire_when_the_job_ends_in_time) {
    engine owner{options_of(1)};
    const std::unique_ptr<int> got = owner.run(with_timeout(boxed(1ms), 1h));
    BOOST_TEST(*got == 7);
    BOOST_TEST(!owner.run(code_of(with_timeout(nap(0ms), std::chrono::nanoseconds::max()))));
    BOOST_TEST(!owner.run(code_of(with_timeout(nap(0ms), std::chrono::seconds::max()))));
    BOOST_TEST(!owner.run(code_of(with_timeout(nap(0ms), std::chrono::hours::max()))));
    const std::chrono::duration<double> for_ever{1e300};
    BOOST_TEST(!owner.run(code_of(with_timeout(nap(0ms), for_ever))));
}

BOOST_AUTO_TEST_CASE(a_late_value_is_passed_on) {
    engine owner{options_of(1)};
    bool asked = false;
    BOOST_TEST(owner.run(with_timeout(stubborn(asked), 1ms)) == 5);
    BOOST_TEST(asked);
}

BOOST_AUTO_TEST_CASE(errors_pass_through_as_they_are) {
    engine owner{options_of(1)};
    BOOST_CHECK_THROW(owner.run(with_timeout(fail(), 1h)), std::logic_error);
}

BOOST_AUTO_TEST_CASE(an_outer_stop_or_timeout_passes_through) {
    engine owner{options_of(1)};
    BOOST_TEST(owner.run(code_of(with_timeout(with_timeout(nap(1h), 1h), 1ms))) == errc::timed_out);
    BOOST_TEST(owner.run(code_of(with_timeout(with_timeout(nap(1h), 1ms), 1h))) == errc::timed_out);
    std::atomic<bool> begun{false};
    auto job = [](std::atomic<bool>& flag) -> task<> {
        flag = true;
        co_await with_timeout(nap(1h), 1h);
    };
    auto running = owner.spawn_on(0, code_of(job(begun)));
    while (!begun) std::this_thread::yield();
    owner.stop();
    BOOST_TEST(running.get() == errc::stopped);
}

BOOST_AUTO_TEST_CASE(a_job_that_moves_ends_where_it_began) {
    const test::leftovers before;
    {
        engine owner{options_of(3)};
        auto wander = [](std::chrono::nanoseconds time) -> task<> {
            co_await resume_on(2);
            co_await leat::sleep(time);
        };
        auto job = [&]() -> task<int> {
            int right = 0;
            for (int i = 0; i < 20; ++i) {
                const bool long_one = i % 2 == 0;
                task<> limited = with_timeout(wander(long_one ? 1h : 0h), long_one ? 1ms : 100s);
                const auto code = co_await code_of(std::move(limited));
                const bool expected = long_one ? code == errc::timed_out : !code;
                if (expected && this_shard().index() == 1) ++right;
            }
            co_return right;
        };
        BOOST_TEST(owner.spawn_on(1, job()).get() == 20);
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(any_awaitable_can_have_a_deadline) {
    engine owner{options_of(1)};
    auto job = []() -> task<int> {
        task<> slow = with_timeout(leat::sleep(1h), 1ms);
        const auto code = co_await code_of(std::move(slow));
        co_await with_timeout(leat::sleep(0ms), 1h);
        co_return code == errc::timed_out ? 1 : 0;
    };
    BOOST_TEST(owner.run(job()) == 1);
}

namespace {

/// Neither moved nor copied; gives a reference.
struct fixed_value {
    explicit fixed_value(int value_) : value(value_) {}
    fixed_value(const fixed_value&) = delete;
    fixed_value& operator=(const fixed_value&) = delete;
    [[nodiscard]] bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    [[nodiscard]] const int& await_resume() const noexcept { return value; }
    int value;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_join_can_have_a_deadline_and_what_is_named_or_awaited_by_an_operator) {
    engine owner{options_of(2)};
    auto job = [](engine& on) -> task<int> {
        int right = 0;
        scope jobs;
        for (int i = 0; i < 3; ++i) jobs.spawn(nap(1h));
        task<> late = with_timeout(jobs.join(), 1ms);
        const auto code = co_await code_of(std::move(late));
        right += code == errc::timed_out && jobs.running() == 0 ? 1 : 0;
        scope more;
        more.spawn(nap(0ms));
        co_await with_timeout(more.join(), 1h);
        fixed_value named{7};
        const int got = co_await with_timeout(named, 1h);
        right += got == 7 ? 1 : 0;
        const std::unique_ptr<int> far = co_await with_timeout(on.spawn_on(1, boxed(0ms)), 1h);
        right += *far == 7 ? 1 : 0;
        co_return right;
    };
    BOOST_TEST(owner.run(job(owner)) == 3);
}

BOOST_AUTO_TEST_SUITE_END()
