// Entity tags: what makes another one, and how they are written.
#include "http/entity_tag.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>

BOOST_AUTO_TEST_SUITE(entity_tag_test)

using namespace leat::http;

namespace {

constexpr leat::file_version version{.device = 1, .inode = 2, .size = 100, .modified_ns = 3};

std::string written(entity_tag tag) {
    return std::string{entity_tag::text{tag}.view()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(how_they_are_written) {
    BOOST_TEST(written({0x0123456789abcdef, false}) == "\"0123456789abcdef\"");
    BOOST_TEST(written({0x0123456789abcdef, true}) == "W/\"0123456789abcdef\"");
    BOOST_TEST(written({0, false}) == "\"0000000000000000\"");
    BOOST_TEST(written({~0ULL, false}) == "\"ffffffffffffffff\"");
    const entity_tag::text weak{entity_tag{0, true}};
    BOOST_TEST(weak.opaque() == "\"0000000000000000\"");
    const entity_tag::text strong{entity_tag{0, false}};
    BOOST_TEST(strong.opaque() == strong.view());
}

BOOST_AUTO_TEST_CASE(each_field_of_a_version_makes_another) {
    std::set<std::string> all{written(entity_tag::of(version, true))};
    const auto differs = [&all](auto leat::file_version::* field) {
        leat::file_version other = version;
        ++(other.*field);
        return all.insert(written(entity_tag::of(other, true))).second;
    };
    BOOST_TEST(differs(&leat::file_version::device));
    BOOST_TEST(differs(&leat::file_version::inode));
    BOOST_TEST(differs(&leat::file_version::size));
    BOOST_TEST(differs(&leat::file_version::modified_ns));
    BOOST_TEST(differs(&leat::file_version::changed_ns));
    BOOST_TEST(differs(&leat::file_version::instance));
    // Two fields with each other's values.
    leat::file_version other = version;
    std::swap(other.device, other.inode);
    BOOST_TEST(all.insert(written(entity_tag::of(other, true))).second);
    BOOST_TEST(all.insert(written(entity_tag::of({}, true))).second);
}

BOOST_AUTO_TEST_CASE(the_same_everywhere_and_always) {
    // Changed, it makes every cache in the world ask again.
    BOOST_TEST(written(entity_tag::of(version, true)) == "\"bf01af9cb612e834\"");
    BOOST_TEST(written(entity_tag::of(100, 3, true)) == "\"da193b0b192769bc\"");
}

BOOST_AUTO_TEST_CASE(one_that_may_change_unseen_is_weak) {
    BOOST_TEST(entity_tag::of(version, false).weak());
    BOOST_TEST(!entity_tag::of(version, true).weak());
    BOOST_TEST(entity_tag::of(100, 3, false).weak());
    BOOST_TEST(entity_tag::of(version, false).value() == entity_tag::of(version, true).value());
}

BOOST_AUTO_TEST_CASE(size_and_time) {
    BOOST_TEST((entity_tag::of(100, 3, true) == entity_tag::of(100, 3, true)));
    BOOST_TEST((entity_tag::of(100, 3, true) != entity_tag::of(101, 3, true)));
    BOOST_TEST((entity_tag::of(100, 3, true) != entity_tag::of(100, 4, true)));
    BOOST_TEST((entity_tag::of(100, 3, true) != entity_tag::of(3, 100, true)));
}

BOOST_AUTO_TEST_SUITE_END()
