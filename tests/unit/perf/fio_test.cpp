// The output of fio.
#include "common/fio.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(fio_test)

using namespace leat::perf;

BOOST_AUTO_TEST_CASE(its_json_is_read_behind_warnings) {
    const fio_result found = parse_fio(R"(fio: a warning
{"jobs": [{"read": {"bw_bytes": 2500000000, "iops": 238.5,
 "clat_ns": {"percentile": {"50.000000": 5120, "99.000000": 9000}}}}]})");
    BOOST_TEST(found.gbps == 2.5);
    BOOST_TEST(found.iops == 238.5);
    BOOST_TEST(found.p50_us == 5.12);
    BOOST_TEST(found.p99_us == 9.0);
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused) {
    BOOST_CHECK_THROW(static_cast<void>(parse_fio("")), std::exception);
    BOOST_CHECK_THROW(static_cast<void>(parse_fio("{\"jobs\": []}")), std::exception);
}

BOOST_AUTO_TEST_SUITE_END()
