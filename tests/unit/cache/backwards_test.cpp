// What is read for those who go through a file from its end to its beginning.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>

using namespace leat;
using namespace leat::literals;
using leat::test::fragments;

namespace {

constexpr std::uint64_t file_bytes = 100_MiB;

task<bool> right_backwards(const chunk_manager& manager, file from, std::uint64_t step) {
    bool right = true;
    for (std::uint64_t end = file_bytes; end != 0;) {
        const std::uint64_t size = end < step ? end : step;
        end -= size;
        right = right &&
                co_await test::right_bytes(manager, {from, end, static_cast<std::uint32_t>(size)});
    }
    co_return right;
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_goes_backwards_has_large_reads_and_nothing_is_read_twice) {
    for (const unsigned shards : {1U, 2U}) {
        for (const std::uint64_t step : {64_KiB, 16_KiB, 128_KiB, 1_MiB}) {
            fragments of{file_bytes, 320_MiB, 10_MiB, shards};
            BOOST_TEST(of.owner.run(right_backwards(of.manager, of.from, step)));
            of.settle();
            const cache_statistics all = of.sum();
            // By 64 KiB they would be 1,600.
            BOOST_TEST(all.reads <= 150U,
                       "" << all.reads << " reads by " << step << " on " << shards);
            BOOST_TEST(of.source->bytes <= file_bytes + 1_MiB);
        }
    }
}
