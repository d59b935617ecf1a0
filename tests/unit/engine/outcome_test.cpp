// Values and errors cross threads.
#include "engine_support.hpp"

#include <leat/engine/detail/outcome.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>

BOOST_AUTO_TEST_SUITE(outcome_test)

using namespace leat;
using leat::detail::outcome_state;

namespace {
template <class Exception>
error failure_of(const Exception& thrown) {
    outcome_state<void> outcome;
    outcome.set_exception(std::make_exception_ptr(thrown));
    return *outcome.failure();
}
}  // namespace

BOOST_AUTO_TEST_CASE(exceptions_become_errors_with_a_place) {
    where at{.doing = activity::open};
    at.set_name("x");
    const error known = failure_of(system_error({errc::closed, at}));
    BOOST_TEST(known.code == errc::closed);
    BOOST_TEST((known.where.doing == activity::open));
    const error boosts = failure_of(boost::system::system_error(system_error_code(EIO)));
    BOOST_TEST(boosts.code == system_error_code(EIO));
    BOOST_TEST((boosts.where.doing == activity::task));
    BOOST_TEST(failure_of(std::bad_alloc()).code == system_error_code(ENOMEM));
    BOOST_TEST(failure_of(std::logic_error("no")).code == errc::unhandled_exception);
    BOOST_TEST(failure_of(42).code == errc::unhandled_exception);
}

BOOST_AUTO_TEST_CASE(a_value_is_moved_out) {
    outcome_state<std::unique_ptr<int>> outcome;
    outcome.set_value(std::make_unique<int>(7));
    const std::unique_ptr<int> got = outcome.take(false);
    BOOST_TEST(*got == 7);
}

BOOST_AUTO_TEST_CASE(a_foreign_thread_gets_the_exception_itself_a_shard_its_code) {
    for (const bool on_shard : {false, true}) {
        outcome_state<int> outcome;
        outcome.set_exception(std::make_exception_ptr(std::logic_error("no")));
        if (on_shard) {
            BOOST_CHECK_EXCEPTION(outcome.take(true), system_error, [](const system_error& thrown) {
                return thrown.code() == errc::unhandled_exception;
            });
        } else {
            BOOST_CHECK_THROW(outcome.take(false), std::logic_error);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
