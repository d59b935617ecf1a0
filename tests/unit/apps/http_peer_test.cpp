// Which status a failure is answered by.
#include "common/http_peer.hpp"

#include <leat/io/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>

BOOST_AUTO_TEST_SUITE(http_peer_test)

BOOST_AUTO_TEST_CASE(statuses_of_failures) {
    const auto of = [](boost::system::error_code code) {
        return leat::http::code_of(leat::apps::status_of(code));
    };
    BOOST_TEST(of(leat::system_error_code(ENOENT)) == 404U);
    BOOST_TEST(of(leat::system_error_code(EACCES)) == 403U);
    BOOST_TEST(of(leat::system_error_code(EMFILE)) == 503U);
    BOOST_TEST(of(leat::system_error_code(EIO)) == 500U);
    BOOST_TEST(of(leat::errc::all_pinned) == 503U);
    BOOST_TEST(of(leat::errc::no_buffer) == 503U);
    BOOST_TEST(of(leat::errc::file_changed) == 503U);
    BOOST_TEST(of(leat::errc::short_read) == 500U);
    BOOST_TEST(of(boost::asio::error::eof) == 500U);
}

BOOST_AUTO_TEST_SUITE_END()
