// Tasks: lazy, awaited once, freed once.
#include "driver.hpp"

#include <leat/engine/task.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <utility>

BOOST_AUTO_TEST_SUITE(task_test)

using leat::current_stop_token;
using leat::task;
using leat::detail::frame_pool;
using leat::test::driver;

namespace {

driver drive(task<> job, bool& ended) {
    co_await std::move(job);
    ended = true;
}

void run(task<> job) {
    bool ended = false;
    drive(std::move(job), ended);
    BOOST_TEST_REQUIRE(ended);
}

task<> count(int& calls) {
    ++calls;
    co_return;
}

task<std::unique_ptr<int>> make(int value) {
    co_return std::make_unique<int>(value);
}

task<int> fail() {
    throw std::invalid_argument("no");
    co_return 1;
}

/// Suspends until a test resumes it.
struct gate {
    gate() = default;
    gate(const gate&) = delete;
    std::coroutine_handle<> waiting;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) noexcept { waiting = caller; }
    void await_resume() const noexcept {}
};

}  // namespace

BOOST_AUTO_TEST_CASE(it_starts_when_it_is_awaited_and_not_before) {
    const std::int64_t frames = frame_pool::live();
    int calls = 0;
    {
        task<> job = count(calls);
        BOOST_TEST(calls == 0);
        BOOST_TEST(frame_pool::live() == frames + 1);
        run(std::move(job));
        BOOST_TEST(calls == 1);
    }
    BOOST_TEST(frame_pool::live() == frames);
}

BOOST_AUTO_TEST_CASE(one_that_is_never_awaited_frees_its_frame_and_arguments) {
    const std::int64_t frames = frame_pool::live();
    const auto shared = std::make_shared<int>(1);
    auto holder = [](std::shared_ptr<int> kept) -> task<> {
        ++*kept;
        co_return;
    };
    {
        task<> one = holder(shared);
        task<> other = holder(shared);
        BOOST_TEST(shared.use_count() == 3);
        other = std::move(one);
        BOOST_TEST(shared.use_count() == 2);
        task<>& same = other;
        other = std::move(same);
        BOOST_TEST(shared.use_count() == 2);
        const task<> third = std::move(other);
        BOOST_TEST(shared.use_count() == 2);
    }
    BOOST_TEST(shared.use_count() == 1);
    BOOST_TEST(*shared == 1);
    BOOST_TEST(frame_pool::live() == frames);
}

BOOST_AUTO_TEST_CASE(values_and_exceptions_come_out_of_the_await) {
    int value = 0;
    bool thrown = false;
    auto job = [&]() -> task<> {
        const std::unique_ptr<int> made = co_await make(7);
        value = *made;
        try {
            value += co_await fail();
        } catch (const std::invalid_argument&) {
            thrown = true;
        }
    };
    run(job());
    BOOST_TEST(value == 7);
    BOOST_TEST(thrown);
}

BOOST_AUTO_TEST_CASE(a_suspended_task_goes_on_where_it_was_and_resumes_its_awaiter) {
    gate closed;
    int step = 0;
    auto inner = [&]() -> task<int> {
        step = 1;
        gate& first = closed;  // GCC 12 copies an awaiter that is awaited by its capture
        co_await first;
        step = 2;
        co_return 40;
    };
    auto outer = [&]() -> task<> {
        const int got = co_await inner();
        step = got + 2;
    };
    bool ended = false;
    drive(outer(), ended);
    BOOST_TEST(step == 1);
    BOOST_TEST(!ended);
    closed.waiting.resume();
    BOOST_TEST(step == 42);
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(the_stop_token_is_inherited_unless_a_task_has_its_own) {
    std::stop_source outer_source;
    std::stop_source inner_source;
    const std::stop_token outer_token = outer_source.get_token();
    const std::stop_token inner_token = inner_source.get_token();
    std::stop_token seen_below;
    std::stop_token seen_apart;
    std::stop_token seen_bare = outer_token;
    auto look = [](std::stop_token& seen) -> task<> { seen = co_await current_stop_token{}; };
    auto outer = [&]() -> task<> {
        co_await look(seen_below);
        task<> apart = look(seen_apart);
        apart.set_stop(inner_token);
        co_await std::move(apart);
    };
    task<> job = outer();
    job.set_stop(outer_token);
    run(std::move(job));
    BOOST_TEST((seen_below == outer_token));
    BOOST_TEST((seen_apart == inner_token));
    run(look(seen_bare));
    BOOST_TEST(!seen_bare.stop_possible());
}

BOOST_AUTO_TEST_SUITE_END()
