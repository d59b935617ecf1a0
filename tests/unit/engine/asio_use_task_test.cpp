// Asio's operations awaited in tasks.
#include "engine_support.hpp"

#include <leat/engine/asio/detail/deferred.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <filesystem>
#include <stop_token>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_use_task_test)

using namespace std::chrono_literals;
using namespace leat;
using namespace leat::test;
namespace asio = boost::asio;
using boost::system::error_code;

BOOST_AUTO_TEST_SUITE(asio_use_task)

namespace {

// Completes at once, from inside the initiating function, with what it is given.
template <class Signature, class Token, class... Values>
auto async_give(Token&& token, Values... values) {
    return asio::async_initiate<Token, Signature>(
        [](auto handler, auto... given) { std::move(handler)(std::move(given)...); }, token,
        std::move(values)...);
}

// Forgets its handler.
template <class Token>
auto async_drop(Token&& token) {
    return asio::async_initiate<Token, void(error_code, int)>([](auto&&) {}, token);
}

task<int> post_often(shard_executor executor, int times) {
    int count = 0;
    for (; count < times; ++count) {
        co_await asio::post(executor, asio::deferred);
        co_await asio::post(executor, use_task);
        co_await asio::dispatch(executor, use_task);
    }
    co_return count;
}

task<> check_values() {
    co_await async_give<void()>(use_task);
    const int one = co_await async_give<void(int)>(use_task, 1);
    const std::string two = co_await async_give<void(error_code, std::string)>(
        use_task, error_code{}, std::string(100, 'x'));
    const std::tuple<int, long> three = co_await async_give<void(int, long)>(use_task, 3, 4L);
    co_await async_give<void(std::exception_ptr)>(use_task, std::exception_ptr{});
    const auto four = co_await async_give<void(error_code, int)>(asio::as_tuple(use_task),
                                                                 error_code{asio::error::eof}, 4);
    const auto five =
        co_await async_give<void(error_code, int)>(asio::as_tuple(asio::deferred), error_code{}, 5);
    if (one != 1 || two.size() != 100 || std::get<1>(three) != 4 ||
        std::get<0>(four) != asio::error::eof || std::get<1>(five) != 5)
        throw std::runtime_error("wrong values");
}

task<> fail(error_code code) {
    co_await async_give<void(error_code, int)>(use_task, code, 1);
}

task<> rethrow() {
    co_await async_give<void(std::exception_ptr)>(
        use_task, std::make_exception_ptr(std::invalid_argument("thrown")));
}

task<> drop() {
    co_await async_drop(use_task);
}

task<> wait(std::chrono::nanoseconds time) {
    asio::steady_timer timer(shard_executor::current(), time);
    co_await timer.async_wait(use_task);
}

}  // namespace

BOOST_DATA_TEST_CASE(a_task_posts_itself_here_and_elsewhere, both_backends, kind) {
    const leftovers before;
    {
        engine owner{options_of(2, kind)};
        BOOST_TEST(owner.run(post_often(shard_executor(owner.at(0)), 1000)) == 1000);
        BOOST_TEST(owner.run(post_often(shard_executor(owner.at(1)), 100)) == 100);
        asio::io_context other;
        auto guard = asio::make_work_guard(other);
        std::thread runner([&] { other.run(); });
        auto job = [](asio::io_context& elsewhere) -> task<int> {
            int same = 0;
            for (int round = 0; round < 100; ++round) {
                co_await asio::post(elsewhere, use_task);
                if (this_shard().index() == 1) ++same;
            }
            co_return same;
        };
        BOOST_TEST(owner.spawn_on(1, job(other)).get() == 100);
        guard.reset();
        runner.join();
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(values_and_errors_come_out_of_co_await) {
    engine owner{options_of(1)};
    owner.run(check_values());
    BOOST_TEST(code_thrown_by([&] { owner.run(fail(asio::error::eof)); }) == asio::error::eof);
    BOOST_CHECK_THROW(owner.run(fail(make_error_code(errc::closed))), leat::system_error);
    BOOST_CHECK_THROW(owner.run(rethrow()), std::invalid_argument);
    BOOST_TEST(code_thrown_by([&] { owner.run(drop()); }) == errc::cancelled);
}

BOOST_DATA_TEST_CASE(timers_of_asio_wait_on_the_shard, both_backends, kind) {
    const leftovers before;
    {
        engine owner{options_of(1, kind)};
        owner.run(wait(2ms));
        BOOST_TEST(code_thrown_by([&] { owner.run(with_timeout(wait(10min), 2ms)); }) ==
                   errc::timed_out);
    }
    BOOST_TEST(before.none());
}

BOOST_DATA_TEST_CASE(a_stop_ends_what_tasks_and_coroutines_of_asio_wait_for, both_backends, kind) {
    const leftovers before;
    {
        engine owner{options_of(2, kind)};
        owner.start();
        auto waiting = owner.spawn_on(1, wait(10min));
        const auto alive = std::make_shared<int>();
        auto guest = [](std::shared_ptr<int> kept) -> asio::awaitable<void> {
            asio::steady_timer timer(co_await asio::this_coro::executor, 10min);
            co_await timer.async_wait(asio::use_awaitable);
            *kept = 1;
        };
        asio::co_spawn(shard_executor(owner.at(0)), guest(alive), asio::detached);
        owner.run(wait(1ms));
        owner.stop();
        BOOST_TEST(code_thrown_by([&] { waiting.get(); }) == errc::stopped);
        const stop_report report = owner.join();
        BOOST_TEST(report.code.message() == error_code{}.message());
        BOOST_TEST(report.owed == "");
        BOOST_TEST(alive.use_count() == 1);
    }
    BOOST_TEST(before.none());
}

namespace {

struct race {
    explicit race(std::size_t rounds) : sources(rounds) {}
    std::vector<std::stop_source> sources;
    std::atomic<std::size_t> begun{0};
    std::atomic<std::size_t> asked{0};
    std::size_t done = 0;
    std::size_t cancelled = 0;
};

task<> wait_once(race& of, std::size_t round) {
    task<> waiting = wait(round % 50 * 1us);
    const std::stop_token token = of.sources[round].get_token();
    waiting.set_stop(token);
    ++of.begun;
    try {
        co_await std::move(waiting);
        ++of.done;
    } catch (const leat::system_error& failure) {
        if (failure.code() != errc::cancelled) throw;
        ++of.cancelled;
    }
}

// A hundred waits at a time: on a loaded machine handing over takes longer than they.
task<> wait_often(race& of) {
    for (std::size_t round = 0; round < of.sources.size();) {
        while (of.asked < round) co_await yield{};
        scope all;
        for (const std::size_t end = round + 100; round < end; ++round)
            all.spawn(wait_once(of, round));
        co_await all.join();
    }
}

task<> stop_often(race& of) {
    for (std::size_t round = 0; round < of.sources.size(); ++round) {
        while (of.begun <= round) co_await yield{};
        of.sources[round].request_stop();
        ++of.asked;
    }
}

}  // namespace

BOOST_DATA_TEST_CASE(cancellation_races_with_completion, both_backends, kind) {
    const leftovers before;
    {
        engine owner{options_of(2, kind)};
        // Until both have won, as often as that takes.
        for (bool done = false, cancelled = false; !done || !cancelled;) {
            race both{1000};
            auto waiting = owner.spawn_on(0, wait_often(both));
            auto stopping = owner.spawn_on(1, stop_often(both));
            waiting.get();
            stopping.get();
            BOOST_TEST(both.done + both.cancelled == both.sources.size());
            done = done || both.done != 0;
            cancelled = cancelled || both.cancelled != 0;
        }
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(no_thread_is_made_and_a_parked_shard_does_not_turn) {
    const auto threads = [] {
        const std::filesystem::directory_iterator all{"/proc/self/task"};
        return std::distance(begin(all), end(all));
    };
    engine owner{options_of(1, io::backend_kind::uring)};
    owner.start();
    const auto before = threads();
    auto quiet = owner.spawn_on(0, wait(10min));
    auto use_channel = []() -> task<int> {
        asio::experimental::channel<void(error_code, int)> channel(shard_executor::current(), 1);
        co_await channel.async_send(error_code{}, 7, use_task);
        co_return co_await channel.async_receive(use_task);
    };
    BOOST_TEST(owner.run(use_channel()) == 7);
    BOOST_TEST(threads() == before);
    auto turns = []() -> task<std::uint64_t> { co_return this_shard().turn_number(); };
    auto parks = []() -> task<std::uint64_t> { co_return this_shard().statistics().parks; };
    const std::uint64_t parked = owner.run(parks());
    const std::uint64_t first = owner.run(turns());
    std::this_thread::sleep_for(200ms);
    const std::uint64_t more = owner.run(parks()) - parked;
    BOOST_TEST(more <= 4u);
    BOOST_TEST(owner.run(turns()) > first);
    owner.stop();
    BOOST_TEST(code_thrown_by([&] { quiet.get(); }) == errc::stopped);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_is_reported) {
    std::atomic<int> reports{0};
    engine_options options = options_of(1);
    options.on_event = [&](const event& one) {
        if (one.text.find("thrown") != std::string::npos) ++reports;
    };
    {
        engine owner{options};
        const shard_executor executor(owner.at(0));
        asio::post(executor, [] { throw std::runtime_error("a reason"); });
        owner.run(post_often(executor, 1));
        asio::steady_timer timer(executor, 1ms);
        timer.async_wait([](error_code) { throw std::runtime_error("a reason"); });
        owner.run(wait(5ms));
    }
    BOOST_TEST(reports == 2);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
