// What is read ahead for those who go through a file in order, and what hints change of that.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(fragment_window_test)

using namespace leat;
using namespace leat::literals;
using leat::test::code_of;
using leat::test::extent_read;
using leat::test::extent_reads;
using leat::test::fragments;
using leat::test::is_pattern;
using leat::test::right_bytes;

namespace {

constexpr auto per_element = boost::test_tools::per_element();

std::uint64_t bytes_of(const extent_reads& reads) {
    std::uint64_t sum = 0;
    for (const extent_read& one : reads) sum += one.size;
    return sum;
}

/// Whether they are the bytes from `begin` on, once each.
bool follow_each_other(const extent_reads& reads, std::uint64_t begin) {
    for (const extent_read& one : reads) {
        if (one.offset != begin) return false;
        begin += one.size;
    }
    return true;
}

/// Copies [begin, begin + size) by one read(); whether the bytes are right.
task<bool> right_copy(
    chunk_manager& manager, file from, std::uint64_t begin, std::uint64_t size, hint given) {
    std::vector<std::byte> to(size);
    const std::size_t count = co_await manager.read(from, begin, to, given);
    co_return count == size&& is_pattern(to, 1, begin);
}

}  // namespace

BOOST_AUTO_TEST_CASE(
    the_second_miss_in_order_brings_its_fragment_and_the_fourth_fragment_a_window) {
    fragments of{64_MiB, 64_MiB, 10_MiB};
    BOOST_TEST(of.right(0, 16_KiB));
    BOOST_TEST(of.reads() == (extent_reads{{0, 16_KiB}}), per_element);
    BOOST_TEST(of.right(16_KiB, 16_KiB));
    BOOST_TEST(of.reads() == (extent_reads{{16_KiB, 48_KiB}}), per_element);
    for (std::uint64_t at = 64_KiB; at < 192_KiB; at += 64_KiB) {
        BOOST_TEST(of.right(at, 16_KiB));
        BOOST_TEST(of.reads() == (extent_reads{{at, 64_KiB}}), per_element);
    }
    const cache_statistics before = of.sum();
    BOOST_TEST(of.right(192_KiB, 16_KiB));
    of.settle();
    const extent_reads window = of.reads();
    BOOST_TEST(follow_each_other(window, 192_KiB));
    BOOST_TEST(bytes_of(window) == 256_KiB);
    // One read, of a list of buffers.
    BOOST_TEST(of.sum().reads == before.reads + 1);
    BOOST_TEST(of.sum().fills == before.fills + 4);
    // All of it is there.
    for (std::uint64_t at = 192_KiB; at < 320_KiB; at += 16_KiB) BOOST_TEST(of.right(at, 16_KiB));
    BOOST_TEST(of.reads().empty());
    BOOST_TEST(of.sum().hits == before.hits + 8);
}

BOOST_AUTO_TEST_CASE(who_goes_through_a_file_in_order_makes_few_reads_and_none_twice) {
    // No room for whole chunks of 10 MiB, so all goes into fragments.
    for (const std::uint64_t step : {4_KiB, 16_KiB, 64_KiB}) {
        fragments of{64_MiB, 64_MiB, 10_MiB};
        BOOST_TEST(of.walk(0, 60_MiB, step));
        of.settle();
        BOOST_TEST(of.sum().reads < 40u);
        BOOST_TEST(follow_each_other(of.reads(), 0));
    }
}

BOOST_AUTO_TEST_CASE(requests_at_random_places_read_no_more_than_they_ask_for) {
    fragments of{256_MiB, 64_MiB, 10_MiB};
    std::uint64_t random = 7;
    std::uint64_t units = 0;
    for (int i = 0; i < 500; ++i) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const std::uint64_t unit = (random >> 33) % (256_MiB / 4_KiB);
        BOOST_TEST(of.right(unit * 4_KiB, 4_KiB));
        ++units;
    }
    // Some meet in a fragment, which is made whole, or go on where others ended.
    BOOST_TEST(of.source->bytes < units * 4_KiB * 5);
}

BOOST_AUTO_TEST_CASE(a_window_ends_where_something_is_there) {
    fragments of{64_MiB, 64_MiB, 10_MiB};
    BOOST_TEST(of.right(2_MiB + 128_KiB, 64_KiB));
    (void)of.reads();
    BOOST_TEST(of.owner.run(right_bytes(of.manager, of.at(2_MiB, 4_KiB, hint::stream))));
    of.settle();
    const extent_reads window = of.reads();
    BOOST_TEST(follow_each_other(window, 2_MiB));
    BOOST_TEST(bytes_of(window) == 128_KiB);
}

BOOST_AUTO_TEST_CASE(who_says_that_he_goes_on_gets_a_window_at_once) {
    fragments of{64_MiB, 64_MiB, 10_MiB};
    BOOST_TEST(of.owner.run(right_bytes(of.manager, of.at(3_MiB + 8_KiB, 4_KiB, hint::stream))));
    of.settle();
    const extent_reads window = of.reads();
    BOOST_TEST(follow_each_other(window, 3_MiB + 8_KiB));
    BOOST_TEST(bytes_of(window) == 248_KiB);
}

BOOST_AUTO_TEST_CASE(a_window_ends_with_the_file) {
    for (const std::uint64_t size : {100_KiB, 130_KiB + 1, 64_KiB, 1_KiB}) {
        fragments of{size, 64_MiB, 10_MiB};
        BOOST_TEST(of.owner.run(right_bytes(of.manager, of.at(0, 1_KiB, hint::stream))));
        of.settle();
        const extent_reads window = of.reads();
        BOOST_TEST(follow_each_other(window, 0));
        BOOST_TEST(bytes_of(window) == size);
        BOOST_TEST(of.walk(0, size, 4_KiB));
        BOOST_TEST(of.reads().empty());
    }
}

BOOST_AUTO_TEST_CASE(who_joins_a_window_on_its_way_reads_nothing_and_gets_his_bytes) {
    fragments of{64_MiB, 64_MiB, 10_MiB};
    of.source->held = true;
    auto first = of.owner.spawn_on(0, right_bytes(of.manager, of.at(0, 4_KiB, hint::stream)));
    while (of.sum().waiting != 1) std::this_thread::yield();
    std::vector<spawned<bool>> all;
    for (const std::uint64_t at : {64_KiB, 100_KiB, 192_KiB, 128_KiB})
        all.push_back(of.owner.spawn_on(0, right_bytes(of.manager, of.at(at, 4_KiB))));
    while (of.sum().waiting != 5) std::this_thread::yield();
    // The one for whom it is read gives up: the others get what they asked for.
    first.request_stop();
    BOOST_CHECK_THROW(first.get(), system_error);
    of.source->held = false;
    for (spawned<bool>& one : all) BOOST_TEST(one.get());
}

BOOST_AUTO_TEST_CASE(an_error_in_a_window_is_that_of_those_alone_who_ask_for_the_bytes) {
    fragments of{64_MiB, 64_MiB, 10_MiB};
    of.source->bad_from = 128_KiB;
    of.source->bad_to = 192_KiB;
    BOOST_TEST(of.owner.run(right_bytes(of.manager, of.at(0, 4_KiB, hint::stream))));
    of.settle();
    BOOST_TEST(of.right(64_KiB, 4_KiB));
    BOOST_TEST(of.code(128_KiB, 4_KiB).value() == EIO);
    of.source->bad_from = ~std::uint64_t{0};
    BOOST_TEST(of.right(128_KiB, 4_KiB));
    BOOST_TEST(of.walk(0, 10_MiB, 16_KiB));
}

BOOST_AUTO_TEST_CASE(a_file_that_changes_in_a_window_is_noticed_by_all_who_wait) {
    fragments of{64_MiB, 64_MiB, 10_MiB};
    of.source->held = true;
    std::vector<spawned<boost::system::error_code>> all;
    all.push_back(of.owner.spawn_on(0, code_of(of.manager, of.at(0, 4_KiB, hint::stream))));
    while (of.sum().waiting != 1) std::this_thread::yield();
    all.push_back(of.owner.spawn_on(0, code_of(of.manager, of.at(128_KiB, 4_KiB))));
    while (of.sum().waiting != 2) std::this_thread::yield();
    of.source->version = 2;
    of.source->held = false;
    for (auto& one : all) BOOST_TEST(one.get() == errc::file_changed);
    of.settle();
    BOOST_TEST(of.sum().chunks == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_read_once_is_read_past_the_cache_and_what_is_there_is_copied) {
    fragments of{10_MiB, 64_MiB};
    BOOST_TEST(of.right(1_MiB + 128_KiB, 64_KiB));
    (void)of.reads();
    BOOST_TEST(of.owner.run(right_copy(of.manager, of.from, 1_MiB, 512_KiB, hint::once)));
    // Through a temporary of limited length, since the vector is not aligned.
    extent_reads before = of.reads();
    extent_reads behind;
    while (before.back().offset > 1_MiB + 128_KiB) {
        behind.insert(behind.begin(), before.back());
        before.pop_back();
    }
    BOOST_TEST(follow_each_other(before, 1_MiB));
    BOOST_TEST(bytes_of(before) == 128_KiB);
    BOOST_TEST(follow_each_other(behind, 1_MiB + 192_KiB));
    BOOST_TEST(bytes_of(behind) == 320_KiB);
    const cache_statistics sum = of.sum();
    BOOST_TEST(sum.chunks == 1u);
    BOOST_TEST(sum.bypasses == 2u);
    // Not in whole units.
    BOOST_TEST(of.owner.run(right_copy(of.manager, of.from, 3_MiB + 77, 5000, hint::once)));
    BOOST_TEST(of.owner.run(right_copy(of.manager, of.from, 10_MiB - 100, 100, hint::once)));
    BOOST_TEST(of.sum().chunks == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_got_once_brings_what_is_asked_for_and_nothing_ahead) {
    fragments of{64_MiB, 64_MiB, 10_MiB};
    for (std::uint64_t at = 0; at < 4_MiB; at += 64_KiB)
        BOOST_TEST(of.owner.run(right_bytes(of.manager, of.at(at, 4_KiB, hint::once))));
    BOOST_TEST(of.source->bytes == 64 * 4_KiB);
}

BOOST_AUTO_TEST_CASE(a_large_copy_reads_what_it_needs_by_whole_fragments) {
    fragments of{64_MiB, 64_MiB, 10_MiB};
    BOOST_TEST(
        of.owner.run(right_copy(of.manager, of.from, 5_MiB + 10_KiB, 600_KiB, hint::normal)));
    of.settle();
    const extent_reads read = of.reads();
    BOOST_TEST(follow_each_other(read, 5_MiB));
    BOOST_TEST(bytes_of(read) == 640_KiB);
    BOOST_TEST(of.sum().reads == 1u);
    // Across chunks.
    BOOST_TEST(of.owner.run(right_copy(of.manager, of.from, 19_MiB + 5, 2_MiB, hint::normal)));
}

BOOST_AUTO_TEST_CASE(a_large_copy_of_a_chunk_reads_it_as_one_where_there_is_room_for_chunks) {
    fragments of{64_MiB, 64_MiB};
    BOOST_TEST(of.owner.run(right_copy(of.manager, of.from, 4_MiB, 2_MiB, hint::normal)));
    of.settle();
    BOOST_TEST(of.sum().chunks == 2u);
    BOOST_TEST(of.source->bytes == 2_MiB);
    // A slice of all of it, without a copy.
    const slice all = of.get(4_MiB, 1_MiB);
    BOOST_TEST(is_pattern(all.bytes(), 1, 4_MiB));
    BOOST_TEST(of.source->bytes == 2_MiB);
}

BOOST_AUTO_TEST_CASE(slices_of_any_size_are_right_and_read_each_byte_once) {
    for (const std::uint64_t memory : {8_MiB, 64_MiB}) {
        for (const std::uint32_t piece : {0u, 4096u, 50'000u, 200'000u}) {
            fragments of{5_MiB + 100, memory};
            auto walk = [](fragments& with, std::uint32_t size) -> task<bool> {
                slices_options options;
                options.slice_size = size;
                slice_stream stream = with.manager.slices(with.from, 0, with.from.size(), options);
                bool right = true;
                std::uint64_t at = 0;
                for (;;) {
                    const slice next = co_await stream.next();
                    if (!next) break;
                    right = right && is_pattern(next.bytes(), 1, at);
                    at += next.size();
                }
                co_return right&& at == with.from.size();
            };
            BOOST_TEST(of.owner.run(walk(of, piece)));
            of.settle();
            if (memory == 64_MiB) BOOST_TEST(of.source->bytes == 5_MiB + 100);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
