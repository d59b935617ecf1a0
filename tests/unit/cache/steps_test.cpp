// What is read for those who ask for something at equal distances.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>

using namespace leat;
using namespace leat::literals;
using leat::test::fragments;

namespace {

constexpr std::uint64_t file_bytes = 100_MiB;

task<bool> right_steps(const chunk_manager& manager, file from, std::uint64_t step) {
    bool right = true;
    for (std::uint64_t at = 0; at + 4_KiB <= file_bytes; at += step)
        right = right &&
                co_await test::right_bytes(manager, {from, at, static_cast<std::uint32_t>(4_KiB)});
    co_return right;
}

}  // namespace

BOOST_AUTO_TEST_CASE(short_steps_are_served_by_large_reads_and_nothing_is_read_twice) {
    for (const unsigned shards : {1U, 2U}) {
        for (const std::uint64_t step : {48_KiB, 72_KiB, 100_KiB, 124_KiB}) {
            fragments of{file_bytes, 320_MiB, 10_MiB, shards};
            BOOST_TEST(of.owner.run(right_steps(of.manager, of.from, step)));
            of.settle();
            // Fragment by fragment, as the source has it: by requests there would be no fewer.
            const std::uint64_t reads = of.sum().reads;
            BOOST_TEST(reads <= 150U, "" << reads << " reads by " << step << " on " << shards);
            BOOST_TEST(of.source->bytes <= file_bytes + 1_MiB);
        }
    }
}

BOOST_AUTO_TEST_CASE(long_steps_cost_what_they_ask_for) {
    for (const std::uint64_t step : {128_KiB, 192_KiB}) {
        fragments of{file_bytes, 320_MiB, 10_MiB};
        BOOST_TEST(of.owner.run(right_steps(of.manager, of.from, step)));
        of.settle();
        BOOST_TEST(of.source->bytes == (file_bytes + step - 1) / step * 4_KiB);
    }
}
