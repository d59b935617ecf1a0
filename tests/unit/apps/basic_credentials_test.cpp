// The field Authorization, of the Basic scheme.
#include "http/basic_credentials.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(basic_credentials_test)

using namespace leat::http;

namespace {

// "USER|PASSWORD", or "none".
std::string read(std::string_view value) {
    std::array<char, 64> buffer;
    const auto found = read_basic(value, buffer);
    if (!found) return "none";
    return std::string{found->user} + '|' + std::string{found->password};
}

}  // namespace

BOOST_AUTO_TEST_CASE(right_ones) {
    BOOST_TEST(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == "Aladdin|open sesame");
    BOOST_TEST(read("basic dGVzdDoxMjPCow==") == "test|123\xc2\xa3");
    BOOST_TEST(read("BASIC   YTpi") == "a|b");
    BOOST_TEST(read("Basic Og==") == "|");
    BOOST_TEST(read("Basic YTo=") == "a|");
    BOOST_TEST(read("Basic OmI=") == "|b");
    BOOST_TEST(read("Basic YTpiOmM=") == "a|b:c");
    BOOST_TEST(read("Basic Pz8/Ojo+Pg==") == "???|:>>");
}

BOOST_AUTO_TEST_CASE(wrong_ones) {
    for (const std::string value : {"",
                                    "Basic",
                                    "Basic ",
                                    "Basic  ",
                                    "Bearer YTpi",
                                    "BasicYTpi",
                                    "Basic YWI=",  // no colon
                                    "Basic YTp",
                                    "Basic YTo",
                                    "Basic YTo==",
                                    "Basic YTo=a",
                                    "Basic Y=pi",
                                    "Basic ====",
                                    "Basic =",
                                    "Basic YTpi YTpi",
                                    "Basic YT-i",
                                    "Basic YT_i",
                                    "Basic YTp\xff",
                                    "Basic YTpi,",
                                    "Basic YQA6Yg==",
                                    "Basic YQo6Yg==",
                                    "Basic YTpiCQ=="})
        BOOST_TEST(read(value) == "none", value);
}

BOOST_AUTO_TEST_CASE(a_buffer_that_is_too_small) {
    std::array<char, 3> buffer;
    BOOST_TEST(read_basic("Basic YTpi", buffer).has_value());
    BOOST_TEST(!read_basic("Basic YTpiYw==", buffer).has_value());
    BOOST_TEST(!read_basic("Basic YTpi", std::span{buffer}.first(2)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
