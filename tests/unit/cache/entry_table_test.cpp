// Where chunks lie: shards and buckets.
#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/cache/detail/entry_table.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>

// Pairs are not printed.
using found_entry = std::pair<leat::detail::entry*, std::uint64_t>;
BOOST_TEST_DONT_PRINT_LOG_VALUE(found_entry)

BOOST_AUTO_TEST_SUITE(entry_table_test)

using namespace leat;
using namespace leat::literals;

namespace {

// Numbers as the registry gives them: the use of a slot above 24 bits of its index.
constexpr std::uint64_t files[] = {1 << 24, (1 << 24) + 1, (2 << 24) + 21, (7 << 24) + 0x4a7c15};

/// chi-square of the owners of `count` keys, less its mean, in standard deviations.
template <class Owner>
double deviation(unsigned shards, unsigned count, Owner owner_of) {
    std::vector<double> owned(shards);
    for (unsigned key = 0; key < count; ++key) ++owned[owner_of(key)];
    const double mean = static_cast<double>(count) / shards;
    double sum = 0;
    for (const double one : owned) sum += (one - mean) * (one - mean) / mean;
    return (sum - (shards - 1)) / std::sqrt(2.0 * (shards - 1));
}

unsigned owner(unsigned shards, std::uint64_t file, std::uint64_t index) {
    return static_cast<unsigned>((detail::entry_table::hash(file, index) >> 32) % shards);
}

/// Entries that a look-up of each of these passes, on average.
double walk(const detail::entry_table& table, const std::deque<detail::entry>& entries) {
    double steps = 0;
    for (const detail::entry& one : entries) {
        const detail::entry* next = table.find(one.file_number, one.piece);
        BOOST_REQUIRE(next == &one);
        // What lies behind it in the chain is passed by whoever is looked up there.
        for (; next != nullptr; next = next->chain) ++steps;
    }
    return steps / static_cast<double>(entries.size());
}

/// Entries of a file that serves one manager: only its address counts.
struct served {
    served() { from.served_by = &manager(); }
    detail::manager_core& manager() { return reinterpret_cast<detail::manager_core&>(owner[0]); }
    detail::manager_core& another() { return reinterpret_cast<detail::manager_core&>(owner[64]); }
    /// All of it has landed.
    detail::entry& add(detail::piece_number piece, std::uint64_t start, std::uint64_t length) {
        detail::entry& made = all.emplace_back();
        made.file = &from;
        made.file_number = from.number = files[0];
        made.piece = piece;
        made.start = static_cast<std::uint32_t>(start);
        made.length = made.ready_length = static_cast<std::uint32_t>(length);
        table.insert(made);
        return made;
    }
    detail::entry& fragment(std::uint64_t in, std::uint64_t start, std::uint64_t length) {
        return add(detail::piece_number::fragment({5, in}), start, length);
    }
    /// What has these bytes of chunk 5, and where it has them.
    std::pair<detail::entry*, std::uint64_t> find(std::uint64_t in, std::uint32_t size) {
        const detail::chunk_place place{5, in};
        detail::entry* const found = table.find_ready(manager(), files[0], place, size);
        return {found, found != nullptr ? in - found->start : in};
    }

    alignas(64) std::byte owner[128]{};
    detail::file_record from;
    detail::entry_table table{256};
    std::deque<detail::entry> all;
};

using found = found_entry;

}  // namespace

BOOST_AUTO_TEST_CASE(every_stride_spreads_over_the_shards_as_a_random_set_does) {
    std::mt19937_64 random{1};
    for (const unsigned shards : {2u, 3u, 4u, 7u, 8u, 16u, 64u}) {
        unsigned beyond = 0;
        unsigned random_beyond = 0;
        double worst = 0;
        for (const std::uint64_t file : files) {
            for (std::uint64_t stride = 1; stride <= 4096; ++stride) {
                const double by_stride = deviation(shards, 32 * shards, [&](std::uint64_t key) {
                    return owner(shards, file, key * stride);
                });
                worst = std::max(worst, by_stride);
                beyond += by_stride > 3 ? 1 : 0;
                random_beyond += deviation(shards, 32 * shards,
                                           [&](std::uint64_t) {
                                               return static_cast<unsigned>(random() % shards);
                                           }) > 3
                                     ? 1
                                     : 0;
            }
        }
        // Of 16,384 sets the worst of random ones reach 11 with one degree of freedom.
        BOOST_TEST(worst < 20, shards << " shards: a stride is off by " << worst);
        BOOST_TEST(beyond < 2 * random_beyond + 20,
                   shards << " shards: " << beyond << " strides, " << random_beyond << " random");
    }
}

BOOST_AUTO_TEST_CASE(every_stride_spreads_over_the_buckets) {
    constexpr std::uint64_t count = 1024;
    for (const std::uint64_t file : files) {
        for (std::uint64_t stride = 1; stride <= 4096; stride += 5) {
            detail::entry_table table{count};
            std::deque<detail::entry> entries(count);
            for (std::uint64_t key = 0; key < count; ++key) {
                entries[key].file_number = file;
                entries[key].piece = detail::piece_number::chunk(key * stride);
                table.insert(entries[key]);
            }
            const double steps = walk(table, entries);
            BOOST_REQUIRE_MESSAGE(steps < 2, "stride " << stride << ": " << steps);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_table_that_grows_keeps_its_entries) {
    detail::entry_table table{64};
    std::deque<detail::entry> entries(4096);
    for (std::uint64_t key = 0; key < entries.size(); ++key) {
        entries[key].file_number = files[0];
        entries[key].piece = detail::piece_number::chunk(key);
        table.insert(entries[key]);
    }
    BOOST_TEST(walk(table, entries) > 16);
    table.adopt(detail::entry_table::buckets(4096));
    BOOST_TEST(table.size() == 4096u);
    BOOST_TEST(walk(table, entries) < 2);
    for (std::uint64_t key = 0; key < entries.size(); key += 2) table.erase(entries[key]);
    BOOST_TEST(table.find(files[0], detail::piece_number::chunk(2)) == nullptr);
    BOOST_TEST(table.find(files[0], detail::piece_number::chunk(3)) == &entries[3]);
}

BOOST_AUTO_TEST_CASE(chunks_and_fragments_of_a_file_have_different_numbers) {
    using detail::piece_number;
    constexpr std::uint64_t most = (std::uint64_t{1} << 48) - 1;
    for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{7}, most}) {
        const piece_number chunk = piece_number::chunk(index);
        BOOST_TEST(chunk.is_chunk());
        BOOST_TEST(chunk.index() == index);
        BOOST_TEST(chunk.fragment() == 0u);
        for (const std::uint64_t in : {0_KiB, 64_KiB - 1, 64_KiB, 10_MiB - 1, 1_GiB - 1}) {
            const piece_number part = piece_number::fragment({index, in});
            BOOST_TEST(!part.is_chunk());
            BOOST_TEST(part.index() == index);
            BOOST_TEST(part.fragment() == in / 64_KiB + 1);
            BOOST_TEST(part.number() != chunk.number());
            BOOST_TEST((part == piece_number::fragment({index, in / 64_KiB * 64_KiB})));
        }
    }
}

BOOST_AUTO_TEST_CASE(fragments_lie_in_the_buckets_that_follow_that_of_their_chunk) {
    constexpr std::uint64_t count = 256;
    detail::entry_table table{count};
    std::deque<detail::entry> entries;
    const auto add = [&](std::uint64_t file, detail::piece_number piece) -> detail::entry& {
        detail::entry& made = entries.emplace_back();
        made.file_number = file;
        made.piece = piece;
        table.insert(made);
        return made;
    };
    // One chunk of another file in each bucket, found by its hash.
    std::vector<detail::entry*> in_bucket(count);
    for (std::uint64_t index = 0, filled = 0; filled < count; ++index) {
        const std::uint64_t bucket = detail::entry_table::hash(files[1], index) % count;
        if (in_bucket[bucket] != nullptr) continue;
        in_bucket[bucket] = &add(files[1], detail::piece_number::chunk(index));
        ++filled;
    }
    // More fragments than there are buckets: they go on at the first one.
    const std::uint64_t first = detail::entry_table::hash(files[0], 9);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto piece = detail::piece_number::fragment({9, i * 64_KiB});
        const detail::entry& part = add(files[0], piece);
        BOOST_TEST(part.chain == in_bucket[(first + 1 + i) % count]);
        BOOST_TEST(table.find(files[0], piece) == &part);
    }
    BOOST_TEST(walk(table, entries) <= 2);
    table.adopt(detail::entry_table::buckets(4 * count));
    BOOST_TEST(walk(table, entries) < 2);
}

BOOST_FIXTURE_TEST_CASE(bytes_are_found_in_the_chunk_or_else_in_the_fragment, served) {
    detail::entry& chunk = add(detail::piece_number::chunk(5), 0, 1_MiB);
    detail::entry& part = fragment(128_KiB, 128_KiB, 64_KiB);
    BOOST_TEST(find(130_KiB, 100) == found(&chunk, 130_KiB));
    chunk.ready_length = 0;  // nothing of it has landed
    BOOST_TEST(find(130_KiB, 100) == found(&part, 2_KiB));
    BOOST_TEST(find(128_KiB, 64_KiB) == found(&part, 0));
    BOOST_TEST(find(100_KiB, 100) == found(nullptr, 100_KiB));
    table.erase(part);
    BOOST_TEST(find(130_KiB, 100) == found(nullptr, 130_KiB));
    chunk.ready_length = chunk.length;
    BOOST_TEST(find(130_KiB, 100) == found(&chunk, 130_KiB));
}

BOOST_FIXTURE_TEST_CASE(a_fragment_has_its_bytes_from_its_start_on_and_no_others, served) {
    detail::entry& part = fragment(64_KiB, 72_KiB, 8_KiB);
    BOOST_TEST(find(72_KiB, 1) == found(&part, 0));
    BOOST_TEST(find(74_KiB, 6_KiB) == found(&part, 2_KiB));
    BOOST_TEST(find(72_KiB, 8_KiB) == found(&part, 0));
    BOOST_TEST(find(80_KiB - 1, 1) == found(&part, 8_KiB - 1));
    // Where it does not have them the place stays as it is.
    BOOST_TEST(find(72_KiB, 8_KiB + 1) == found(nullptr, 72_KiB));
    BOOST_TEST(find(72_KiB - 1, 1) == found(nullptr, 72_KiB - 1));
    BOOST_TEST(find(72_KiB - 1, 2) == found(nullptr, 72_KiB - 1));
    BOOST_TEST(find(80_KiB, 1) == found(nullptr, 80_KiB));
    BOOST_TEST(find(72_KiB, 0) == found(nullptr, 72_KiB));
}

BOOST_FIXTURE_TEST_CASE(what_crosses_is_found_by_its_first_fragment, served) {
    detail::entry& part = fragment(60_KiB, 60_KiB, 12_KiB);
    BOOST_TEST(find(62_KiB, 4_KiB) == found(&part, 2_KiB));
    BOOST_TEST(find(62_KiB, 10_KiB) == found(&part, 2_KiB));
    BOOST_TEST(find(62_KiB, 10_KiB + 1) == found(nullptr, 62_KiB));
}

BOOST_FIXTURE_TEST_CASE(units_of_a_fragment_that_have_landed_are_counted_from_its_start, served) {
    detail::entry& part = fragment(64_KiB, 64_KiB + 32_KiB, 16_KiB);
    std::atomic<std::uint64_t> landed{2};  // the second unit
    part.presence = &landed;
    part.ready_length = 0;
    BOOST_TEST(find(100_KiB, 4_KiB) == found(&part, 4_KiB));
    BOOST_TEST(find(100_KiB - 1, 2) == found(nullptr, 100_KiB - 1));
    BOOST_TEST(find(104_KiB, 1) == found(nullptr, 104_KiB));
}

BOOST_FIXTURE_TEST_CASE(what_another_manager_asks_for_is_not_found, served) {
    add(detail::piece_number::chunk(5), 0, 1_MiB);
    fragment(64_KiB, 64_KiB, 64_KiB);
    detail::chunk_place place{5, 70_KiB};
    BOOST_TEST(table.find_ready(another(), files[0], place, 100) == nullptr);
    BOOST_TEST(place.in == 70_KiB);
    from.served_by = nullptr;
    BOOST_TEST(find(70_KiB, 100) == found(nullptr, 70_KiB));
}

BOOST_AUTO_TEST_CASE(tables_have_a_bucket_for_each_fragment_and_each_chunk_of_their_engine) {
    engine_options options = test::small_engine(8, 256_MiB, 4_MiB);
    options.memory = 256_MiB;
    options.huge_pages = options.register_buffers = false;
    engine owner{options};
    const auto buckets = [&](unsigned shard) {
        auto body = []() -> task<std::uint64_t> {
            co_return detail::shard_cache::current().table().size();
        };
        return owner.spawn_on(shard, body()).get();
    };
    chunk_manager large{owner, test::scripted_source{test::script_of(1_MiB)}};
    // Fragments of 16 KiB each in the 32 MiB of a shard.
    BOOST_TEST(buckets(0) == 2048u);
    // A manager of small chunks that comes later: 4096 of them, owned or leased.
    chunk_manager small{
        owner, test::scripted_source{test::script_of(1_MiB)}, {.chunk_size = 64_KiB}};
    for (unsigned shard = 0; shard < 8; ++shard) {
        BOOST_TEST(buckets(shard) == 4096u);
        BOOST_TEST(buckets(shard) * sizeof(detail::entry*) <= 32_MiB / 256);
    }
    const file from = owner.run(small.open("any"));
    const auto all_are_right = [&] {
        for (std::uint64_t offset = 0; offset < 1_MiB; offset += 64_KiB)
            BOOST_TEST(owner.run(test::get(small, {from, offset, 100})).size() == 100u);
    };
    all_are_right();
    // They follow the memory.
    owner.set_memory(128_MiB);
    while (buckets(0) + buckets(7) != 4096u) std::this_thread::yield();
    all_are_right();
    owner.set_memory(256_MiB);
    while (buckets(0) + buckets(7) != 8192u) std::this_thread::yield();
    all_are_right();
}

BOOST_AUTO_TEST_SUITE_END()
