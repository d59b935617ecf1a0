// Which chunk goes when room is needed, and what a request is told when there is none.
#include "cache_support.hpp"
#include "fragments.hpp"
#include "pattern.hpp"
#include "shard/shard_parts.hpp"
#include "small_engine.hpp"
#include "two_shards.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <thread>

BOOST_AUTO_TEST_SUITE(eviction_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::fragments;
using leat::test::get;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;
using leat::test::two_shards;

BOOST_AUTO_TEST_CASE(the_use_that_loads_a_chunk_is_not_taken_for_another) {
    engine owner{small_engine(1, 6 * 64_KiB, 64_KiB)};
    const auto source = script_of(1_MiB);
    source->delay_ms = 1;  // it ends in a later turn, as on any device
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    for (const std::uint64_t index : {0U, 1U, 2U, 3U, 4U, 5U, 0U, 6U}) {
        owner.run(get(manager, {from, index * 64_KiB, 100}));
        while (owner.run(manager.statistics()).filling_chunks != 0) std::this_thread::yield();
    }
    for (const std::uint64_t index : {0, 2, 3, 4, 5, 6})
        BOOST_TEST(owner.run(test::present(manager, {from, index * 64_KiB, 100})),
                   "chunk " << index);
    BOOST_TEST(!owner.run(test::present(manager, {from, 64_KiB, 100})));
}

BOOST_AUTO_TEST_CASE(idle_leased_buffers_are_asked_back_and_no_wait_says_that_none_is_there_yet) {
    two_shards both{8};
    for (std::size_t i = 0; i < 8; ++i) both.use(1, both.owned[0][i]);
    BOOST_TEST(both.sum().leases == 8u);
    chunk_config wanted = both.owned[0][8];
    wanted.hint = hint::no_wait;
    boost::system::error_code code = both.code_on(0, wanted);
    BOOST_TEST(code == errc::no_buffer);
    while (code == errc::no_buffer) code = both.code_on(0, wanted);
    BOOST_TEST(!code, code.message());
    BOOST_TEST(both.sum().buffer_waits == 0u);
}

BOOST_AUTO_TEST_CASE(pins_through_leases_are_told_from_idle_leases) {
    two_shards both{4};
    std::vector<slice> pins;
    for (std::size_t i = 0; i < 4; ++i)
        pins.push_back(both.owner.spawn_on(1, get(both.manager, both.owned[0][i])).get());
    chunk_config wanted = both.owned[0][4];
    wanted.hint = hint::no_wait;
    boost::system::error_code code = errc::no_buffer;
    while (code == errc::no_buffer) code = both.code_on(0, wanted);  // until the answers are there
    BOOST_TEST(code == errc::all_pinned);
    pins.pop_back();  // on a thread that is no shard
    while (code == errc::all_pinned) code = both.code_on(0, wanted);
    BOOST_TEST(!code, code.message());
}

BOOST_AUTO_TEST_CASE(a_pinned_chunk_may_be_asked_for_again_after_it_has_been_asked_back) {
    two_shards both{4};
    std::vector<slice> pins;
    for (std::size_t i = 0; i < 4; ++i)
        pins.push_back(both.owner.spawn_on(1, get(both.manager, both.owned[0][i])).get());
    chunk_config wanted = both.owned[0][4];
    wanted.hint = hint::no_wait;
    while (both.code_on(0, wanted) != errc::all_pinned) {
    }
    for (std::size_t i = 0; i < 4; ++i)
        pins.push_back(both.owner.spawn_on(1, get(both.manager, both.owned[0][i])).get());
    BOOST_TEST(both.sum().grants == 8u);
    pins.clear();
    boost::system::error_code code = errc::all_pinned;
    while (code) code = both.code_on(0, wanted);
    BOOST_TEST(both.sum().pins == 0u);
}

BOOST_AUTO_TEST_CASE(read_waits_for_leased_buffers_rather_than_read_past_the_cache) {
    two_shards both{8};
    for (std::size_t i = 0; i < 8; ++i) both.use(1, both.owned[0][i]);
    std::vector<std::byte> to(1000);
    for (std::size_t i = 8; i < 16; ++i) {
        const std::uint64_t offset = both.owned[0][i].offset;
        BOOST_TEST(both.owner.run(both.manager.read(both.from, offset, to)) == to.size());
        BOOST_TEST(test::is_pattern(to, 1, offset));
    }
    BOOST_TEST(both.sum().bypasses == 0u);
}

BOOST_AUTO_TEST_CASE(chunks_that_are_filled_for_nobody_are_not_called_pinned) {
    engine owner{small_engine(1, 2 * 64_KiB, 64_KiB)};
    const auto source = script_of(1_MiB);
    source->background_delay_ms = 200;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    for (const std::uint64_t index : {0, 1}) owner.run(get(manager, {from, index * 64_KiB, 100}));
    // Whether the rests are still being read is a matter of time; what is never said is not.
    boost::system::error_code code = errc::no_buffer;
    while (code) {
        code = owner.run(test::code_of(manager, {from, 128_KiB, 100, hint::no_wait}));
        BOOST_TEST((!code || code == errc::no_buffer), code.message());
    }
}

namespace {

/// One chunk is used after each use of another; then segments are freed, with no use in between.
/// How many until it was gone.
task<int> freed_before(fragments& of, std::uint64_t hot, std::uint64_t chunks) {
    const auto use = [&of](std::uint64_t chunk) {
        return static_cast<bool>(of.manager.peek(of.at(chunk * 1_MiB, 4_KiB)));
    };
    for (int round = 0; round < 3; ++round) {
        for (std::uint64_t chunk = 0; chunk < chunks; ++chunk) {
            BOOST_TEST(use(chunk));
            BOOST_TEST(use(hot));
        }
    }
    int freed = 0;
    while (detail::shard_cache::current().parts().eviction.free_segment()) {
        const bool there = detail::shard_cache::current().find(
                               of.from.id().number, detail::piece_number::chunk(hot)) != nullptr;
        if (!there) break;
        ++freed;
    }
    co_return freed;
}

}  // namespace

// The others begin a visit each time, and it never does.
BOOST_AUTO_TEST_CASE(what_is_used_all_the_time_goes_after_what_is_used_now_and_then) {
    constexpr std::uint64_t chunks = 12;
    for (const std::uint64_t hot : {0, 3}) {
        fragments of{64_MiB, 16_MiB};
        for (std::uint64_t chunk = 0; chunk < chunks; ++chunk)
            BOOST_TEST(of.right(chunk * 1_MiB, 1_MiB));
        // Of two chunks each. Those of the last four visits are in use, too.
        BOOST_TEST(of.owner.run(freed_before(of, hot, chunks)) >= 3);
    }
}

BOOST_AUTO_TEST_SUITE_END()
