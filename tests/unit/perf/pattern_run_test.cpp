// Patterns are served by a real engine: what is read is counted, of the second half only.
#include "patterns/pattern_run.hpp"

#include "patterns/pattern_outcome.hpp"
#include "small_engine.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

BOOST_AUTO_TEST_SUITE(pattern_run_test)

using namespace leat::perf;
using leat::KiB;
using leat::MiB;

namespace {

constexpr std::uint64_t page = 4 * KiB;

pattern_way way(asking by, unsigned clients = 1) {
    return {leat::test::small_engine(1, 4 * MiB, 64 * KiB), clients, by, leat::hint::normal};
}

/// A page of each of `files`, which are no longer than that.
trace pages_of(std::uint32_t files) {
    trace of;
    of.file_bytes.assign(files, page);
    for (std::uint32_t i = 0; i < files; ++i) {
        trace_request& one = of.requests.emplace_back();
        one.file = i;
        one.size = page;
    }
    return of;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_new_is_read) {
    for (const asking by : {asking::get_chunk, asking::slices, asking::read}) {
        for (const unsigned clients : {1U, 3U}) {
            BOOST_TEST_CONTEXT(static_cast<int>(by) << " by " << clients) {
                const replay_figures found = run_pattern(pages_of(20), way(by, clients));
                BOOST_TEST(found.requests == 10U);
                BOOST_TEST(found.bytes_served == 10 * page);
                BOOST_TEST(found.reads == 10U);
                BOOST_TEST(found.bytes_read == 10 * page);
                BOOST_TEST(found.late_pieces == 10U);
                BOOST_TEST(found.pieces == 10U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_was_read_is_there) {
    trace twice = pages_of(10);
    twice.requests.insert(twice.requests.end(), twice.requests.begin(), twice.requests.end());
    for (const asking by : {asking::get_chunk, asking::read}) {
        const replay_figures found = run_pattern(twice, way(by));
        BOOST_TEST(found.requests == 10U);
        BOOST_TEST(found.reads == 0U);
        BOOST_TEST(found.bytes_read == 0U);
        BOOST_TEST(found.late_pieces == 0U);
        BOOST_TEST(found.pieces == 10U);
    }
}

BOOST_AUTO_TEST_CASE(requests_are_cut_at_borders) {
    trace of;
    of.file_bytes = {MiB};
    for (const std::uint64_t offset : {0U, 5000U}) {
        trace_request& one = of.requests.emplace_back();
        one.offset = offset;
        one.size = 200'000;
    }
    const replay_figures found = run_pattern(of, way(asking::get_chunk));
    BOOST_TEST(found.bytes_served == 200'000U);
    BOOST_TEST(found.pieces == 4U);
}

BOOST_AUTO_TEST_CASE(rivals_have_the_same_requests) {
    pattern_options how{.engine = leat::test::small_engine(1, 4 * MiB, 64 * KiB)};
    how.requests = 3000;
    const pattern& which = *find_pattern("packed");
    const pattern_outcome found = compare_pattern(trace_of(which, how), which, how);
    BOOST_TEST(found.failure.empty());
    BOOST_TEST(found.memory == how.engine.memory);
    BOOST_REQUIRE(found.sides.size() == 3U);
    for (const pattern_side& side : found.sides) {
        BOOST_TEST_CONTEXT(side.name) {
            BOOST_TEST(side.found.requests == 1500U);
            BOOST_TEST(side.found.bytes_served == 1500 * page);
            BOOST_TEST(side.hits > 0.05);
            BOOST_TEST(side.hits < 0.9);
            BOOST_TEST(side.found.bytes_read >= side.found.reads * page);
        }
    }
    const replay_figures& pages = found.sides[1].found;
    BOOST_TEST(pages.reads == pages.missed);
    BOOST_TEST(pages.bytes_read == pages.missed * page);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_served_is_told) {
    pattern_options how{.engine = leat::test::small_engine(1, MiB, 10 * MiB)};
    how.requests = 10;
    const pattern& which = patterns().front();
    const pattern_outcome found = compare_pattern(trace_of(which, how), which, how);
    BOOST_TEST(found.sides.empty());
    BOOST_TEST(found.figures().empty());
    BOOST_TEST(found.failure.find("too small") != std::string::npos, found.failure);
}

BOOST_AUTO_TEST_CASE(names_are_those_of_patterns) {
    pattern_options few;
    few.requests = 20;
    for (const pattern& one : patterns()) {
        BOOST_TEST(find_pattern(one.name) == &one);
        BOOST_TEST(one.quick_requests <= one.requests);
        BOOST_TEST(trace_of(one, few).requests.size() == 20U);
    }
    BOOST_TEST(find_pattern("week") == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
