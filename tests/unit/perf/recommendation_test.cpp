// Which memory and chunks are recommended.
#include "replay/recommendation.hpp"

#include "replay/made_up_trace.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(recommendation_test)

using namespace leat::perf;
using leat::GiB;
using leat::KiB;
using leat::MiB;

namespace {

// A GiB is served, and a read takes a millisecond: `reads` are the device's time.
constexpr device_model by_reads{1e-3, 1e30};

replay_point point(std::uint64_t memory, std::uint64_t chunk_size, std::uint64_t reads) {
    replay_point result;
    result.how.memory = memory;
    result.how.chunk_size = chunk_size;
    result.found.reads = reads;
    result.found.bytes_served = GiB;
    return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_best_chunks_and_the_least_memory_worth_it) {
    const recommendation chosen = choose(
        {point(1 * GiB, MiB, 1000), point(1 * GiB, 64 * KiB, 900), point(2 * GiB, MiB, 450),
         point(2 * GiB, 64 * KiB, 500), point(4 * GiB, MiB, 436), point(4 * GiB, 64 * KiB, 499)},
        by_reads);
    BOOST_TEST(chosen.memory == 2 * GiB);
    BOOST_TEST(chosen.chunk_size == MiB);
    BOOST_TEST(sentence_of(chosen) ==
               "recommended: chunks of 1 MiB and 2 GiB of memory: the device works 0.45 s per GiB "
               "served; twice the memory would save only 3 % more");
}

BOOST_AUTO_TEST_CASE(a_plateau_before_a_fall_is_crossed) {
    const recommendation chosen = choose({point(1 * GiB, MiB, 1000), point(2 * GiB, MiB, 1000),
                                          point(4 * GiB, MiB, 1000), point(8 * GiB, MiB, 10)},
                                         by_reads);
    BOOST_TEST(chosen.memory == 8 * GiB);
    BOOST_TEST(sentence_of(chosen).ends_with("; all that is asked for fits"));
}

BOOST_AUTO_TEST_CASE(a_small_fall_far_away_is_not_worth_it) {
    const recommendation chosen = choose({point(1 * GiB, MiB, 1000), point(2 * GiB, MiB, 1000),
                                          point(4 * GiB, MiB, 1000), point(8 * GiB, MiB, 800)},
                                         by_reads);
    BOOST_TEST(chosen.memory == GiB);
    BOOST_TEST(sentence_of(chosen).ends_with("twice the memory would save nothing"));
}

BOOST_AUTO_TEST_CASE(a_device_that_does_nothing_is_enough) {
    const recommendation chosen = choose({point(GiB, MiB, 0), point(2 * GiB, MiB, 0)}, by_reads);
    BOOST_TEST(chosen.memory == GiB);
    BOOST_TEST(!chosen.saved_by_twice);
}

BOOST_AUTO_TEST_CASE(small_files_want_small_chunks) {
    const recommendation chosen = recommend(make_trace({"smallfiles", 1, 20'000}), {}, {});
    BOOST_TEST(chosen.chunk_size == 64 * KiB);
    BOOST_TEST(!chosen.tried.empty());
}

BOOST_AUTO_TEST_SUITE_END()
