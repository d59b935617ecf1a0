// What errors say.
#include "small_engine.hpp"

#include <leat/engine/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <string>

BOOST_AUTO_TEST_SUITE(error_test)

using namespace leat;

BOOST_AUTO_TEST_CASE(what_names_the_operation_the_file_the_place_and_the_reason) {
    where at{.doing = activity::get_chunk};
    at.set_name("film.mkv");
    at.offset = 10'485'760;
    at.size = 4096;
    const system_error failure{{system_error_code(EIO), at}};
    BOOST_TEST(std::string{failure.what()} ==
               "get_chunk \"film.mkv\" offset 10485760 size 4096: Input/output error [system:5]");
    BOOST_TEST(to_string(failure.cause()) ==
               "get_chunk \"film.mkv\" offset 10485760 size 4096: Input/output error");
    BOOST_TEST(failure.where().offset == at.offset);
    BOOST_TEST(failure.cause().code == system_error_code(EIO));
    const system_error bare{{errc::stopped, {.doing = activity::task}}};
    BOOST_TEST(std::string{bare.what()} == "task: the engine is stopping or has stopped [leat:10]");
    where numbered{.doing = activity::read};
    numbered.file = 12;
    BOOST_TEST(to_string(error{errc::closed, numbered}) == "read file 12: the file is not open");
}

BOOST_AUTO_TEST_CASE(a_long_name_keeps_its_end) {
    where at;
    const std::string exact(70, 'a');
    at.set_name(exact);
    BOOST_TEST(std::string{at.name.data()} == exact);
    std::string longer(500, 'b');
    longer += "/the end of it";
    at.set_name(longer);
    const std::string kept = at.name.data();
    BOOST_TEST(kept.size() == 70u);
    BOOST_TEST(kept.substr(0, 4) == "...b");
    BOOST_TEST(kept.substr(56) == "/the end of it");
    at.set_name("short");
    BOOST_TEST(std::string{at.name.data()} == "short");
}

BOOST_AUTO_TEST_CASE(the_value_of_a_failed_result_throws_with_its_place) {
    const result<int> good{1};
    BOOST_TEST(good.value() == 1);
    where at{.doing = activity::read};
    at.size = 5;
    const result<int> bad{error{errc::closed, at}};
    try {
        static_cast<void>(bad.value());
        BOOST_ERROR("it has no value");
    } catch (const system_error& failure) {
        BOOST_TEST(failure.code() == errc::closed);
        BOOST_TEST(failure.where().size == 5u);
    }
}

BOOST_AUTO_TEST_CASE(an_exception_that_says_no_error_is_one) {
    const auto code_of = [](auto thrown) {
        return error_of(std::make_exception_ptr(std::move(thrown))).code;
    };
    BOOST_TEST(code_of(boost::system::system_error{boost::system::error_code{}}) ==
               errc::unhandled_exception);
    BOOST_TEST(code_of(system_error{error{}}) == errc::unhandled_exception);
    BOOST_TEST(code_of(boost::system::system_error{make_error_code(errc::closed)}) == errc::closed);
}

BOOST_AUTO_TEST_SUITE_END()
