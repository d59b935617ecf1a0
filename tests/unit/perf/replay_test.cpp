// What a replay counts.
#include "replay/replay.hpp"

#include "replay/replay_point.hpp"
#include "replay/request_cursor.hpp"

#include <leat/engine/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(replay_test)

using namespace leat::perf;
using leat::cache_policy;
using leat::GiB;
using leat::KiB;

namespace {

constexpr std::uint64_t chunk_size = 64 * KiB;

struct asked {
    std::uint32_t file;
    std::uint64_t offset;
    std::uint64_t size;
};

trace trace_of(const std::vector<asked>& all, std::uint64_t file_bytes = 100 * chunk_size) {
    trace result;
    result.file_bytes.assign(4, file_bytes);
    for (const asked& one : all) {
        trace_request wanted;
        wanted.file = one.file;
        wanted.offset = one.offset;
        wanted.size = one.size;
        result.requests.push_back(wanted);
    }
    return result;
}

replay_options lru_of(std::uint64_t chunks) {
    replay_options how;
    how.policy = cache_policy::lru;
    how.memory = chunks * chunk_size;
    how.chunk_size = chunk_size;
    return how;
}

}  // namespace

BOOST_AUTO_TEST_CASE(misses_that_touch_are_one_read) {
    // Four chunks at once; then a hole is read around: chunks 10 and 12, but not 11.
    const trace of = trace_of({{0, 100, 4 * chunk_size - 200},
                               {0, 11 * chunk_size, 4096},
                               {0, 10 * chunk_size, 3 * chunk_size}});
    const replay_figures found = replay(of, lru_of(50));
    BOOST_TEST(found.requests == 3U);
    BOOST_TEST(found.missed == 3U);
    BOOST_TEST(found.loads == 7U);
    BOOST_TEST(found.reads == 4U);
    BOOST_TEST(found.bytes_read == 7 * chunk_size);
    BOOST_TEST(found.bytes_served == 7 * chunk_size - 200 + 4096);
    BOOST_TEST(found.miss_ratio() == 1);
}

BOOST_AUTO_TEST_CASE(chunks_that_touch_by_different_requests_are_two_reads) {
    const replay_figures found =
        replay(trace_of({{0, 0, chunk_size}, {0, chunk_size, chunk_size}}), lru_of(50));
    BOOST_TEST(found.reads == 2U);
    BOOST_TEST(found.mean_read_bytes() == chunk_size);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_file_is_a_short_read) {
    const replay_figures found =
        replay(trace_of({{0, chunk_size, 10}}, chunk_size + 5000), lru_of(50));
    BOOST_TEST(found.bytes_read == 5000U);
    BOOST_TEST(found.bytes_read_per_byte() == 500);
}

BOOST_AUTO_TEST_CASE(a_request_misses_once_whatever_it_lacks) {
    const trace of = trace_of({{0, 0, 4096}, {0, 0, 3 * chunk_size}, {0, 0, 3 * chunk_size}});
    const replay_figures found = replay(of, lru_of(50));
    BOOST_TEST(found.missed == 2U);
    BOOST_TEST(found.loads == 3U);
    BOOST_TEST(found.reads == 2U);
}

BOOST_AUTO_TEST_CASE(the_second_half_counts_alone) {
    replay_options how = lru_of(50);
    how.second_half = true;
    const trace of = trace_of({{0, 0, 10}, {1, 0, 10}, {0, 0, 10}, {2, 0, 20}});
    const replay_figures found = replay(of, how);
    BOOST_TEST(found.requests == 2U);
    BOOST_TEST(found.missed == 1U);
    BOOST_TEST(found.bytes_served == 30U);
    BOOST_TEST(found.miss_ratio() == 0.5);
}

BOOST_AUTO_TEST_CASE(requests_are_cut_within_chunks) {
    const trace of = trace_of({{0, chunk_size - 1000, 9000}, {3, 5, 7}});
    request_cursor cursor{of, chunk_size, 4096};
    std::vector<std::uint64_t> sizes;
    std::vector<std::uint64_t> offsets;
    std::vector<std::size_t> indices;
    trace_request next;
    while (cursor.next(next)) {
        sizes.push_back(next.size);
        offsets.push_back(next.offset);
        indices.push_back(cursor.index());
    }
    const std::vector<std::uint64_t> expected_sizes{1000, 4096, 3904, 7};
    const std::vector<std::uint64_t> expected_offsets{chunk_size - 1000, chunk_size,
                                                      chunk_size + 4096, 5};
    const std::vector<std::size_t> expected_indices{0, 0, 0, 1};
    BOOST_TEST(sizes == expected_sizes, boost::test_tools::per_element());
    BOOST_TEST(offsets == expected_offsets, boost::test_tools::per_element());
    BOOST_TEST(indices == expected_indices, boost::test_tools::per_element());
    replay_options how = lru_of(50);
    how.split = 4096;
    BOOST_TEST(replay(of, how).requests == 4U);
    BOOST_TEST(replay(of, how).reads == 3U);
}

BOOST_AUTO_TEST_CASE(the_device_takes_time_for_reads_and_for_bytes) {
    replay_figures found;
    BOOST_TEST(found.device_seconds_per_gib({}) == 0);
    BOOST_TEST(found.miss_ratio() == 0);
    found.reads = 1000;
    found.bytes_read = 2'400'000'000;
    found.bytes_served = GiB / 2;
    const auto close = boost::test_tools::tolerance(1e-9);
    BOOST_TEST(found.device_seconds({}) == 1.085, close);
    BOOST_TEST(found.device_seconds_per_gib({}) == 2.17, close);
    BOOST_TEST(found.device_seconds({1e-3, 1.2e9}) == 3.0, close);
}

BOOST_AUTO_TEST_CASE(memory_for_no_chunk_is_refused) {
    replay_options how = lru_of(1);
    how.memory = chunk_size - 1;
    const trace of = trace_of({{0, 0, 1}});
    BOOST_CHECK_THROW((void)replay(of, how), leat::system_error);
    // From whichever thread.
    const std::vector<replay_options> ways(5, how);
    BOOST_CHECK_THROW((void)replay_each(of, ways), leat::system_error);
}

BOOST_AUTO_TEST_CASE(points_come_in_the_order_of_the_ways) {
    std::vector<asked> loop;
    for (std::uint64_t i = 0; i < 1000; ++i) loop.push_back({0, i % 10 * chunk_size, 1});
    const trace of = trace_of(loop);
    BOOST_TEST(chunks_asked(of, chunk_size) == 10U);
    BOOST_TEST(chunks_asked(of, 4 * chunk_size) == 3U);
    std::vector<replay_options> ways;
    for (std::uint64_t chunks = 1; chunks <= 12; ++chunks) ways.push_back(lru_of(chunks));
    const std::vector<replay_point> points = replay_points(of, ways);
    BOOST_REQUIRE(points.size() == 12U);
    for (std::size_t i = 0; i < points.size(); ++i) {
        BOOST_TEST(points[i].how.memory == (i + 1) * chunk_size);
        BOOST_TEST(points[i].found.missed == (i + 1 < 10 ? 1000U : 10U));
    }
}

BOOST_AUTO_TEST_CASE(sweeps_go_up_to_what_holds_all) {
    const std::vector<std::uint64_t> counts = chunk_counts(4096, 6);
    const std::vector<std::uint64_t> expected{4, 16, 64, 256, 1024, 4096};
    BOOST_TEST(counts == expected, boost::test_tools::per_element());
    BOOST_TEST(chunk_counts(3, 12).size() == 1U);
    BOOST_TEST(chunk_counts(3, 12).front() == 3U);
    BOOST_TEST(chunk_counts(6, 12).size() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
