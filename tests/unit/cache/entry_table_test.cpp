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
        const detail::entry* next = table.find(one.file_number, one.index);
        BOOST_REQUIRE(next == &one);
        // What lies behind it in the chain is passed by whoever is looked up there.
        for (; next != nullptr; next = next->chain) ++steps;
    }
    return steps / static_cast<double>(entries.size());
}

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
                entries[key].index = key * stride;
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
        entries[key].index = key;
        table.insert(entries[key]);
    }
    BOOST_TEST(walk(table, entries) > 16);
    table.adopt(detail::entry_table::buckets(4096));
    BOOST_TEST(table.size() == 4096u);
    BOOST_TEST(walk(table, entries) < 2);
    for (std::uint64_t key = 0; key < entries.size(); key += 2) table.erase(entries[key]);
    BOOST_TEST(table.find(files[0], 2) == nullptr);
    BOOST_TEST(table.find(files[0], 3) == &entries[3]);
}

BOOST_AUTO_TEST_CASE(tables_have_a_bucket_for_each_chunk_that_their_engine_can_hold) {
    engine_options options = test::small_engine(4, 256_MiB, 4_MiB);
    options.huge_pages = options.register_buffers = false;
    engine owner{options};
    const auto buckets = [&](unsigned shard) {
        auto body = []() -> task<std::uint64_t> {
            co_return detail::shard_cache::current().table().size();
        };
        return owner.spawn_on(shard, body()).get();
    };
    chunk_manager large{owner, test::scripted_source{test::script_of(1_MiB)}};
    BOOST_TEST(buckets(0) == 64u);
    // A manager of small chunks that comes later: 4096 of them, owned or leased.
    chunk_manager small{
        owner, test::scripted_source{test::script_of(1_MiB)}, {.chunk_size = 64_KiB}};
    for (unsigned shard = 0; shard < 4; ++shard) {
        BOOST_TEST(buckets(shard) == 4096u);
        BOOST_TEST(buckets(shard) * sizeof(detail::entry*) <= 64_MiB / 256);
    }
    const file from = owner.run(small.open("any"));
    for (std::uint64_t offset = 0; offset < 1_MiB; offset += 64_KiB)
        BOOST_TEST(owner.run(test::get(small, {from, offset, 100})).size() == 100u);
}
