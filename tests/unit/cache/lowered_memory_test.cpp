// What the memory is lowered to, entries keep to as well.
#include "cache_support.hpp"
#include "shard/shard_parts.hpp"
#include "small_engine.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <thread>

BOOST_AUTO_TEST_SUITE(lowered_memory_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;

namespace {

task<> read_pieces(chunk_manager& manager, file from, std::uint64_t count) {
    for (std::uint64_t n = 0; n < count; ++n) {
        const slice piece = co_await manager.get_chunk({from, n * 128_KiB, 4_KiB});
    }
}

struct held {
    std::uint64_t bytes = 0;
    std::uint64_t in_use = 0;
    std::uint64_t table = 0;
};

task<held> held_here() {
    detail::shard_cache& here = detail::shard_cache::current();
    const detail::shard_memory& memory = here.parts().memory;
    held all;
    all.bytes = memory.bytes();
    all.in_use = here.home().arena()->statistics().mapped_bytes + memory.besides();
    all.table = here.table().size() * sizeof(detail::entry*);
    co_return all;
}

engine_options lowered_later(unsigned shards, std::uint64_t memory) {
    engine_options options = small_engine(shards, memory, 1_MiB);
    options.most_memory = options.memory;
    return options;
}

}  // namespace

BOOST_AUTO_TEST_CASE(entries_take_no_memory_that_buffers_could_give_back) {
    io::buffer_arena arena{{.budget = 64_MiB, .huge_pages = false, .segment_bytes = 1_MiB}};
    detail::shard_memory memory{arena, 64_MiB, 2_MiB};
    BOOST_REQUIRE(memory.remember(0, 128_KiB) == 128_KiB);
    while (arena.allocate(1_MiB) != nullptr) {
    }
    while (memory.take(4_KiB)) {
    }
    BOOST_TEST(arena.statistics().mapped_bytes + memory.besides() <= 64_MiB);
}

BOOST_AUTO_TEST_CASE(the_table_is_as_long_as_the_memory_is_large) {
    engine owner{lowered_later(1, 512_MiB)};
    const auto source = script_of(8_GiB);
    source->grain = 4_KiB;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    owner.run(read_pieces(manager, from, 2000));
    const held before = owner.run(held_here());
    owner.set_memory(owner.least_memory());
    owner.run(read_pieces(manager, from, 2000));
    const held after = owner.run(held_here());
    BOOST_TEST(after.table < before.table / 16);
    // But for what one shard with hardly room for two chunks may have beside them.
    BOOST_TEST(after.in_use <= after.bytes + 128_KiB);
}

BOOST_AUTO_TEST_CASE(a_shard_keeps_no_leases_that_its_memory_has_no_room_for) {
    constexpr unsigned shards = 16;
    engine owner{lowered_later(shards, shards * 16_MiB)};
    const auto source = script_of(8_GiB);
    source->grain = 4_KiB;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    for (int round = 0; round < 3; ++round)
        owner.spawn_on(0, read_pieces(manager, from, 24000)).get();
    owner.set_memory(2 * owner.least_memory());
    held now;
    for (int left = 1000; left > 0; --left) {
        now = owner.spawn_on(0, held_here()).get();
        if (now.in_use <= now.bytes) break;
        std::this_thread::sleep_for(10ms);
    }
    BOOST_TEST(now.in_use <= now.bytes);
}

namespace {

/// Reads pieces in no order, as `use` does it; after half of them the memory is lowered. What there
/// is after the last.
template <class Use>
task<held> lower_amid(engine& owner, chunk_manager& manager, std::uint64_t count, Use& use) {
    const file from = co_await manager.open("any");
    std::minstd_rand random{7};
    for (std::uint64_t n = 0; n < count; ++n) {
        if (n == count / 2) owner.set_memory(16_MiB);
        co_await use.piece(manager, from, n, random() % 6000 * 128_KiB);
        co_await yield{};
    }
    co_return co_await held_here();
}

/// Each is held until so many more have been read that in each segment there is always something
/// that is held.
struct hold_each {
    task<> piece(chunk_manager& manager, file from, std::uint64_t n, std::uint64_t offset) {
        slice& next = some[n % some.size()];
        next = slice{};
        next = co_await manager.get_chunk({from, offset, 16_KiB});
    }
    std::array<slice, 512> some;
};

/// Some others are pinned again before they are let go of.
struct hold_some_all_the_time {
    task<> piece(chunk_manager& manager, file from, std::uint64_t n, std::uint64_t offset) {
        {
            const slice other = co_await manager.get_chunk({from, offset, 16_KiB});
        }
        // Far from each other when they are read first.
        const std::uint64_t which = n / 64 % hot.size();
        slice again = co_await manager.get_chunk({from, 4_GiB + which * 128_KiB, 16_KiB});
        hot[which] = std::move(again);
    }
    std::array<slice, 60> hot;
};

/// What is held after that, of a memory that was four times as large before.
template <class Use>
held held_after(std::uint64_t count) {
    Use use;
    engine owner{lowered_later(1, 64_MiB)};
    const auto source = script_of(8_GiB);
    source->grain = 4_KiB;
    chunk_manager manager{owner, scripted_source{source}};
    const held now = owner.run(lower_amid(owner, manager, count, use));
    use = {};
    return now;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_pinned_without_a_gap_does_not_keep_its_segment) {
    const held now = held_after<hold_some_all_the_time>(16000);
    BOOST_TEST(now.bytes == 16_MiB);
    BOOST_TEST(now.in_use <= now.bytes);
}

BOOST_AUTO_TEST_CASE(the_memory_is_lowered_while_something_is_pinned_in_each_segment) {
    const held now = held_after<hold_each>(12000);
    BOOST_TEST(now.bytes == 16_MiB);
    BOOST_TEST(now.in_use <= now.bytes);
}

BOOST_AUTO_TEST_SUITE_END()
