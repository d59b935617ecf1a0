// A bounded queue between coroutines.
#include "engine_support.hpp"
#include "misuse.hpp"

#include <leat/engine/queue.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <string>

BOOST_AUTO_TEST_SUITE(queue_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::dies_saying;
using leat::test::options_of;

namespace {

using boxes = leat::queue<std::unique_ptr<int>>;

task<> push_range(boxes& to, int first, int end) {
    for (int i = first; i < end; ++i) {
        auto box = std::make_unique<int>(i);
        const bool taken = co_await to.push(std::move(box));
        if (!taken) co_return;
    }
}

task<> pop_all(boxes& from, std::string& out) {
    for (;;) {
        const std::optional<std::unique_ptr<int>> box = co_await from.pop();
        if (!box) co_return;
        out += std::to_string(**box) + ' ';
    }
}

task<> pop_one(boxes& from) {
    static_cast<void>(co_await from.pop());
}

}  // namespace

BOOST_AUTO_TEST_CASE(values_come_out_in_order_and_never_more_than_its_capacity_wait_inside) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::string> {
        boxes between{2};
        std::string out;
        scope all;
        all.spawn(push_range(between, 0, 7));
        co_await leat::yield{};
        co_await leat::yield{};
        out += std::to_string(between.size()) + '/' + std::to_string(between.waiting()) + ": ";
        all.spawn(pop_all(between, out));
        auto close_later = [](boxes& one) -> task<> {
            co_await leat::sleep(1ms);
            one.close();
        };
        all.spawn(close_later(between));
        co_await all.join();
        co_return out;
    };
    BOOST_TEST(owner.run(job()) == "2/1: 0 1 2 3 4 5 6 ");
}

BOOST_AUTO_TEST_CASE(what_is_inside_comes_out_after_close_and_pushers_are_told) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::string> {
        boxes between{2};
        std::string out;
        scope all;
        all.spawn(push_range(between, 0, 9));
        co_await leat::yield{};
        co_await leat::yield{};
        between.close();
        co_await all.join();
        const bool taken = co_await between.push(nullptr);
        out += taken ? '!' : '-';
        out += between.try_push(nullptr) ? '!' : '-';
        co_await pop_all(between, out);
        between.close();
        out += between.closed() && between.size() == 0 ? "closed" : "?";
        co_return out;
    };
    BOOST_TEST(owner.run(job()) == "--0 1 closed");
}

BOOST_AUTO_TEST_CASE(several_readers_are_served_in_turn) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::string> {
        leat::queue<int> between{1};
        std::string out;
        auto reader = [&](char name) -> task<> {
            for (int i = 0; i < 2; ++i) {
                const std::optional<int> value = co_await between.pop();
                out += name + std::to_string(*value);
            }
        };
        scope all;
        all.spawn(reader('a'));
        all.spawn(reader('b'));
        co_await leat::yield{};
        co_await leat::yield{};
        for (int i = 0; i < 4; ++i) static_cast<void>(co_await between.push(i));
        co_await all.join();
        co_return out;
    };
    BOOST_TEST(owner.run(job()) == "a0a2b1b3");
}

BOOST_AUTO_TEST_CASE(a_stop_takes_waiters_out_and_loses_no_value_that_is_inside) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::string> {
        boxes between{1};
        std::string out;
        task<> hungry = with_timeout(pop_one(between), 1ms);
        out += co_await code_of(std::move(hungry)) == errc::timed_out ? "a" : "!";
        auto zero = std::make_unique<int>(0);
        out += between.try_push(std::move(zero)) ? "b" : "!";
        auto kept = std::make_unique<int>(1);
        out += !between.try_push(std::move(kept)) && kept ? "c" : "!";
        task<> pushing = with_timeout(push_range(between, 5, 6), 1ms);
        out += co_await code_of(std::move(pushing)) == errc::timed_out ? "d" : "!";
        const auto first = between.try_pop();
        out += first && **first == 0 && !between.try_pop() ? "e" : "!";
        out += std::to_string(between.waiting());
        co_return out;
    };
    BOOST_TEST(owner.run(job()) == "abcde0");
}

// A value handed to a reader is its own, though a stop is requested before it runs.
BOOST_AUTO_TEST_CASE(a_value_given_to_a_stopped_reader_is_not_lost) {
    engine owner{options_of(1)};
    auto job = []() -> task<int> {
        leat::queue<int> between{1};
        std::stop_source source;
        const std::stop_token token = source.get_token();
        int got = -1;
        auto read = [&]() -> task<> {
            const std::optional<int> value = co_await between.pop();
            got = value.value_or(-2);
        };
        task<> reading = read();
        reading.set_stop(token);
        scope all;
        auto pass = [](task<> inner) -> task<> { co_await code_of(std::move(inner)); };
        all.spawn(pass(std::move(reading)));
        co_await leat::yield{};
        co_await leat::yield{};
        int seven = 7;
        static_cast<void>(between.try_push(std::move(seven)));
        source.request_stop();
        co_await all.join();
        co_return got;
    };
    BOOST_TEST(owner.run(job()) == 7);
}

BOOST_AUTO_TEST_CASE(no_capacity_is_refused) {
    engine owner{options_of(1)};
    auto make = []() -> task<> {
        leat::queue<int> none{0};
        co_return;
    };
    BOOST_TEST(owner.run(code_of(make())) == errc::invalid_option);
}

BOOST_AUTO_TEST_CASE(mistakes_end_the_program_with_a_sentence) {
    BOOST_TEST(dies_saying("leat::queue was made off the shards", [] { leat::queue<int> one{1}; }));
    BOOST_TEST(dies_saying("leat::queue was used on another shard", [] {
        engine owner{options_of(2)};
        auto job = []() -> task<> {
            leat::queue<int> one{1};
            co_await resume_on(1);
            static_cast<void>(co_await one.push(1));
        };
        owner.run(job());
    }));
    BOOST_TEST(dies_saying("leat::queue was destroyed while tasks wait", [] {
        engine owner{options_of(1)};
        auto job = []() -> task<> {
            std::optional<boxes> one{1};
            scope all;
            all.spawn(pop_one(*one));
            co_await leat::yield{};
            one.reset();
        };
        owner.run(job());
    }));
}

BOOST_AUTO_TEST_SUITE_END()
