// What others await of an engine that gives up.
#include "engine_support.hpp"

#include <leat/engine/sleep.hpp>
#include <leat/engine/spawned.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(given_up_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::call;
using leat::test::code_of;
using leat::test::code_thrown_by;
using leat::test::options_of;

namespace {

/// Never resumes whoever awaits it.
struct never {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) const {
        kept.push_back(caller);  // leak checkers find the frames here
    }
    void await_resume() const noexcept {}
    inline static std::vector<std::coroutine_handle<>>& kept =
        *new std::vector<std::coroutine_handle<>>;
};

task<> hangs() {
    co_await never{};
}

engine_options hosted(unsigned shards, time_span stop_timeout = 0ms) {
    engine_options options = options_of(shards);
    options.hosted = true;
    options.stop_timeout = stop_timeout;
    return options;
}

/// An engine of one shard that this thread turns.
struct stepped {
    explicit stepped(time_span stop_timeout = 0ms) : owner(hosted(1, stop_timeout)) {
        owner.at(0).open();
    }
    void on(std::function<void()> function) {
        call item{std::move(function)};
        owner.at(0).schedule(item);
        owner.at(0).turn();
    }
    void settle() {
        for (int round = 0; round < 8; ++round) owner.at(0).turn();
    }
    boost::system::error_code end() {
        owner.stop();
        return owner.join().code;
    }
    engine owner;
};

task<> note_end(spawned<void> of, boost::system::error_code& code) {
    spawned<void> awaited = std::move(of);
    try {
        co_await std::move(awaited);
    } catch (const system_error& failure) {
        code = failure.code();
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_task_of_another_engine_is_resumed) {
    stepped mine{1h};
    boost::system::error_code code;
    {
        stepped other;
        mine.on([&] { mine.owner.spawn_on(0, note_end(other.owner.spawn_on(0, hangs()), code)); });
        mine.settle();
        other.settle();
        BOOST_TEST(other.end() == errc::timed_out);
        mine.settle();
        BOOST_TEST(code == errc::stopped);
        BOOST_TEST(mine.owner.roots() == 0);
    }
    BOOST_TEST(!mine.end());
}

BOOST_AUTO_TEST_CASE(a_handle_that_a_shard_of_the_engine_gave_away_is_ended_too) {
    stepped mine{1h};
    boost::system::error_code code;
    std::optional<spawned<void>> for_another;
    std::optional<spawned<void>> for_a_thread;
    {
        stepped other;
        other.on([&] {
            for_another.emplace(other.owner.spawn_on(0, hangs()));
            for_a_thread.emplace(other.owner.spawn_on(0, hangs()));
        });
        other.settle();
        mine.on([&] { mine.owner.spawn_on(0, note_end(std::move(*for_another), code)); });
        mine.settle();
        BOOST_TEST(other.end() == errc::timed_out);
    }
    mine.settle();
    BOOST_TEST(code == errc::stopped);
    BOOST_TEST(code_thrown_by([&] { for_a_thread->get(); }) == errc::stopped);
    BOOST_TEST(!mine.end());
}

BOOST_AUTO_TEST_CASE(who_comes_after_the_engine_has_given_up_does_not_wait) {
    stepped mine{1h};
    boost::system::error_code code;
    std::optional<spawned<void>> handle;
    {
        stepped other;
        handle.emplace(other.owner.spawn_on(0, hangs()));
        other.settle();
        BOOST_TEST(other.end() == errc::timed_out);
    }
    handle->request_stop();  // its shard has ended
    mine.on([&] { mine.owner.spawn_on(0, note_end(std::move(*handle), code)); });
    mine.settle();
    BOOST_TEST(code == errc::stopped);
    BOOST_TEST(!mine.end());
}

BOOST_AUTO_TEST_CASE(both_engines_may_give_up) {
    for (const bool mine_first : {false, true}) {
        auto mine = std::make_unique<stepped>();
        auto other = std::make_unique<stepped>();
        auto& kept = *new boost::system::error_code;  // the task stays behind
        mine->on(
            [&] { mine->owner.spawn_on(0, note_end(other->owner.spawn_on(0, hangs()), kept)); });
        mine->settle();
        other->settle();
        BOOST_TEST((mine_first ? mine : other)->end() == errc::timed_out);
        if (mine_first) mine.reset();
        if (!mine_first) {
            mine->settle();
            BOOST_TEST(kept == errc::stopped);
            BOOST_TEST(!mine->end());
        } else {
            BOOST_TEST(other->end() == errc::timed_out);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_coroutine_that_does_not_return_keeps_nobody_outside_waiting) {
    std::atomic<bool> blocked{false};
    std::atomic<bool> release{false};
    engine_options options = options_of(1);
    options.stop_timeout = 0ms;
    engine other{options};
    auto blocks = [&]() -> task<int> {
        blocked = true;
        while (!release) std::this_thread::yield();
        co_return 5;
    };
    spawned<int> late = other.spawn_on(0, blocks());
    while (!blocked) std::this_thread::yield();
    stepped mine{1h};
    boost::system::error_code code;
    auto awaits = [](spawned<int> of, boost::system::error_code& result) -> task<> {
        spawned<int> awaited = std::move(of);
        try {
            static_cast<void>(co_await std::move(awaited));
        } catch (const system_error& failure) {
            result = failure.code();
        }
    };
    mine.on([&] { mine.owner.spawn_on(0, awaits(std::move(late), code)); });
    mine.settle();
    other.stop();
    BOOST_TEST(other.join().code == errc::timed_out);
    mine.settle();
    BOOST_TEST(code == errc::stopped);
    release = true;
    BOOST_TEST(!mine.end());
}

BOOST_AUTO_TEST_CASE(a_thread_waits_no_longer_than_it_says) {
    engine owner{options_of(1)};
    std::atomic<bool> ended{false};
    auto sleeps = [&]() -> task<int> {
        const auto code = co_await code_of(test::nap(1h));
        ended = true;
        co_return code == errc::cancelled ? 5 : 0;
    };
    spawned<int> handle = owner.spawn_on(0, sleeps());
    BOOST_TEST(code_thrown_by([&] { static_cast<void>(handle.get(1ms)); }) == errc::timed_out);
    BOOST_TEST(handle.get() == 5);  // it was asked to stop
    BOOST_TEST(ended);

    std::stop_source source;
    spawned<int> other = owner.spawn_on(0, sleeps());
    std::thread stopper([&] { source.request_stop(); });
    BOOST_TEST(code_thrown_by([&] { static_cast<void>(other.get(source.get_token())); }) ==
               errc::cancelled);
    stopper.join();
    BOOST_TEST(other.get(std::chrono::hours::max()) == 5);

    spawned<int> stopped = owner.spawn_on(0, sleeps());
    BOOST_TEST(code_thrown_by([&] { static_cast<void>(stopped.get(source.get_token())); }) ==
               errc::cancelled);
}

BOOST_AUTO_TEST_SUITE_END()
