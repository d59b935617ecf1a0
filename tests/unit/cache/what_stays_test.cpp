// Which chunks are still there after others have come, by each policy that promises it.
#include "cache_support.hpp"
#include "two_shards.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>

BOOST_AUTO_TEST_SUITE(what_stays_test)

using namespace leat;
using namespace leat::literals;
using leat::test::get;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::two_shards;

namespace {

constexpr std::uint64_t chunk = 64_KiB;

/// One shard with room for 100 chunks, used by one task.
class hundred {
public:
    explicit hundred(cache_policy policy)
        : owner_(options(policy)), manager_(owner_, scripted_source{script_of(10'000 * chunk)}) {
        from_ = owner_.run(manager_.open("any"));
    }
    /// Whether a request for the beginning of a chunk was a hit.
    task<bool> use(std::uint64_t index, hint given = hint::normal) {
        const chunk_config config{from_, index * chunk, 4096, given};
        const bool there = static_cast<bool>(manager_.peek(config));
        if (!there) co_await get(manager_, config);
        co_return there;
    }
    /// A chunk in pieces of 4 KiB, from its beginning to its end.
    task<> read_through(std::uint64_t index, hint given) {
        for (std::uint64_t in = 0; in < chunk; in += 4096)
            co_await get(manager_, {from_, index * chunk + in, 4096, given});
    }
    template <class Task>
    auto run(Task work) {
        return owner_.run(std::move(work));
    }

private:
    static engine_options options(cache_policy policy) {
        engine_options made = test::small_engine(1, 100 * chunk, chunk);
        made.policy = policy;
        return made;
    }
    engine owner_;
    chunk_manager manager_;
    file from_;
};

task<int> hot_beside_scan(hundred& all, std::uint64_t hot, int rounds) {
    std::uint64_t random = 1;
    std::uint64_t cold = 1000;
    int hits = 0;
    for (int i = 0; i < rounds; ++i) {
        random = random * 6364136223846793005 + 1442695040888963407;
        const bool hit = co_await all.use((random >> 33) % hot);
        hits += hit ? 1 : 0;
        co_await all.read_through(cold++, hint::normal);
    }
    co_return hits;
}

/// A hot set of 50 is used three times over; then a file of 2,000 chunks is scanned, during which
/// the hot set is used on if `meanwhile`. How many of the hot set are there at the end.
task<int> hot_after_scan(hundred& all, hint given, bool meanwhile) {
    for (int round = 0; round < 3; ++round) {
        for (std::uint64_t index = 0; index < 50; ++index) co_await all.use(index);
    }
    for (std::uint64_t cold = 0; cold < 2000; ++cold) {
        co_await all.read_through(1000 + cold, given);
        if (meanwhile) co_await all.use(cold * 7 % 50);
    }
    int there = 0;
    for (std::uint64_t index = 0; index < 50; ++index) {
        const bool hit = co_await all.use(index);
        there += hit ? 1 : 0;
    }
    co_return there;
}

}  // namespace

BOOST_AUTO_TEST_CASE(warm_chunks_survive_a_scan_whoever_uses_them_and_whoever_scans) {
    for (const cache_policy policy : {cache_policy::lru, cache_policy::s3fifo_e}) {
        for (const unsigned user : {0u, 1u}) {
            for (const unsigned scanner : {0u, 1u}) {
                two_shards both{100, policy};
                constexpr std::size_t warm = 40;
                std::size_t cold = warm;
                for (int round = 0; round < 6; ++round) {
                    for (std::size_t i = 0; i < warm; ++i) {  // between two uses: 79 other chunks
                        both.use(user, both.owned[0][i]);
                        both.use(scanner, both.owned[0][cold++]);
                    }
                }
                const cache_statistics sum = both.sum();
                BOOST_TEST(sum.fills == cold, name_of(policy)
                                                  << ", used on shard " << user << ", scanned on "
                                                  << scanner << ": " << sum.fills - cold
                                                  << " warm chunks were loaded again");
                // Pages of headers may have the place of a chunk.
                BOOST_TEST(sum.evictions >= cold - 100);
                BOOST_TEST(sum.evictions <= cold - 100 + 1);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(chunks_that_are_used_at_random_stay_beside_a_scan_as_fast) {
    hundred all{cache_policy::s3fifo_e};
    constexpr int rounds = 6000;
    const int hits = all.run(hot_beside_scan(all, 30, rounds));
    BOOST_TEST(hits >= rounds * 99 / 100);
}

BOOST_AUTO_TEST_CASE(a_scan_of_twenty_times_the_memory_leaves_what_was_hot) {
    for (const hint given : {hint::normal, hint::scan}) {
        for (const bool meanwhile : {false, true}) {
            hundred all{cache_policy::s3fifo_e};
            const int there = all.run(hot_after_scan(all, given, meanwhile));
            BOOST_TEST(there >= 48, there << " of 50 with hint " << static_cast<int>(given)
                                          << (meanwhile ? ", used meanwhile" : ""));
        }
    }
}

BOOST_AUTO_TEST_CASE(with_a_hint_a_scan_leaves_what_was_hot_under_every_policy) {
    for (const cache_policy policy : cache_policies) {
        hundred all{policy};
        const int there = all.run(hot_after_scan(all, hint::scan, false));
        BOOST_TEST(there == 50, name_of(policy) << ": " << there << " of 50");
    }
}

BOOST_AUTO_TEST_SUITE_END()
