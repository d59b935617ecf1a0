// What is read for those who go through a file backwards, or ask at equal distances.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>

BOOST_AUTO_TEST_SUITE(other_orders_test)

using namespace leat;
using namespace leat::literals;
using leat::test::extent_read;
using leat::test::extent_reads;
using leat::test::fragments;

namespace {

constexpr std::uint64_t file_bytes = 100_MiB;

extent_reads backwards(std::uint64_t step) {
    extent_reads all;
    for (std::uint64_t end = file_bytes; end != 0; end -= all.back().size)
        all.push_back({end - std::min(end, step), std::min(end, step)});
    return all;
}

extent_reads by_steps(std::uint64_t step) {
    extent_reads all;
    for (std::uint64_t at = 0; at + 4_KiB <= file_bytes; at += step) all.push_back({at, 4_KiB});
    return all;
}

/// Whether all are right, asked for one after the other.
task<bool> right_in_order(const chunk_manager& manager, file from, extent_reads all) {
    bool right = true;
    for (const extent_read& one : all) {
        const auto size = static_cast<std::uint32_t>(one.size);
        const bool well = co_await test::right_bytes(manager, {from, one.offset, size});
        right = right && well;
    }
    co_return right;
}

void has_large_reads(extent_reads (*order)(std::uint64_t),
                     std::initializer_list<std::uint64_t> steps) {
    for (const unsigned shards : {1U, 2U}) {
        for (const std::uint64_t step : steps) {
            fragments of{file_bytes, 320_MiB, 10_MiB, shards};
            BOOST_TEST(of.owner.run(right_in_order(of.manager, of.from, order(step))));
            of.settle();
            // Fragment by fragment they would be 1,600.
            const std::uint64_t reads = of.sum().reads;
            BOOST_TEST(reads <= 150U, "" << reads << " reads by " << step << " on " << shards);
            BOOST_TEST(of.source->bytes <= file_bytes + 1_MiB);
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_goes_backwards_has_large_reads_and_nothing_is_read_twice) {
    has_large_reads(backwards, {64_KiB, 16_KiB, 128_KiB, 1_MiB});
}

BOOST_AUTO_TEST_CASE(short_steps_are_served_by_large_reads_and_nothing_is_read_twice) {
    has_large_reads(by_steps, {48_KiB, 72_KiB, 100_KiB, 124_KiB});
}

BOOST_AUTO_TEST_CASE(long_steps_cost_what_they_ask_for) {
    for (const std::uint64_t step : {128_KiB, 192_KiB}) {
        fragments of{file_bytes, 320_MiB, 10_MiB};
        BOOST_TEST(of.owner.run(right_in_order(of.manager, of.from, by_steps(step))));
        of.settle();
        BOOST_TEST(of.source->bytes == (file_bytes + step - 1) / step * 4_KiB);
    }
}

BOOST_AUTO_TEST_SUITE_END()
