// What a thread that is no shard learns of the shards it asks.
#include "engine_support.hpp"

#include <leat/engine/detail/inquiry.hpp>
#include <leat/engine/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <new>
#include <stdexcept>

BOOST_AUTO_TEST_SUITE(inquiry_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::options_of;

namespace {

using numbers = detail::inquiry<unsigned>;

}  // namespace

BOOST_AUTO_TEST_CASE(each_shard_tells_its_own) {
    engine owner{options_of(2)};
    owner.start();
    const auto told = numbers::ask(owner, [](shard& one) { return one.index() + 10; }, 60s);
    BOOST_REQUIRE(told.size() == 2u);
    BOOST_TEST(told[0].value() == 10u);
    BOOST_TEST(told[1].value() == 11u);
}

BOOST_AUTO_TEST_CASE(what_a_shard_fails_with_is_told_as_what_it_was) {
    engine owner{options_of(2)};
    owner.start();
    const auto fail = [](shard& one) -> unsigned {
        if (one.index() == 0) throw std::bad_alloc();
        throw std::runtime_error("some reason");
    };
    const auto told = numbers::ask(owner, fail, 60s);
    BOOST_TEST(told[0].error() == system_error_code(ENOMEM));
    BOOST_TEST(told[1].error() == make_error_code(errc::unhandled_exception));
}

BOOST_AUTO_TEST_CASE(a_shard_that_has_ended_is_told_apart_from_one_that_is_late) {
    engine owner{options_of(2)};
    owner.start();
    owner.stop();
    owner.join();
    const auto told = numbers::ask(owner, [](shard& one) { return one.index(); }, 60s);
    BOOST_TEST(told[0].error() == make_error_code(errc::stopped));
    BOOST_TEST(told[1].error() == make_error_code(errc::stopped));
}

BOOST_AUTO_TEST_SUITE_END()
