// Tasks that are joined, and how their errors come out.
#include "engine_support.hpp"

#include <leat/engine/for_each.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <iterator>
#include <memory>
#include <new>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::options_of;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_A_SANITIZER  // which brings its own allocator
#endif
#endif

namespace {

task<int> later(int value, std::chrono::milliseconds time) {
    co_await leat::sleep(time);
    co_return value;
}

task<> count(int& counter) {
    co_await leat::yield{};
    ++counter;
}

task<> fail_after_yield() {
    co_await leat::yield{};
    throw system_error({errc::closed, {}});
}

/// Waits to be stopped; counts that it was.
task<> until_stopped(int& stopped) {
    task<int> sleeper = later(0, std::chrono::hours{1});
    try {
        co_await std::move(sleeper);
    } catch (const system_error& failure) {
        if (failure.code() == errc::cancelled || failure.code() == errc::stopped) ++stopped;
        throw;
    }
}

template <class T>
T run(task<T> job, unsigned shards = 1) {
    engine owner{options_of(shards)};
    return owner.run(std::move(job));
}

}  // namespace

BOOST_AUTO_TEST_CASE(join_waits_for_every_task) {
    auto job = []() -> task<int> {
        int counter = 0;
        scope all;
        co_await all.join();  // nothing to wait for
        for (int i = 0; i < 100; ++i) all.spawn(count(counter));
        const bool none_ran = counter == 0 && all.running() == 100;
        co_await all.join();
        co_return none_ran&& all.running() == 0 ? counter : -1;
    };
    BOOST_TEST(run(job()) == 100);
}

BOOST_AUTO_TEST_CASE(the_first_error_stops_the_others_and_comes_out_of_join) {
    auto job = []() -> task<int> {
        int stopped = 0;
        scope all;
        for (int i = 0; i < 10; ++i) all.spawn(until_stopped(stopped));
        all.spawn(fail_after_yield());
        const auto code = co_await code_of([](scope& one) -> task<> { co_await one.join(); }(all));
        co_return code == errc::closed ? stopped : -1;
    };
    BOOST_TEST(run(job()) == 10);
}

BOOST_AUTO_TEST_CASE(join_passes_a_stop_request_on) {
    const test::leftovers before;
    {
        engine owner{options_of(1)};
        std::atomic<bool> waiting{false};
        auto job = [](std::atomic<bool>& flag) -> task<int> {
            int stopped = 0;
            scope all;
            for (int i = 0; i < 10; ++i) all.spawn(until_stopped(stopped));
            auto tell = [](std::atomic<bool>& to) -> task<> {
                to = true;
                co_return;
            };
            all.spawn(tell(flag));
            auto join = [](scope& one) -> task<> { co_await one.join(); };
            const auto code = co_await code_of(join(all));
            co_return code == errc::stopped ? stopped : -1;
        };
        auto running = owner.spawn_on(0, job(waiting));
        while (!waiting) std::this_thread::yield();
        owner.stop();
        BOOST_TEST(running.get() == 10);
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(request_stop_stops_the_tasks) {
    auto job = []() -> task<int> {
        int stopped = 0;
        scope all;
        all.spawn(until_stopped(stopped));
        all.request_stop();
        const auto code = co_await code_of([](scope& one) -> task<> { co_await one.join(); }(all));
        co_return code == errc::cancelled ? stopped : -1;
    };
    BOOST_TEST(run(job()) == 1);
}

BOOST_AUTO_TEST_CASE(children_that_move_come_home) {
    auto job = []() -> task<int> {
        int at_home = 0;
        auto wander = [](int i) -> task<> {
            for (unsigned k = 0; k < 5; ++k) co_await resume_on((static_cast<unsigned>(i) + k) % 4);
            if (i % 10 == 9) throw system_error({errc::closed, {}});
        };
        for (int round = 0; round < 50; ++round) {
            scope all;
            for (int i = 0; i < 20; ++i) all.spawn(wander(round % 2 == 0 ? i % 9 : i));
            auto join = [](scope& one) -> task<> { co_await one.join(); };
            const auto code = co_await code_of(join(all));
            const bool expected = round % 2 == 0 ? !code : code == errc::closed;
            if (expected && this_shard().index() == 0) ++at_home;
        }
        co_return at_home;
    };
    BOOST_TEST(run(job(), 4) == 50);
}

BOOST_AUTO_TEST_CASE(when_all_gives_values_in_order) {
    auto job = []() -> task<std::string> {
        auto text = [](std::string value) -> task<std::string> {
            co_await leat::yield{};
            co_return value;
        };
        auto boxed = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(4); };
        auto three = co_await when_all(later(1, 3ms), text("two"), boxed());
        std::string all = std::to_string(std::get<0>(three)) + std::get<1>(three) +
                          std::to_string(*std::get<2>(three));
        std::vector<task<int>> many;
        for (int i = 0; i < 5; ++i) many.push_back(later(i, std::chrono::milliseconds{5 - i}));
        const std::vector<int> values = co_await when_all(std::move(many));
        for (const int value : values) all += std::to_string(value);
        int counter = 0;
        co_await when_all(count(counter), count(counter));
        std::vector<task<>> voids;
        for (int i = 0; i < 5; ++i) voids.push_back(count(counter));
        co_await when_all(std::move(voids));
        co_await when_all(std::vector<task<>>{});
        const std::vector<int> none = co_await when_all(std::vector<task<int>>{});
        co_return all + " " + std::to_string(counter) + " " + std::to_string(none.size());
    };
    BOOST_TEST(run(job()) == "1two401234 7 0");
}

BOOST_AUTO_TEST_CASE(when_all_stops_the_others_at_the_first_error) {
    auto job = []() -> task<int> {
        int stopped = 0;
        auto both = [](int& counter) -> task<> {
            co_await when_all(until_stopped(counter), fail_after_yield(), until_stopped(counter));
        };
        const auto code = co_await code_of(both(stopped));
        co_return code == errc::closed ? stopped : -1;
    };
    BOOST_TEST(run(job()) == 2);
}

namespace {

struct progress {
    int active = 0;
    int most = 0;
    int done = 0;
    unsigned home = 0;
    int away = 0;
};

task<> step(progress& seen, int item) {
    seen.most = std::max(seen.most, ++seen.active);
    for (int i = 0; i <= item % 3; ++i) co_await leat::yield{};
    --seen.active;
    ++seen.done;
}

}  // namespace

BOOST_AUTO_TEST_CASE(for_each_runs_all_and_no_more_than_its_limit_at_once) {
    for (const int limit : {1, 3, 1000}) {
        auto job = [](int most) -> task<progress> {
            progress seen;
            std::vector<int> items(100);
            for (int i = 0; i < 100; ++i) items[static_cast<std::size_t>(i)] = i;
            auto each = [&seen](int item) { return step(seen, item); };
            co_await for_each(items, static_cast<std::size_t>(most), each);
            std::vector<int> none;
            co_await for_each(none, 5, each);
            co_return seen;
        };
        const progress seen = run(job(limit));
        BOOST_TEST(seen.done == 100);
        BOOST_TEST(seen.most == std::min(limit, 100));
    }
}

BOOST_AUTO_TEST_CASE(for_each_ends_at_the_first_error) {
    auto job = []() -> task<int> {
        int begun = 0;
        std::vector<int> items(100, 1);
        items[20] = 0;
        auto each = [&begun](int item) -> task<> {
            ++begun;
            co_await leat::yield{};
            if (item == 0) throw system_error({errc::closed, {}});
        };
        const auto code = co_await code_of(for_each(items, 4, each));
        co_return code == errc::closed ? begun : -1;
    };
    const int begun = run(job());
    BOOST_TEST(begun > 20);
    BOOST_TEST(begun < 30);
}

BOOST_AUTO_TEST_CASE(for_each_tells_when_a_stop_kept_it_from_all_elements) {
    auto job = []() -> task<boost::system::error_code> {
        std::stop_source source;
        const std::stop_token token = source.get_token();
        std::vector<int> items(100, 1);
        int begun = 0;
        auto each = [&](int) -> task<> {
            if (++begun == 10) source.request_stop();
            co_await leat::yield{};
        };
        task<> loop = for_each(items, 2, each);
        loop.set_stop(token);
        const auto code = co_await code_of(std::move(loop));
        co_return begun < 20 ? code : boost::system::error_code{};
    };
    BOOST_TEST(run(job()) == errc::cancelled);
}

BOOST_AUTO_TEST_CASE(for_each_goes_on_at_home_when_its_calls_move) {
    auto job = []() -> task<progress> {
        progress seen;
        std::vector<unsigned> items(3000);
        for (unsigned i = 0; i < items.size(); ++i) items[i] = i;
        auto each = [&seen](unsigned item) -> task<> {
            // Called by the loop: at home, unless the loop has strayed.
            if (this_shard().index() != seen.home) ++seen.away;
            ++seen.done;
            co_await resume_on(item % 4);
        };
        co_await for_each(items, 8, each);
        co_return seen;
    };
    const progress seen = run(job(), 4);
    BOOST_TEST(seen.away == 0);
    BOOST_TEST(seen.done == 3000);
}

BOOST_AUTO_TEST_CASE(for_each_takes_single_pass_ranges_temporaries_and_views) {
    auto job = []() -> task<std::vector<std::string>> {
        std::vector<std::string> seen;
        for (const std::size_t limit : {1u, 3u, 100u}) {
            std::istringstream words("1 2 3 4 5 6");
            std::string all;
            auto each = [&all](const std::string& word) -> task<> {
                co_await leat::yield{};
                all += word;
            };
            const auto in = std::ranges::subrange(std::istream_iterator<std::string>(words),
                                                  std::istream_iterator<std::string>());
            co_await for_each(in, limit, each);
            seen.push_back(all);
        }
        std::string all;
        auto each = [&all](int value) -> task<> {
            co_await leat::yield{};
            all += std::to_string(value);
        };
        std::vector<int> items{7, 8, 9};
        task<> loop = for_each(std::vector<int>(items), 2, each);
        items.clear();
        co_await std::move(loop);
        co_await for_each(std::views::iota(1, 4), 2, each);
        const int plain[] = {4, 5};
        co_await for_each(plain, 2, each);
        seen.push_back(all);
        co_return seen;
    };
    BOOST_TEST(run(job()) == (std::vector<std::string>{"123456", "123456", "123456", "78912345"}));
}

namespace {

/// Counts to 10; its `where`th use of a kind throws.
struct fragile {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using reference = int;
    using pointer = const int*;
    using iterator_category = std::input_iterator_tag;

    int operator*() const {
        if (at == 5 && breaks == 1) throw std::out_of_range("*");
        return at;
    }
    fragile& operator++() {
        if (at == 5 && breaks == 2) throw std::out_of_range("++");
        ++at;
        return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const fragile& one, std::default_sentinel_t) {
        if (one.at == 5 && one.breaks == 3) throw std::out_of_range("==");
        return one.at == 10;
    }
    int breaks = 0;
    int at = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(for_each_tells_what_an_iterator_throws_once_all_have_ended) {
    for (int breaks = 0; breaks <= 3; ++breaks) {
        auto job = [](int way) -> task<std::string> {
            int active = 0;
            auto each = [&](int) -> task<> {
                ++active;
                const auto code = co_await code_of(test::nap(1ms));
                --active;
                if (code) throw system_error({code, {}});
            };
            const auto range = std::ranges::subrange(fragile{way}, std::default_sentinel);
            std::string thrown = "nothing";
            task<> loop = for_each(range, 3, each);
            try {
                co_await std::move(loop);
            } catch (const std::out_of_range& failure) {
                thrown = failure.what();
            }
            co_return thrown + (active == 0 ? "" : " early");
        };
        const char* const expected[] = {"nothing", "*", "++", "=="};
        BOOST_TEST(run(job(breaks)) == expected[breaks]);
    }
}

BOOST_AUTO_TEST_CASE(for_each_refuses_a_limit_of_0) {
    auto job = []() -> task<boost::system::error_code> {
        std::vector<int> items{1};
        auto each = [](int) -> task<> { co_return; };
        co_return co_await code_of(for_each(items, 0, each));
    };
    BOOST_TEST(run(job()) == errc::invalid_option);
}

BOOST_AUTO_TEST_CASE(a_scope_is_used_again_after_a_join) {
    auto job = []() -> task<int> {
        int counter = 0;
        scope all;
        for (int round = 0; round < 3; ++round) {
            all.spawn(count(counter));
            co_await all.join();
        }
        co_return counter;
    };
    BOOST_TEST(run(job()) == 3);
}

#ifndef UNDER_A_SANITIZER
// Allocations of a thread fail after so many; a negative number: none does.
namespace {
thread_local long allocations_left = -1;
}
[[gnu::noinline]] void* operator new(std::size_t size) {
    if (allocations_left == 0) throw std::bad_alloc();
    if (allocations_left > 0) --allocations_left;
    if (void* const memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace {

/// One of each way to run tasks side by side.
task<> all_ways(int& begun, int& ended) {
    auto work = [](int& first, int& second) -> task<int> {
        ++first;
        const std::string frame(300, 'x');  // another allocation that may fail
        co_await leat::yield{};
        ++second;
        co_return static_cast<int>(frame.size());
    };
    auto plain = [&](int) -> task<> { co_await work(begun, ended); };
    const auto two = co_await when_all(work(begun, ended), work(begun, ended));
    co_await when_all(plain(1), plain(2));
    std::vector<task<int>> many;
    for (int i = 0; i < 3; ++i) many.push_back(work(begun, ended));
    const std::vector<int> values = co_await when_all(std::move(many));
    std::vector<task<>> voids;
    for (int i = 0; i < 3; ++i) voids.push_back(plain(i));
    co_await when_all(std::move(voids));
    std::vector<int> items{1, 2, 3};
    co_await for_each(items, 2, plain);
    if (std::get<0>(two) != 300 || values.size() != 3) ++begun;
}

/// Runs it with the Nth allocation failing; gives whether it ended well.
task<bool> with_failing_allocation(long nth, bool& sound) {
    int begun = 0;
    int ended = 0;
    bool good = false;
    try {
        task<> job = all_ways(begun, ended);
        allocations_left = nth;
        co_await std::move(job);
        good = begun == ended;
    } catch (const std::bad_alloc&) {
    }
    allocations_left = -1;
    sound = ended <= begun;
    co_return good;
}

}  // namespace

BOOST_AUTO_TEST_CASE(want_of_memory_anywhere_ends_all_that_began) {
    const test::leftovers before;
    long nth = 0;
    bool good = false;
    for (; !good && nth < 1000; ++nth) {
        // A new engine each time: a used one has frames to recycle.
        bool sound = false;
        good = run(with_failing_allocation(nth, sound));
        BOOST_TEST_REQUIRE(sound);
    }
    BOOST_TEST(good);
    BOOST_TEST(nth > 20);
    BOOST_TEST(before.none());
}
#endif
