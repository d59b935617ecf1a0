// Requests that stand alone, where others follow close by; and what nobody has come to, where
// memory is short.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <vector>

BOOST_AUTO_TEST_SUITE(read_on_test)

using namespace leat;
using namespace leat::literals;
using leat::test::extent_read;
using leat::test::extent_reads;
using leat::test::fragments;
using leat::test::scripted_source;

namespace {

/// It reads into lists of buffers by itself, as files do.
struct list_source : scripted_source {
    using scripted_source::read;
    using scripted_source::scripted_source;
    task<std::size_t> read(file_type& file,
                           std::uint64_t offset,
                           detail::buffer_list buffers,
                           priority urgency) {
        std::size_t all = 0;
        for (const std::span<std::byte> buffer : buffers) {
            const std::size_t got = co_await scripted_source::read(file, offset, buffer, urgency);
            all += got;
            offset += got;
        }
        co_return all;
    }
};
using listed = test::fragments_of<list_source>;

/// Each fragment of a region once, in an order that no run has.
std::vector<std::uint64_t> shuffled(std::uint64_t begin, std::uint64_t end) {
    std::vector<std::uint64_t> order((end - begin) / 64_KiB);
    std::iota(order.begin(), order.end(), begin / 64_KiB);
    std::mt19937_64 random{1};
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    for (std::uint64_t& one : order) one *= 64_KiB;
    return order;
}

/// Asks for them so; whether all bytes were right.
template <class Fragments>
bool right_at_random(Fragments& of, std::uint64_t begin, std::uint64_t end) {
    bool right = true;
    for (const std::uint64_t offset : shuffled(begin, end))
        right = of.right(offset, 64_KiB) && right;
    of.settle();
    return right;
}

std::uint64_t bytes_of(const extent_reads& reads) {
    std::uint64_t sum = 0;
    for (const extent_read& one : reads) sum += one.size;
    return sum;
}

}  // namespace

BOOST_AUTO_TEST_CASE(regions_that_are_asked_for_at_random_are_read_by_few_reads_and_once) {
    constexpr std::uint64_t region = 20_MiB;
    constexpr std::uint64_t begin[] = {0, 60_MiB, 120_MiB};
    listed of{256_MiB, 64_MiB, 10_MiB};
    std::uint64_t reads = 0;
    for (const std::uint64_t at : begin) {
        reads = of.sum().reads;
        BOOST_TEST(right_at_random(of, at, at + region));
    }
    // It has been learned by now.
    BOOST_TEST(of.sum().reads - reads < region / 64_KiB * 2 / 3);
    const extent_reads all = of.reads();
    // Some beyond the regions.
    BOOST_TEST(bytes_of(all) <= 3 * (region + 512_KiB));
    for (std::size_t i = 1; i < all.size(); ++i)
        BOOST_TEST(all[i - 1].offset + all[i - 1].size <= all[i].offset);
}

BOOST_AUTO_TEST_CASE(who_goes_through_a_file_that_is_read_on_is_a_stream) {
    listed of{256_MiB, 64_MiB, 10_MiB};
    for (const std::uint64_t at : {0_MiB, 60_MiB}) BOOST_TEST(right_at_random(of, at, at + 20_MiB));
    const std::uint64_t before = of.sum().reads;
    static_cast<void>(of.reads());
    BOOST_TEST(of.walk(122_MiB + 64_KiB, 162_MiB, 64_KiB));
    of.settle();
    BOOST_TEST(of.sum().reads - before < 30u);
    const extent_reads all = of.reads();
    for (std::size_t i = 1; i < all.size(); ++i)
        BOOST_TEST(all[i - 1].offset + all[i - 1].size == all[i].offset);
}

BOOST_AUTO_TEST_CASE(fragments_far_apart_are_read_alone) {
    listed of{4_GiB, 64_MiB, 10_MiB};
    std::mt19937_64 random{1};
    constexpr std::uint64_t requests = 1'500;
    for (std::uint64_t i = 0; i < requests; ++i)
        BOOST_TEST(of.right(random() % (4_GiB / 64_KiB) * 64_KiB, 64_KiB));
    of.settle();
    BOOST_TEST(bytes_of(of.reads()) <= requests * 64_KiB * 11 / 10);
}

// Each that is missed is as likely to be there as what follows it, and as what has to go.
BOOST_AUTO_TEST_CASE(a_set_of_which_half_fits_is_not_read_on) {
    listed of{128_MiB, 64_MiB, 10_MiB};
    std::mt19937_64 random{1};
    for (int i = 0; i < 3'000; ++i)
        BOOST_TEST(of.right(random() % (120_MiB / 64_KiB) * 64_KiB, 64_KiB));
    of.settle();
    static_cast<void>(of.reads());
    const std::uint64_t before = of.sum().misses;
    for (int i = 0; i < 2'000; ++i)
        BOOST_TEST(of.right(random() % (120_MiB / 64_KiB) * 64_KiB, 64_KiB));
    of.settle();
    BOOST_TEST(bytes_of(of.reads()) <= (of.sum().misses - before) * 64_KiB * 3 / 2);
}

// Half of them have a second fragment: that says nothing of what follows.
BOOST_AUTO_TEST_CASE(records_that_nobody_asks_for_again_are_read_alone) {
    listed of{4_GiB, 64_MiB, 10_MiB};
    std::mt19937_64 random{1};
    std::uint64_t requests = 0;
    for (std::uint64_t record = 0; record < 1'000; ++record) {
        const std::uint64_t begin = random() % (4_GiB / 1_MiB) * 1_MiB + 512_KiB;
        BOOST_TEST(of.right(begin, 64_KiB));
        if (record % 2 == 0) BOOST_TEST(of.right(begin + 64_KiB, 64_KiB));
        requests += record % 2 == 0 ? 2 : 1;
    }
    of.settle();
    BOOST_TEST(bytes_of(of.reads()) <= requests * 64_KiB * 11 / 10);
}

// One more read for each fragment is no gain.
BOOST_AUTO_TEST_CASE(nothing_is_read_on_from_a_source_that_knows_no_lists) {
    fragments of{256_MiB, 64_MiB, 10_MiB};
    for (const std::uint64_t at : {0_MiB, 60_MiB}) BOOST_TEST(right_at_random(of, at, at + 20_MiB));
    BOOST_TEST(of.sum().reads >= 2 * 320u * 9 / 10);
}

BOOST_AUTO_TEST_CASE(a_memory_of_little_more_than_what_is_read_on_has_no_room_for_that) {
    listed of{256_MiB, 30_MiB, 10_MiB};
    for (const std::uint64_t at : {0_MiB, 60_MiB, 120_MiB})
        BOOST_TEST(right_at_random(of, at, at + 20_MiB));
    BOOST_TEST(of.sum().reads >= 3 * 320u * 9 / 10);
}

// They need 55 MiB, and 21 more have been read ahead when the last of them stops for the first
// time.
BOOST_AUTO_TEST_CASE(what_readers_leave_who_stop_goes_before_what_they_come_back_to) {
    constexpr std::uint64_t readers = 44;
    listed of{1_GiB, 64_MiB, 10_MiB};
    const auto all_read = [&] {
        for (std::uint64_t one = 0; one < readers; ++one)
            BOOST_TEST(of.walk(one * 10_MiB, one * 10_MiB + 1280_KiB, 16_KiB));
        of.settle();
    };
    all_read();
    BOOST_TEST(of.sum().ahead_bytes >= 18_MiB);
    const std::uint64_t before = of.sum().misses;
    for (int round = 0; round < 7; ++round) all_read();
    BOOST_TEST(of.sum().misses - before < 250u);
    BOOST_TEST(of.sum().ahead_bytes < 12_MiB);
}

BOOST_AUTO_TEST_SUITE_END()
