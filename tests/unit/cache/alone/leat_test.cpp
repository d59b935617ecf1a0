// What <leat/leat.hpp> includes.
#include <leat/leat.hpp>

#if defined(BOOST_ASIO_VERSION) || defined(BOOST_ASIO_DETAIL_CONFIG_HPP)
#error "<leat/leat.hpp> includes Asio"
#endif

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(leat_header)

BOOST_AUTO_TEST_CASE(the_header_includes_no_asio) {
    BOOST_TEST(true);  // this compiles
}

BOOST_AUTO_TEST_SUITE_END()
