// Codes and their messages.
#include "io_support.hpp"

#include <set>

BOOST_AUTO_TEST_SUITE(error_test)

using leat::errc;

BOOST_AUTO_TEST_CASE(every_code_has_a_message_of_its_own) {
    std::set<std::string> seen;
    for (int value = 1; value <= static_cast<int>(errc::unhandled_exception); ++value) {
        const boost::system::error_code code = static_cast<errc>(value);
        BOOST_TEST(code.failed());
        BOOST_TEST(seen.insert(code.message()).second, code.message());
        BOOST_TEST(code.message().size() > 10U);
    }
    BOOST_TEST(!seen.contains(leat::error_category().message(9999)));
}

BOOST_AUTO_TEST_CASE(codes_compare_within_their_category) {
    const boost::system::error_code code = errc::file_changed;
    BOOST_TEST((code == errc::file_changed));
    BOOST_TEST((code != errc::short_read));
    BOOST_TEST(std::string(code.category().name()) == "leat");
    BOOST_TEST((leat::system_error_code(ENOENT) == boost::system::errc::no_such_file_or_directory));
}

BOOST_AUTO_TEST_CASE(message_into_a_buffer_needs_no_allocation) {
    std::array<char, 8> unused{};
    const boost::system::error_code code = errc::closed;
    BOOST_TEST(std::string(code.message(unused.data(), unused.size())) == code.message());
}

BOOST_AUTO_TEST_SUITE_END()
