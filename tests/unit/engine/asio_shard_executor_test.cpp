// The executor's properties, and where its functions run.
#include "engine_support.hpp"

#include <leat/engine/asio/shard_executor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <memory>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_shard_executor_test)

using namespace std::chrono_literals;
using namespace leat;
using namespace leat::test;
namespace asio = boost::asio;
namespace execution = boost::asio::execution;
using execution::blocking;
using execution::outstanding_work;
using execution::relationship;

BOOST_AUTO_TEST_SUITE(asio_shard_executor)

static_assert(execution::is_executor<shard_executor>::value);
static_assert(execution::is_executor<basic_shard_executor<std::allocator<int>, true>>::value);
static_assert(std::is_trivially_copyable_v<shard_executor>);
static_assert(!asio::can_require<shard_executor, execution::blocking_t::always_t>::value);

BOOST_AUTO_TEST_CASE(it_has_the_standard_properties) {
    engine owner{options_of(1)};
    const shard_executor plain(owner.at(0));
    BOOST_TEST((asio::query(plain, blocking) == blocking.possibly));
    BOOST_TEST((asio::query(asio::require(plain, blocking.never), blocking) == blocking.never));
    BOOST_TEST((asio::query(plain, relationship) == relationship.fork));
    BOOST_TEST((asio::query(asio::prefer(plain, relationship.continuation), relationship) ==
                relationship.continuation));
    BOOST_TEST((asio::query(plain, outstanding_work) == outstanding_work.untracked));
    BOOST_TEST((asio::query(asio::require(plain, outstanding_work.tracked), outstanding_work) ==
                outstanding_work.tracked));
    BOOST_TEST((asio::query(plain, execution::mapping) == execution::mapping.thread));
    BOOST_TEST((&asio::query(plain, execution::context) ==
                &asio::query(shard_executor(owner.at(0)), execution::context)));
    const std::allocator<int> chosen;
    const auto with = asio::require(plain, execution::allocator(chosen));
    BOOST_TEST((asio::query(with, execution::allocator) == chosen));
}

BOOST_AUTO_TEST_CASE(executors_are_equal_by_shard_and_properties) {
    engine owner{options_of(2)};
    const shard_executor first(owner.at(0));
    BOOST_TEST((first == shard_executor(owner.at(0))));
    BOOST_TEST((first != shard_executor(owner.at(1))));
    const auto never = asio::require(first, blocking.never);
    BOOST_TEST((first != never));
    BOOST_TEST((first == asio::require(never, blocking.possibly)));
    BOOST_TEST((first != asio::prefer(first, relationship.continuation)));
    const asio::any_io_executor any = first;
    BOOST_TEST((any == asio::any_io_executor(shard_executor(owner.at(0)))));
    BOOST_TEST((any != asio::any_io_executor(shard_executor(owner.at(1)))));
    BOOST_TEST((any.target<shard_executor>()->home().index() == 0u));
}

namespace {
unsigned here() {
    return this_shard().index();
}
}  // namespace

BOOST_DATA_TEST_CASE(functions_run_on_the_shard, both_backends, kind) {
    engine owner{options_of(2, kind)};
    owner.start();
    for (unsigned index = 0; index < 2; ++index) {
        const shard_executor executor(owner.at(index));
        const asio::any_io_executor any = executor;
        BOOST_TEST(asio::post(executor, asio::use_future(here)).get() == index);
        BOOST_TEST(asio::dispatch(executor, asio::use_future(here)).get() == index);
        BOOST_TEST(asio::defer(executor, asio::use_future(here)).get() == index);
        BOOST_TEST(asio::post(any, asio::use_future(here)).get() == index);
        BOOST_TEST(asio::post(asio::make_strand(executor), asio::use_future(here)).get() == index);
        BOOST_TEST(asio::post(asio::make_strand(any), asio::use_future(here)).get() == index);
    }
}

BOOST_AUTO_TEST_CASE(on_the_shard_dispatch_runs_at_once_and_post_does_not) {
    engine owner{options_of(1)};
    const shard_executor executor(owner.at(0));
    std::vector<int> order;
    asio::post(executor, asio::use_future([&] {
                   asio::post(executor, [&] { order.push_back(3); });
                   asio::defer(executor, [&] { order.push_back(4); });
                   asio::dispatch(executor, [&] { order.push_back(1); });
                   order.push_back(2);
               }));
    owner.start();
    asio::post(executor, asio::use_future([] {})).get();
    asio::post(executor, asio::use_future([] {})).get();
    BOOST_TEST(order == (std::vector<int>{1, 2, 3, 4}));
}

BOOST_AUTO_TEST_CASE(after_the_engine_has_stopped_functions_are_destroyed) {
    const leftovers before;
    {
        engine owner{options_of(2)};
        owner.start();
        const shard_executor executor(owner.at(0));
        owner.stop();
        owner.join();
        const auto alive = std::make_shared<int>();
        asio::post(executor, [alive] { BOOST_ERROR("run"); });
        BOOST_TEST(alive.use_count() == 1);
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(in_an_engine_that_never_ran_functions_are_destroyed_with_it) {
    const leftovers before;
    const auto alive = std::make_shared<int>();
    {
        engine owner{options_of(1)};
        asio::post(shard_executor(owner.at(0)), [alive] { BOOST_ERROR("run"); });
        BOOST_TEST(alive.use_count() == 2);
    }
    BOOST_TEST(alive.use_count() == 1);
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
