// The first of several tasks.
#include "engine_support.hpp"

#include <leat/engine/sleep.hpp>
#include <leat/engine/when_any.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <string>

BOOST_AUTO_TEST_SUITE(when_any_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::nap;
using leat::test::options_of;

namespace {

task<std::unique_ptr<int>> boxed(int value, std::chrono::nanoseconds time) {
    co_await leat::sleep(time);
    co_return std::make_unique<int>(value);
}

/// Tells how it was ended, late.
task<> stubborn(std::string& ended) {
    const auto code = co_await code_of(nap(1h));
    for (int i = 0; i < 5; ++i) co_await leat::yield{};
    ended += code == errc::cancelled ? "cancelled " : "? ";
    throw std::logic_error("dropped");
}

task<> fail() {
    co_await leat::yield{};
    throw std::logic_error("first");
}

task<> any_of_naps() {
    std::vector<task<>> jobs;
    jobs.push_back(nap(1h));
    jobs.push_back(nap(1h));
    co_await when_any(std::move(jobs));
}

}  // namespace

BOOST_AUTO_TEST_CASE(
    the_first_gives_its_index_and_value_and_the_others_are_stopped_and_waited_for) {
    const test::leftovers before;
    {
        engine owner{options_of(1)};
        auto job = []() -> task<std::string> {
            std::string out;
            auto first = co_await when_any(boxed(1, 1h), boxed(7, 1ms), stubborn(out));
            out += std::to_string(first.index) + ' ' + std::to_string(*std::get<1>(first.value));
            co_return out;
        };
        BOOST_TEST(owner.run(job()) == "cancelled 1 7");
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(a_time_limit_may_be_the_first) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::size_t> {
        auto first = co_await when_any(boxed(1, 1h), nap(1ms));
        co_return first.index;
    };
    BOOST_TEST(owner.run(job()) == 1u);
}

BOOST_AUTO_TEST_CASE(what_the_first_throws_is_thrown_when_all_have_ended) {
    engine owner{options_of(1)};
    std::string ended;
    auto job = [&]() -> task<> { static_cast<void>(co_await when_any(stubborn(ended), fail())); };
    BOOST_CHECK_EXCEPTION(owner.run(job()), std::logic_error,
                          [](const auto& e) { return std::string{e.what()} == "first"; });
    BOOST_TEST(ended == "cancelled ");
}

BOOST_AUTO_TEST_CASE(vectors_of_tasks) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::string> {
        std::vector<task<std::unique_ptr<int>>> valued;
        valued.push_back(boxed(1, 1h));
        valued.push_back(boxed(2, 1ms));
        auto first = co_await when_any(std::move(valued));
        std::vector<task<>> plain;
        plain.push_back(nap(1h));
        plain.push_back(nap(1h));
        plain.push_back(nap(0ms));
        const std::size_t index = co_await when_any(std::move(plain));
        co_return std::to_string(first.index) + std::to_string(*first.value) +
            std::to_string(index);
    };
    BOOST_TEST(owner.run(job()) == "122");
    auto none = []() -> task<> { co_await when_any(std::vector<task<>>{}); };
    BOOST_TEST(owner.run(code_of(none())) == errc::invalid_option);
}

BOOST_AUTO_TEST_CASE(a_stop_reaches_all_and_the_name_is_inherited) {
    engine owner{options_of(1)};
    task<> waiting = any_of_naps();
    waiting.set_name("race");
    auto running = owner.spawn_on(0, std::move(waiting));
    std::vector<waiting_task> all = owner.waiting(10, 10s);
    while (all.size() != 3) all = owner.waiting(10, 10s);
    for (const waiting_task& one : all) BOOST_TEST(one.name == "race");
    owner.stop();
    try {
        running.get();
        BOOST_ERROR("it was not stopped");
    } catch (const system_error& failure) {
        BOOST_TEST(failure.code() == errc::stopped);
    }
}

BOOST_AUTO_TEST_SUITE_END()
