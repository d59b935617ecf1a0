// All that a cache holds keeps to its memory, which may change while it runs.
#include "fragments.hpp"
#include "shard/chunk.hpp"
#include "shard/shard_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <numeric>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(memory_budget_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::detail::shard_memory;
using leat::test::fragments;

namespace {

task<std::uint64_t> mapped_here() {
    co_return this_shard().statistics().arena.mapped_bytes;
}

std::uint64_t mapped(engine& of) {
    std::uint64_t sum = 0;
    for (unsigned shard = 0; shard < of.shards(); ++shard)
        sum += of.spawn_on(shard, mapped_here()).get();
    return sum;
}

// Buffers, entries and all else together.
std::uint64_t in_all(fragments& of) {
    return mapped(of.owner) + of.sum().entry_bytes;
}

// Lone requests, each of a fragment of its own.
task<bool> scatter(const chunk_manager& manager,
                   chunk_config first,
                   std::uint64_t step,
                   int count) {
    bool right = true;
    for (int n = 0; n < count; ++n) {
        const slice got = co_await manager.get_chunk(first);
        right = right && test::is_pattern(got.bytes(), 1, first.offset);
        first.offset += step;
    }
    co_return right;
}

std::string code_of_memory(engine& of, std::uint64_t bytes) {
    try {
        of.set_memory(bytes);
    } catch (const system_error& failure) {
        return failure.what();
    }
    return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_granted_besides_is_not_the_arenas) {
    io::buffer_arena arena{{.budget = 8_MiB, .huge_pages = false, .segment_bytes = 1_MiB}};
    shard_memory memory{arena, 8_MiB, 2_MiB};
    BOOST_TEST(arena.budget() == 8_MiB - shard_memory::first_grant);
    BOOST_TEST(memory.take(shard_memory::first_grant));
    BOOST_TEST(arena.budget() == 8_MiB - shard_memory::first_grant);
    BOOST_TEST(memory.take(1));
    BOOST_TEST(arena.budget() < 8_MiB - shard_memory::first_grant);
    BOOST_TEST(memory.besides() == shard_memory::first_grant + 1);
    // As long as buffers are used nothing takes their place.
    std::vector<std::byte*> used;
    while (std::byte* const one = arena.allocate(1_MiB)) used.push_back(one);
    BOOST_TEST(used.size() == 7U);
    BOOST_TEST(!memory.take(1_MiB));
    BOOST_TEST(!memory.exceeded());
    BOOST_TEST(memory.may_have(1_MiB));
    memory.take_anyway(1_MiB);
    BOOST_TEST(memory.exceeded());
    // Nor what was granted to others while they have it.
    BOOST_TEST(!memory.take(1));
    BOOST_TEST(memory.remember(0, 1_KiB) == 0U);
    arena.release(used.back(), 1_MiB);
    used.pop_back();
    arena.release(used.back(), 1_MiB);
    used.pop_back();
    BOOST_TEST(!memory.exceeded());
    BOOST_TEST(memory.take(1));
    BOOST_TEST(arena.statistics().mapped_bytes + memory.besides() <= 8_MiB);
    for (std::byte* const one : used) arena.release(one, 1_MiB);
}

BOOST_AUTO_TEST_CASE(two_chunks_are_the_buffers_whatever_else_there_is) {
    io::buffer_arena arena{{.budget = 8_MiB, .huge_pages = false, .segment_bytes = 1_MiB}};
    shard_memory memory{arena, 8_MiB, 2_MiB};
    BOOST_TEST(memory.take(5_MiB));
    BOOST_TEST(memory.remember(10_KiB, 512_KiB) == 512_KiB);
    BOOST_TEST(!memory.may_have(1_MiB));
    BOOST_TEST(!memory.take(1_MiB));
    BOOST_TEST(memory.remember(512_KiB, 2_MiB) == 512_KiB);
    BOOST_TEST(arena.budget() >= 2_MiB);
    BOOST_TEST(memory.besides() + 2_MiB <= 8_MiB);
    memory.give_back(5_MiB);
    BOOST_TEST(memory.remember(10_KiB, 20_KiB) == 20_KiB);
    BOOST_TEST(arena.budget() == 8_MiB - shard_memory::first_grant);
}

BOOST_AUTO_TEST_CASE(where_there_is_room_for_two_chunks_only_a_few_entries_have_some_all_the_same) {
    io::buffer_arena arena{{.budget = 2_MiB, .huge_pages = false, .segment_bytes = 1_MiB}};
    shard_memory memory{arena, 2_MiB, 2_MiB};
    BOOST_TEST(memory.remember(0, 1) == 1U);
    BOOST_TEST(memory.remember(0, 0) == 0U);
    BOOST_TEST(memory.take(256_KiB));
    BOOST_TEST(!memory.take(1));
    BOOST_TEST(arena.budget() == 2_MiB - 256_KiB);
    BOOST_TEST(memory.may_claim());
    // When both are claimed.
    memory.give_back(256_KiB - memory.due());
    memory.claim();
    BOOST_TEST(!memory.may_claim());
    BOOST_TEST(arena.budget() == 2_MiB);
    BOOST_TEST(!memory.take(1));
    BOOST_TEST(memory.remember(0, 1) == 0U);
    std::byte* const first = arena.allocate(1_MiB);
    std::byte* const second = arena.allocate(1_MiB);
    BOOST_REQUIRE(second != nullptr);
    // And until they are no longer there.
    memory.disclaim();
    BOOST_TEST(arena.budget() == 2_MiB);
    BOOST_TEST(!memory.take(1));
    arena.release(second, 1_MiB);
    memory.disclaim();
    BOOST_TEST(memory.may_claim());
    BOOST_TEST(memory.fault() == nullptr);
    BOOST_TEST(memory.take(1));
    BOOST_TEST(arena.budget() < 2_MiB);
    arena.release(first, 1_MiB);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_parts_is_told) {
    io::buffer_arena arena{{.budget = 8_MiB, .huge_pages = false, .segment_bytes = 1_MiB}};
    shard_memory memory{arena, 8_MiB, 2_MiB};
    BOOST_TEST(memory.fault() == nullptr);
    arena.set_budget(8_MiB);
    BOOST_TEST(memory.fault() == std::string{"the arena may map what is granted to others"});
    memory.set_bytes(8_MiB);
    BOOST_TEST(memory.fault() == nullptr);
    memory.give_back(1);
    BOOST_TEST(memory.fault() == std::string{"entries take memory that was not granted to them"});
}

BOOST_AUTO_TEST_CASE(small_pieces_in_place_of_large_ones_take_no_more_memory) {
    fragments of{1_GiB, 8_MiB};
    const std::uint64_t budget = of.owner.memory();
    BOOST_TEST(of.owner.run(scatter(of.manager, of.at(0, 64_KiB), 192_KiB, 300)));
    BOOST_TEST(in_all(of) <= budget);
    for (int round = 0; round < 40; ++round) {
        const std::uint64_t begin = static_cast<std::uint64_t>(round) * 100 * 192_KiB;
        BOOST_TEST(of.owner.run(scatter(of.manager, of.at(begin, 4_KiB), 192_KiB, 100)));
        BOOST_TEST(in_all(of) <= budget);
        // And memory is not left unused for want of entries.
        BOOST_TEST(of.sum().cached_bytes >= budget / 4 * 3);
    }
    const cache_statistics now = of.sum();
    BOOST_TEST(now.memory_bytes == budget);
    BOOST_TEST(now.cached_bytes + now.entry_bytes <= budget);
    BOOST_TEST(now.cached_bytes >= now.chunks * 4_KiB);
    BOOST_TEST(now.entry_bytes >= now.chunks * sizeof(detail::chunk));
}

BOOST_AUTO_TEST_CASE(entries_leave_two_chunks_to_buffers_when_both_are_wanted) {
    // Memory for two chunks, and nothing else.
    fragments of{2_GiB, 16_MiB, 8_MiB};
    const std::uint64_t budget = of.owner.memory();
    for (std::uint64_t round = 0; round < 3; ++round) {
        const std::uint64_t begin = round * 608_MiB;
        BOOST_TEST(of.owner.run(scatter(of.manager, of.at(begin, 8_KiB), 136_KiB, 4400)));
        // Much of it is used, though not all: entries and what is remembered have their parts, too.
        BOOST_TEST(of.sum().cached_bytes >= budget / 2);
        BOOST_TEST(in_all(of) <= budget);
        const slice first = of.get(begin, 8_MiB);
        const slice second = of.get(begin + 8_MiB, 8_MiB);
        BOOST_TEST(test::is_pattern(first.bytes(), 1, begin));
        BOOST_TEST(test::is_pattern(second.bytes(), 1, begin + 8_MiB));
        BOOST_TEST(in_all(of) <= budget + detail::shard_memory::first_grant + 16_MiB / 512);
    }
}

BOOST_AUTO_TEST_CASE(leases_are_in_the_budget) {
    fragments of{1_GiB, 16_MiB, 1_MiB, 2};
    const std::uint64_t budget = of.owner.memory();
    const std::uint64_t before = of.sum().entry_bytes;
    for (int round = 0; round < 20; ++round) {
        const std::uint64_t begin = static_cast<std::uint64_t>(round) * 100 * 192_KiB;
        for (unsigned shard = 0; shard < 2; ++shard) {
            const chunk_config first = of.at(begin, 4_KiB);
            BOOST_TEST(of.owner.spawn_on(shard, scatter(of.manager, first, 192_KiB, 100)).get());
            BOOST_TEST(of.owner.spawn_on(shard, scatter(of.manager, first, 192_KiB, 100)).get());
        }
        BOOST_TEST(in_all(of) <= budget);
    }
    BOOST_TEST(of.sum().leases != 0U);
    const cache_statistics now = of.sum();
    BOOST_TEST(now.entry_bytes - before >= (now.chunks + now.leases) * sizeof(detail::lease));
}

BOOST_AUTO_TEST_CASE(what_is_under_way_takes_memory_as_long_as_it_is) {
    constexpr unsigned count = 1000;
    fragments of{1_GiB, 16_MiB, 1_MiB, 1, {.reads_at_once = count}};
    of.source->held = true;
    std::vector<spawned<bool>> all;
    for (std::uint64_t n = 0; n < count; ++n) {
        const chunk_config wanted = of.at(n * 192_KiB, 4_KiB);
        all.push_back(of.owner.spawn_on(0, test::right_bytes(of.manager, wanted)));
    }
    of.wait_for_reads(count);
    const cache_statistics then = of.sum();
    BOOST_TEST(then.filling_chunks == count);
    BOOST_TEST(then.entry_bytes >= count * (sizeof(detail::chunk) + sizeof(detail::fill_state)));
    BOOST_TEST(in_all(of) <= of.owner.memory());
    of.source->held = false;
    for (spawned<bool>& one : all) BOOST_TEST(one.get());
    of.settle();
    const cache_statistics now = of.sum();
    BOOST_TEST(now.chunks == count);
    BOOST_TEST(now.entry_bytes < then.entry_bytes - count * sizeof(detail::fill_state) / 4 * 3);
}

BOOST_AUTO_TEST_CASE(memory_may_be_less_and_more_while_the_engine_runs) {
    fragments of{64_MiB, 16_MiB, 1_MiB, 2};
    const std::uint64_t budget = of.owner.memory();
    BOOST_TEST(of.owner.run(scatter(of.manager, of.at(0, 64_KiB), 128_KiB, 500)));
    BOOST_TEST(mapped(of.owner) > budget / 2);
    of.owner.set_memory(budget / 2);
    of.settle();
    BOOST_TEST(in_all(of) <= budget / 2);
    BOOST_TEST(of.sum().memory_bytes <= budget / 2);
    BOOST_TEST(of.owner.run(scatter(of.manager, of.at(0, 64_KiB), 128_KiB, 500)));
    BOOST_TEST(in_all(of) <= budget / 2);
    of.owner.set_memory(budget);
    BOOST_TEST(of.owner.run(scatter(of.manager, of.at(0, 64_KiB), 128_KiB, 500)));
    BOOST_TEST(in_all(of) > budget / 2);
    BOOST_TEST(in_all(of) <= budget);
}

BOOST_AUTO_TEST_CASE(what_is_pinned_goes_when_it_is_let_go) {
    fragments of{64_MiB, 16_MiB};
    const std::uint64_t budget = of.owner.memory();
    std::vector<slice> held;
    for (std::uint64_t n = 0; n < 100; ++n) held.push_back(of.get(n * 128_KiB, 64_KiB));
    of.owner.set_memory(4_MiB);
    of.settle();
    BOOST_TEST(mapped(of.owner) > 4_MiB);
    for (const slice& one : held) BOOST_TEST(one.size() == 64_KiB);
    held.clear();
    while (in_all(of) > 4_MiB) std::this_thread::yield();
    of.owner.set_memory(budget);
    BOOST_TEST(of.right(0, 64_KiB));
}

BOOST_AUTO_TEST_CASE(memory_that_cannot_be_is_refused) {
    engine_options options = test::small_engine(2, 16_MiB, 1_MiB);
    options.memory = 16_MiB;
    options.most_memory = 32_MiB;
    engine of{options};
    BOOST_TEST(code_of_memory(of, 32_MiB) == "");
    BOOST_TEST(of.memory_per_shard() == 16_MiB);
    BOOST_TEST(code_of_memory(of, 33_MiB)
                   .find("a memory budget of 33 MiB is more than the 32 MiB "
                         "that most_memory allows") != std::string::npos);
    BOOST_TEST(code_of_memory(of, 3_MiB).find(
                   "a memory budget of 3 MiB is too small for 2 shards") != std::string::npos);
    BOOST_TEST(of.memory() == 32_MiB);
}

BOOST_AUTO_TEST_CASE(two_chunks_are_two_in_segments_that_are_longer) {
    // Of segments of 2 MiB one has room for one such chunk, and what remains of twice its length
    // for none.
    engine_options options = test::small_engine(1, 64_MiB, 1920_KiB);
    options.memory = 64_MiB;
    engine of{options};
    chunk_manager manager{of, test::scripted_source{test::script_of(64_MiB)}};
    const file from = of.run(manager.open("any"));
    BOOST_TEST(of.least_memory() == 4_MiB);
    BOOST_TEST(code_of_memory(of, 3840_KiB).find("4 MiB in all") != std::string::npos);
    of.set_memory(4_MiB);
    const slice first = of.run(test::get(manager, {from, 0, 1920_KiB}));
    const slice second = of.run(test::get(manager, {from, 1920_KiB, 1920_KiB}));
    BOOST_TEST(test::is_pattern(second.bytes(), 1, 1920_KiB));
}

// What is left to buffers besides entries is hardly less.
BOOST_AUTO_TEST_CASE(two_chunks_of_a_manager_whose_chunks_are_longer_than_the_engines_fit) {
    engine_options options = test::small_engine(1, 20_MiB, 1_MiB);
    options.memory = 20_MiB;
    options.most_memory = 64_MiB;
    engine of{options};
    BOOST_TEST(of.least_memory() == 2_MiB);
    BOOST_CHECK_THROW(chunk_manager(of, test::scripted_source{fragments::script_with(64_MiB)},
                                    manager_options{.chunk_size = 11_MiB}),
                      system_error);
    BOOST_TEST(of.least_memory() == 2_MiB);
    chunk_manager manager{of, test::scripted_source{fragments::script_with(64_MiB)},
                          manager_options{.chunk_size = 10_MiB}};
    BOOST_TEST(of.least_memory() == 20_MiB);
    BOOST_TEST(code_of_memory(of, 19_MiB).find("two chunks of 10 MiB, 20 MiB in all") !=
               std::string::npos);
    const file from = of.run(manager.open("any"));
    for (const std::uint64_t memory : {20_MiB, 64_MiB, 20_MiB}) {
        of.set_memory(memory);
        const slice first = of.run(test::get(manager, {from, 0, 10_MiB}));
        const slice second = of.run(test::get(manager, {from, 10_MiB, 10_MiB}));
        BOOST_TEST(test::is_pattern(first.bytes(), 1, 0));
        BOOST_TEST(test::is_pattern(second.bytes(), 1, 10_MiB));
    }
}

BOOST_AUTO_TEST_CASE(more_memory_than_at_first_is_used) {
    engine_options options = test::small_engine(1, 8_MiB, 1_MiB);
    options.memory = 8_MiB;
    options.most_memory = 32_MiB;
    engine owner{options};
    chunk_manager manager{owner, test::scripted_source{fragments::script_with(64_MiB)}};
    const file from = owner.run(manager.open("any"));
    owner.set_memory(32_MiB);
    BOOST_TEST(owner.run(scatter(manager, {from, 0, 64_KiB}, 128_KiB, 500)));
    BOOST_TEST(mapped(owner) > 24_MiB);
    BOOST_TEST(mapped(owner) + owner.run(manager.statistics()).entry_bytes <= 32_MiB);
}

BOOST_AUTO_TEST_CASE(entries_of_many_small_pieces_go_with_the_memory) {
    fragments of{8_GiB, 256_MiB};
    const std::uint64_t full = of.owner.memory();
    BOOST_TEST(of.owner.run(scatter(of.manager, of.at(0, 4_KiB), 128_KiB, 59'000)));
    BOOST_TEST(of.sum().chunks > 50'000u);
    BOOST_TEST(of.sum().entry_bytes > 15_MiB);
    of.owner.set_memory(16_MiB);
    while (of.sum().memory_bytes != 16_MiB) std::this_thread::yield();
    const cache_statistics now = of.sum();
    BOOST_TEST(in_all(of) <= 16_MiB);
    // And no more has gone than had to: what was used last is there.
    BOOST_TEST(now.cached_bytes >= 10_MiB);
    BOOST_TEST(now.entry_bytes < 3_MiB);
    for (std::uint64_t n = 58'000; n < 59'000; n += 7) {
        auto look = [](const chunk_manager& manager, chunk_config config) -> task<bool> {
            const slice found = manager.peek(config);
            co_return found&& test::is_pattern(found.bytes(), 1, config.offset);
        };
        BOOST_TEST(of.owner.run(look(of.manager, of.at(n * 128_KiB, 4_KiB))));
    }
    BOOST_TEST(of.owner.run(scatter(of.manager, of.at(64_KiB, 4_KiB), 128_KiB, 5'000)));
    BOOST_TEST(in_all(of) <= 16_MiB);
    of.owner.set_memory(full);
    BOOST_TEST(of.owner.run(scatter(of.manager, of.at(64_KiB, 4_KiB), 128_KiB, 20'000)));
    BOOST_TEST(of.sum().chunks > 20'000u);
}

BOOST_AUTO_TEST_CASE(entries_of_larger_pieces_take_no_memory_for_small_ones) {
    fragments of{8_GiB, 64_MiB};
    BOOST_TEST(of.owner.run(scatter(of.manager, of.at(0, 4_KiB), 128_KiB, 15'000)));
    const std::uint64_t small = of.sum().entry_bytes;
    BOOST_TEST(small > 15'000 * sizeof(detail::chunk));
    BOOST_TEST(of.owner.run(scatter(of.manager, of.at(64_KiB, 64_KiB), 192_KiB, 4'000)));
    of.settle();
    BOOST_TEST(of.sum().chunks < 3'000u);
    BOOST_TEST(of.sum().entry_bytes < small / 2);
}

namespace {

// Requests at once for fragments that the other shard owns.
task<> burst(const chunk_manager& manager, chunk_config first, int count) {
    std::vector<std::uint64_t> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    const auto get = [&manager, first](std::uint64_t n) -> task<> {
        chunk_config wanted = first;
        wanted.offset += n * 64_KiB;
        (void)co_await manager.get_chunk(wanted);
    };
    co_await for_each(all, all.size(), get);
}

}  // namespace

BOOST_AUTO_TEST_CASE(records_of_a_burst_of_requests_are_given_back) {
    fragments of{2_GiB, 32_MiB, 1_MiB, 2};
    const std::uint64_t before = of.sum().entry_bytes;
    of.owner.spawn_on(0, burst(of.manager, of.at(0, 4_KiB), 20'000)).get();
    while (of.sum().leases > 100) std::this_thread::yield();
    of.settle();
    const cache_statistics after = of.sum();
    BOOST_TEST(after.entry_bytes < before + after.chunks * 600 + 2_MiB);
    BOOST_TEST(in_all(of) <= of.owner.memory());
}

BOOST_AUTO_TEST_SUITE_END()
