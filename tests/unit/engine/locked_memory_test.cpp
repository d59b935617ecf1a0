// Engines and shards under a low limit of locked memory.
#include "locked_memory.hpp"

#include "engine_support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(locked_memory_test)

using namespace leat;
using namespace leat::test;

namespace {

/// How many buffers of 1 MiB are registered, of `count` that are asked for.
task<std::uint64_t> registered(std::uint64_t count) {
    io::buffer_arena& arena = *this_shard().arena();
    std::vector<std::byte*> buffers;
    for (std::uint64_t i = 0; i < count; ++i) buffers.push_back(arena.allocate(MiB));
    while (arena.unprepared()) co_await yield{};
    const std::uint64_t bytes = arena.statistics().registered_bytes;
    for (std::byte* const one : buffers) arena.release(one, MiB);
    co_return bytes / MiB;
}

/// Engines one after the other; 0, or the number of the first that could register less than the
/// first.
int engines_in_a_row() {
    for (int number = 1; number <= 20; ++number) {
        engine owner{small_engine(1, 6 * MiB, MiB, io::backend_kind::uring)};
        const std::uint64_t count = owner.run(registered(5));
        if (count < 5) return number;
    }
    return 0;
}

/// Of an engine with many shards: 0 if each has a ring and it was said once that they are smaller,
/// else what was found.
int shards_with_rings(unsigned shards) {
    int said = 0;
    engine_options options =
        small_engine(shards, shards * 128 * KiB, 64 * KiB, io::backend_kind::automatic);
    options.on_event = [&](const event& told) {
        said += told.text.find("memlock") != std::string::npos ? 1 : 0;
    };
    engine owner{std::move(options)};
    std::vector<int> with_ring(shards);
    owner.run(owner.run_on_each([&](unsigned index) -> task<> {
        const io::backend_statistics counts = this_shard().backend().statistics();
        const bool smaller = counts.mode.find("completions") != std::string::npos;
        with_ring[index] = counts.name == "uring" && smaller ? 1 : 0;
        co_return;
    }));
    if (std::count(with_ring.begin(), with_ring.end(), 1) != shards) return 1;
    return said == 1 ? 0 : 2;
}

bool has_rings() {
    engine owner{options_of(1)};
    const auto name = [](unsigned) -> task<std::string> {
        co_return this_shard().backend().statistics().name;
    };
    return owner.run(name(0)) == "uring";
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_engine_that_has_ended_locks_nothing) {
    if (!has_rings()) return;
    const int failed = with_locked_memory(8 * MiB, engines_in_a_row);
    BOOST_TEST(failed == 0);
}

BOOST_AUTO_TEST_CASE(many_shards_share_what_may_be_locked) {
    if (!has_rings()) return;
    for (const unsigned shards : {2U, 8U, 40U}) {
        // Room for rings of a few thousand completions each.
        const int failed =
            with_locked_memory(shards * 200 * KiB, [&] { return shards_with_rings(shards); });
        BOOST_TEST(failed == 0, "with " << shards << " shards: " << failed);
    }
}

BOOST_AUTO_TEST_SUITE_END()
