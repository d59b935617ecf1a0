// The patterns of coroutines that leat relies on, as executable checks of the compiler.
#include "driver.hpp"

#include <leat/engine/task.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(compiler_test)

using leat::task;
using leat::test::driver;

namespace {

template <class T>
driver drive(task<T> job, T& result) {
    result = co_await std::move(job);
}

template <class T>
T run(task<T> job) {
    T result{};
    drive(std::move(job), result);
    return result;
}

/// Counts its lives: a compiler that copies bytes or destroys twice shows here.
struct counted {
    explicit counted(int value_ = 0) : value(value_), self(this) { ++made; }
    counted(const counted& other) : value(other.value), self(this) { ++made; }
    counted(counted&& other) noexcept : value(std::exchange(other.value, -1)), self(this) {
        ++made;
    }
    counted& operator=(const counted&) = default;
    ~counted() {
        ++destroyed;
        if (self != this) ++misplaced;
    }
    int value;
    counted* self;

    static void reset() { made = destroyed = misplaced = 0; }
    static bool balanced() { return made == destroyed && misplaced == 0; }
    inline static int made = 0;
    inline static int destroyed = 0;
    inline static int misplaced = 0;
};

struct extent {
    std::uintptr_t lowest = ~std::uintptr_t{0};
    std::uintptr_t highest = 0;
    void note() {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        lowest = std::min(lowest, here);
        highest = std::max(highest, here);
    }
    [[nodiscard]] std::uintptr_t depth() const { return highest - lowest; }
};

task<int> leaf(extent& stack, int value) {
    stack.note();
    co_return value;
}

task<std::int64_t> long_loop(extent& stack, int rounds) {
    std::int64_t sum = 0;
    for (int i = 0; i < rounds; ++i) sum += co_await leaf(stack, 1);
    co_return sum;
}

task<int> nested(extent& stack, int depth) {
    stack.note();
    if (depth == 0) co_return 0;
    const int below = co_await nested(stack, depth - 1);
    stack.note();
    co_return below + 1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(symmetric_transfer_does_not_grow_the_stack) {
    extent loop;
    BOOST_TEST(run(long_loop(loop, 3'000'000)) == 3'000'000);
    BOOST_TEST(loop.depth() < 4096u);
    extent tower;
    BOOST_TEST(run(nested(tower, 200'000)) == 200'000);
    BOOST_TEST(tower.depth() < 4096u);
}

namespace {

struct config {
    std::uint64_t id;
    std::uint64_t offset;
    std::uint32_t size;
};

/// Ready at once; its members need their constructors and destructors.
class ready_value {
public:
    explicit ready_value(int value) : kept_(value), name_(std::string(40, 'x')) {}
    [[nodiscard]] bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    [[nodiscard]] int await_resume() const { return name_.size() == 40 ? kept_.value : -1; }

private:
    counted kept_;
    std::string name_;
};

/// Suspends, and resumes at once.
class bouncing_value : public ready_value {
public:
    using ready_value::ready_value;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<>) const noexcept { return false; }
};

ready_value request(config wanted) {
    return ready_value{static_cast<int>(wanted.id + wanted.offset + wanted.size)};
}
task<int> request_task(config wanted) {
    co_return static_cast<int>(wanted.id + wanted.offset + wanted.size);
}

/// Awaits what it was given, by another result: awaited under a name.
template <class Awaiter>
class wrapped {
public:
    explicit wrapped(Awaiter inner) : inner_(std::move(inner)) {}
    [[nodiscard]] bool await_ready() const noexcept { return inner_.await_ready(); }
    auto await_suspend(std::coroutine_handle<> caller) const noexcept {
        return inner_.await_suspend(caller);
    }
    [[nodiscard]] std::pair<bool, int> await_resume() const {
        return {true, inner_.await_resume()};
    }

private:
    Awaiter inner_;
};

task<int> aggregates(int rounds) {
    int sum = 0;
    for (int i = 0; i < rounds; ++i) {
        sum += co_await request({1, 2, 3});
        sum += co_await request({.id = 1, .offset = 2, .size = 3});
        sum += co_await request_task({.id = 1, .offset = 2, .size = 3});
    }
    co_return sum;
}

task<int> awaiters(int rounds) {
    int sum = 0;
    for (int i = 0; i < rounds; ++i) {
        sum += co_await ready_value{1};
        sum += co_await bouncing_value{2};
        wrapped asking{request({1, 2, 3})};
        const auto got = co_await asking;
        const auto [good, value] = got;
        sum += good ? value : 0;
    }
    co_return sum;
}

task<int> conditions(bool suspend) {
    const int first = suspend ? co_await bouncing_value{1} : co_await ready_value{1};
    int steps = 0;
    if (first == 1) ++steps;
    int left = co_await bouncing_value{3};
    while (left > 0) {
        ++steps;
        left = left - co_await ready_value{1};
    }
    const int which = co_await bouncing_value{7};
    switch (which) {
        case 7:
            ++steps;
            break;
        default:
            break;
    }
    co_return steps;
}

}  // namespace

BOOST_AUTO_TEST_CASE(trivially_copyable_aggregates_are_arguments) {
    counted::reset();
    BOOST_TEST(run(aggregates(100)) == 1800);
    BOOST_TEST(counted::made == 200);
    BOOST_TEST(counted::balanced());
}

BOOST_AUTO_TEST_CASE(awaiters_with_constructors_are_destroyed_exactly_once) {
    counted::reset();
    BOOST_TEST(run(awaiters(100)) == 900);
    BOOST_TEST(counted::balanced());
}

BOOST_AUTO_TEST_CASE(results_are_named_before_conditions_use_them) {
    counted::reset();
    BOOST_TEST(run(conditions(true)) == 5);
    BOOST_TEST(run(conditions(false)) == 5);
    BOOST_TEST(counted::balanced());
}

namespace {

task<std::unique_ptr<counted>> hand_on(std::unique_ptr<counted> given) {
    ++given->value;
    co_return std::move(given);
}

task<int> move_only(int value) {
    auto made = std::make_unique<counted>(value);
    std::unique_ptr<counted> back = co_await hand_on(std::move(made));
    back = co_await hand_on(std::move(back));
    co_return back->value;
}

task<int> by_value(counted one, const counted other, counted* outside) {
    const int sum = co_await ready_value{one.value + other.value};
    co_return sum + outside->value;
}

task<int> parameters() {
    counted outside{1};
    const counted named{10};
    co_return co_await by_value(counted{100}, named, &outside);
}

task<int> fail(int value) {
    const counted local{value};
    const int got = co_await bouncing_value{1};
    if (value > 0 && got == 1) throw std::runtime_error(std::string(50, 'e'));
    co_return value;
}

task<int> catching() {
    const counted before;
    int caught = 0;
    for (int i = 0; i < 50; ++i) {
        const counted inside{i};
        try {
            const int got = co_await fail(i % 2);
            caught += got;
        } catch (const std::runtime_error& failure) {
            caught += std::string{failure.what()}.size() == 50 ? 1 : 1000;
        }
    }
    co_return caught;
}

task<int> lambdas() {
    auto kept = std::make_unique<counted>(5);
    auto job = [kept = std::move(kept)](int more) -> task<int> {
        const int first = co_await ready_value{kept->value};
        co_return first + more;
    };
    int sum = co_await job(1);
    sum += co_await job(2);
    // Hoisted: a brace list does not take co_await.
    const int one = co_await ready_value{1};
    const int two = co_await ready_value{2};
    const std::vector<int> both{one, two};
    co_return sum + both[0] + both[1];
}

}  // namespace

BOOST_AUTO_TEST_CASE(move_only_values_go_through_tasks) {
    counted::reset();
    BOOST_TEST(run(move_only(5)) == 7);
    BOOST_TEST(counted::made == 1);
    BOOST_TEST(counted::balanced());
}

BOOST_AUTO_TEST_CASE(parameters_live_in_the_frame_and_die_once) {
    counted::reset();
    BOOST_TEST(run(parameters()) == 111);
    BOOST_TEST(counted::balanced());
}

BOOST_AUTO_TEST_CASE(exceptions_pass_through_awaits_and_unwind_once) {
    counted::reset();
    BOOST_TEST(run(catching()) == 25);
    BOOST_TEST(counted::balanced());
}

namespace {
task<int> captured_awaiters() {
    const bouncing_value outside{5};
    auto job = [&outside]() -> task<int> {
        const bouncing_value& named = outside;  // GCC 12 copies what is awaited by its capture
        co_return co_await named;
    };
    const int first = co_await job();
    co_return first;
}
}  // namespace

BOOST_AUTO_TEST_CASE(awaiters_are_awaited_by_references) {
    counted::reset();
    BOOST_TEST(run(captured_awaiters()) == 5);
    BOOST_TEST(counted::made == 1);
    BOOST_TEST(counted::balanced());
}

namespace {

ready_value value_of(const counted& given) {
    return ready_value{given.value};
}

task<int> choices(bool first, counted other) {
    const counted which = first ? counted{1} : other;  // in the call GCC 12 destroys it twice
    int sum = co_await value_of(which);
    const int size = first ? 1 : 2;
    sum += co_await value_of(counted{size});
    co_return sum;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_a_conditional_operator_makes_is_named_before_an_awaited_call_takes_it) {
    counted::reset();
    BOOST_TEST(run(choices(true, counted{5})) == 2);
    BOOST_TEST(run(choices(false, counted{5})) == 7);
    BOOST_TEST(counted::balanced());
}

BOOST_AUTO_TEST_CASE(named_lambdas_keep_their_captures) {
    counted::reset();
    BOOST_TEST(run(lambdas()) == 16);
    BOOST_TEST(counted::balanced());
}

BOOST_AUTO_TEST_SUITE_END()
