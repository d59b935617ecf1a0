// How stop requests reach tasks on other shards, step by step: this thread turns the shards.
#include "engine_support.hpp"

#include <leat/engine/resume_on.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/spawned.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(spawned_stop_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::call;
using leat::test::code_of;
using leat::test::nap;
using leat::test::options_of;

namespace spawned_stop {

/// What became of a task that waits until it is asked to stop.
struct waiting_job {
    bool begun = false;
    bool ended = false;
    boost::system::error_code code;
    unsigned shard = 99;
};

task<int> wait_in(waiting_job& of) {
    of.begun = true;
    of.code = co_await code_of(nap(1h));
    of.ended = true;
    of.shard = this_shard().index();
    co_return 5;
}

/// Three shards that take turns when the test says so.
class stepped {
public:
    stepped() : owner(options()) {
        for (unsigned index = 0; index < 3; ++index) owner.at(index).open();
    }
    ~stepped() { BOOST_TEST(!end().code); }
    stepped(const stepped&) = delete;
    stepped& operator=(const stepped&) = delete;

    /// Runs `function` on a shard, in a turn.
    void on(unsigned index, std::function<void()> function) {
        call item{std::move(function)};
        owner.at(index).schedule(item);
        owner.at(index).turn();
    }
    void turn(unsigned index) { owner.at(index).turn(); }
    /// Until no message is on its way.
    void settle() {
        for (int round = 0; round < 8; ++round) {
            for (unsigned index = 0; index < 3; ++index) turn(index);
        }
    }
    stop_report end() {
        owner.stop();
        return owner.join();
    }

    std::vector<std::string> said;
    engine owner;

private:
    engine_options options() {
        engine_options made = options_of(3);
        made.hosted = true;
        made.on_event = [this](const event& one) { said.push_back(one.text); };
        return made;
    }
};

/// Awaits the job on `target` and notes what it gave.
task<> await_job(engine& on, unsigned target, waiting_job& of, int& got) {
    got = co_await on.spawn_on(target, wait_in(of));
}

/// A task on shard 0 that has a stop token of its own.
class caller {
public:
    caller(stepped& all, task<> job) {
        job.set_stop(token_);
        all.on(0, [&] { running_.emplace(all.owner.spawn_on(0, run(std::move(job)))); });
        all.turn(0);
    }
    void stop() { source_.request_stop(); }
    bool ended = false;

private:
    task<> run(task<> job) {
        task<> running = std::move(job);
        co_await std::move(running);
        ended = true;
    }
    std::stop_source source_;
    std::stop_token token_ = source_.get_token();
    std::optional<spawned<void>> running_;
};

constexpr auto both_places = {0U, 1U};

}  // namespace spawned_stop

using namespace spawned_stop;

BOOST_DATA_TEST_CASE(a_stop_of_the_awaiting_task_reaches_one_that_waits, both_places, target) {
    stepped all;
    waiting_job job;
    int got = 0;
    caller mine{all, await_job(all.owner, target, job, got)};
    all.settle();
    BOOST_TEST(job.begun);
    BOOST_TEST(!job.ended);
    mine.stop();
    all.settle();
    BOOST_TEST(job.code == errc::cancelled);
    BOOST_TEST(job.shard == target);
    BOOST_TEST(mine.ended);
    BOOST_TEST(got == 5);
}

BOOST_DATA_TEST_CASE(a_stop_reaches_a_task_that_has_not_begun, both_places, target) {
    stepped all;
    waiting_job job;
    int got = 0;
    std::stop_source source;
    task<> body = await_job(all.owner, target, job, got);
    const std::stop_token token = source.get_token();
    body.set_stop(token);
    // Behind the caller, which starts the job, and before the job.
    call stop{[&] {
        BOOST_TEST(!job.begun);
        BOOST_TEST(all.owner.roots() == 2);
        source.request_stop();
    }};
    all.on(0, [&] {
        all.owner.spawn_on(0, std::move(body));
        this_shard().schedule(stop);
    });
    all.settle();
    BOOST_TEST(job.begun);
    BOOST_TEST(job.code == errc::cancelled);
    BOOST_TEST(got == 5);
}

BOOST_DATA_TEST_CASE(a_stop_reaches_a_task_that_runs, both_places, target) {
    stepped all;
    std::stop_source source;
    const std::stop_token token = source.get_token();
    boost::system::error_code code;
    auto asks_itself = [&]() -> task<> {
        source.request_stop();  // on its way while this runs
        code = co_await code_of(nap(1h));
    };
    auto awaits = [&]() -> task<> { co_await all.owner.spawn_on(target, asks_itself()); };
    task<> body = awaits();
    body.set_stop(token);
    all.on(0, [&] { all.owner.spawn_on(0, std::move(body)); });
    all.settle();
    BOOST_TEST(code == errc::cancelled);
    BOOST_TEST(all.owner.roots() == 0);
}

BOOST_AUTO_TEST_CASE(a_task_that_ends_under_a_stop_request_waits_for_its_arrival) {
    stepped all;
    std::coroutine_handle<> waiting;
    struct parked {
        std::coroutine_handle<>& where;
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> coroutine) const noexcept { where = coroutine; }
        void await_resume() const noexcept {}
    };
    auto ends_when_told = [&]() -> task<int> {
        co_await parked{waiting};
        co_return 7;
    };
    std::optional<spawned<int>> handle;
    all.on(0, [&] { handle.emplace(all.owner.spawn_on(1, ends_when_told())); });
    all.turn(1);
    BOOST_TEST_REQUIRE(static_cast<bool>(waiting));
    call ask{[&] { handle->request_stop(); }};
    all.owner.at(0).schedule(ask);
    // The request lies in shard 0's mailbox, unflushed, when the task ends on shard 1.
    call end_there{[&] {
        waiting.resume();
        BOOST_TEST(all.owner.roots() == 1);
    }};
    call between{[&] { all.on(1, [&] { end_there.function(); }); }};
    all.owner.at(0).schedule(between);
    all.turn(0);
    BOOST_TEST(all.owner.roots() == 1);
    all.turn(1);
    BOOST_TEST(all.owner.roots() == 0);
    BOOST_TEST(handle->get(0s) == 7);
}

BOOST_AUTO_TEST_CASE(a_handle_that_has_moved_is_stopped_by_whoever_awaits_it) {
    stepped all;
    waiting_job job;
    std::stop_source first;
    std::stop_source second;
    std::optional<spawned<int>> handle;
    all.on(0, [&] { handle.emplace(all.owner.spawn_on(1, wait_in(job), first.get_token())); });
    all.settle();
    auto awaits = [&]() -> task<> { co_await std::move(*handle); };
    task<> body = awaits();
    const std::stop_token token = second.get_token();
    body.set_stop(token);
    all.on(2, [&] { all.owner.spawn_on(2, std::move(body)); });
    all.settle();
    BOOST_TEST(!job.ended);
    second.request_stop();
    all.settle();
    BOOST_TEST(job.code == errc::cancelled);
    BOOST_TEST(job.shard == 1u);
    first.request_stop();
    all.settle();
    BOOST_TEST(all.owner.roots() == 0);
}

BOOST_AUTO_TEST_CASE(a_held_handle_passes_its_token_on_unawaited) {
    stepped all;
    waiting_job jobs[2];
    std::stop_source source;
    std::vector<spawned<int>> handles;
    all.on(0, [&] {
        for (unsigned index = 0; index < 2; ++index) {
            handles.push_back(
                all.owner.spawn_on(index + 1, wait_in(jobs[index]), source.get_token()));
        }
    });
    all.settle();
    source.request_stop();
    all.settle();
    for (const waiting_job& job : jobs) BOOST_TEST(job.code == errc::cancelled);
}

BOOST_AUTO_TEST_CASE(a_dropped_handle_lets_only_the_engine_stop_the_task) {
    waiting_job job;
    std::stop_source source;
    {
        stepped all;
        all.on(0, [&] { all.owner.spawn_on(1, wait_in(job), source.get_token()); });
        all.settle();
        source.request_stop();
        all.settle();
        BOOST_TEST(job.begun);
        BOOST_TEST(!job.ended);
    }
    BOOST_TEST(job.code == errc::stopped);
}

BOOST_AUTO_TEST_CASE(a_handle_may_be_dropped_while_the_request_is_under_way) {
    stepped all;
    waiting_job job;
    std::stop_source source;
    std::optional<spawned<int>> handle;
    all.on(0, [&] { handle.emplace(all.owner.spawn_on(1, wait_in(job), source.get_token())); });
    all.settle();
    source.request_stop();
    handle.reset();
    all.settle();
    BOOST_TEST(job.code == errc::cancelled);
    BOOST_TEST(all.owner.roots() == 0);
}

BOOST_AUTO_TEST_CASE(a_request_and_the_stop_of_the_engine_may_meet) {
    for (const bool request_first : {false, true}) {
        waiting_job job;
        std::stop_source source;
        std::optional<spawned<int>> handle;
        {
            stepped all;
            all.on(0, [&] {
                handle.emplace(all.owner.spawn_on(1, wait_in(job), source.get_token()));
            });
            all.settle();
            if (request_first) source.request_stop();
            all.owner.stop();
            if (!request_first) source.request_stop();
        }
        BOOST_TEST(job.code == errc::stopped);
        BOOST_TEST(handle->get() == 5);
    }
}

BOOST_AUTO_TEST_CASE(a_task_that_has_moved_is_reached_where_it_is) {
    stepped all;
    boost::system::error_code code;
    auto moves = [&]() -> task<> {
        co_await resume_on(2);
        code = co_await code_of(nap(1h));
    };
    std::optional<spawned<void>> handle;
    all.on(0, [&] { handle.emplace(all.owner.spawn_on(1, moves())); });
    all.settle();
    all.on(0, [&] { handle->request_stop(); });
    all.settle();
    BOOST_TEST(code == errc::cancelled);
    BOOST_TEST(all.owner.roots() == 0);
}

BOOST_AUTO_TEST_CASE(a_scope_stops_what_its_jobs_await_elsewhere) {
    stepped all;
    waiting_job job;
    int got = 0;
    auto fails = [](bool& go) -> task<> {
        while (!go) co_await leat::yield{};
        throw system_error({errc::closed, {}});
    };
    bool go = false;
    boost::system::error_code code;
    auto both = [&]() -> task<> {
        scope jobs;
        jobs.spawn(await_job(all.owner, 1, job, got));
        jobs.spawn(fails(go));
        co_await jobs.join();
    };
    auto runs = [&]() -> task<> { code = co_await code_of(both()); };
    all.on(0, [&] { all.owner.spawn_on(0, runs()); });
    all.settle();
    BOOST_TEST(job.begun);
    go = true;
    all.settle();
    BOOST_TEST(job.code == errc::cancelled);
    BOOST_TEST(code == errc::closed);
}

BOOST_AUTO_TEST_CASE(run_on_each_passes_a_stop_on_to_every_shard) {
    stepped all;
    waiting_job jobs[3];
    // All at once: the first, which is awaited first, ends after the others.
    auto job_of = [&](unsigned index) -> task<> {
        co_await wait_in(jobs[index]);
        while (index == 0 && !(jobs[1].ended && jobs[2].ended)) co_await leat::yield{};
    };
    caller mine{all, all.owner.run_on_each(job_of)};
    all.settle();
    for (const waiting_job& one : jobs) BOOST_TEST(one.begun);
    mine.stop();
    all.settle();
    for (unsigned index = 0; index < 3; ++index) {
        BOOST_TEST(jobs[index].code == errc::cancelled);
        BOOST_TEST(jobs[index].shard == index);
    }
    BOOST_TEST(mine.ended);
}

BOOST_AUTO_TEST_CASE(an_error_whose_handle_is_dropped_after_the_end_is_told) {
    stepped all;
    auto fails = []() -> task<> {
        throw system_error({errc::closed, {.doing = activity::read}});
        co_return;
    };
    std::optional<spawned<void>> handle;
    const auto start = [&] {
        all.on(0, [&] { handle.emplace(all.owner.spawn_on(1, fails())); });
        all.settle();
    };
    start();
    BOOST_TEST(all.said.empty());
    handle.reset();
    BOOST_TEST_REQUIRE(all.said.size() == 1u);
    BOOST_TEST(all.said[0].find("read: the file is not open") != std::string::npos);
    start();
    all.on(2, [&] { handle.reset(); });
    BOOST_TEST(all.said.size() == 2u);
    start();
    handle = all.owner.spawn_on(1, fails());  // so does one that another takes the place of
    BOOST_TEST(all.said.size() == 3u);
    all.settle();
    BOOST_CHECK_THROW(handle->get(), system_error);  // what is taken is not told
    handle.reset();
    BOOST_TEST(all.said.size() == 3u);
}

BOOST_AUTO_TEST_CASE(what_ends_as_it_was_asked_to_is_no_news) {
    stepped all;
    std::optional<spawned<void>> handle;
    all.on(0, [&] { handle.emplace(all.owner.spawn_on(1, nap(1h))); });
    all.settle();
    handle->request_stop();
    all.settle();
    BOOST_TEST(all.owner.roots() == 0);
    handle.reset();
    BOOST_TEST(all.said.empty());
}

BOOST_AUTO_TEST_CASE(a_handle_may_outlive_its_engine) {
    std::optional<spawned<void>> failed;
    std::optional<spawned<int>> good;
    waiting_job job;
    {
        stepped all;
        auto fails = []() -> task<> {
            throw system_error({errc::closed, {}});
            co_return;
        };
        all.on(0, [&] {
            failed.emplace(all.owner.spawn_on(1, fails()));
            good.emplace(all.owner.spawn_on(2, wait_in(job)));
        });
        all.settle();
    }
    good->request_stop();
    BOOST_TEST(good->get() == 5);
    failed.reset();
}

BOOST_AUTO_TEST_SUITE_END()
