// Readers who come through what is in memory already, and miss again behind it.
#include "cache_support.hpp"
#include "shard/runs.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <vector>

BOOST_AUTO_TEST_SUITE(came_through_test)

using namespace leat;
using namespace leat::literals;
using leat::detail::runs;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;

namespace {

constexpr std::uint64_t file_bytes = 720_MiB;
constexpr std::uint64_t kept_every = 4;

std::uint64_t miss(runs& of, std::uint64_t offset) {
    runs::miss one;
    one.file = 1;
    one.index = offset / 10_MiB;
    one.in = offset % 10_MiB;
    one.size = 64_KiB;
    one.stretch = one.chunk = 10_MiB;
    return of.window(one);
}

// Through all chunks, of which some stay in memory.
task<std::vector<slice>> keep_some(chunk_manager& manager, file from) {
    std::vector<slice> kept;
    slice_stream stream = manager.slices(from, 0, file_bytes, {.slice_size = 10_MiB});
    for (std::uint64_t chunk = 0; chunk < file_bytes / 10_MiB; ++chunk) {
        slice piece = co_await stream.next();
        if (chunk % kept_every == kept_every / 2) kept.push_back(std::move(piece));
    }
    co_return kept;
}

/// A file of which some chunks stay in memory.
struct partly_kept {
    static std::shared_ptr<test::script> in_units() {
        std::shared_ptr<test::script> made = script_of(file_bytes);
        made->grain = 4_KiB;
        return made;
    }

    std::shared_ptr<test::script> source = in_units();
    engine owner{small_engine(1, 320_MiB, 10_MiB)};
    chunk_manager manager{owner, scripted_source{source}};
    file from = owner.run(manager.open("any"));
    std::vector<slice> kept = owner.run(keep_some(manager, from));
};

task<std::uint64_t> streams(chunk_manager& manager) {
    const cache_statistics now = co_await manager.statistics();
    co_return now.streams;
}

// While the whole file is walked through.
task<std::uint64_t> most_streams_of_walk(chunk_manager& manager, file from, unsigned depth) {
    std::uint64_t most = 0;
    slice_stream stream =
        manager.slices(from, 0, file_bytes, {.depth = depth, .slice_size = 512_KiB});
    for (std::uint64_t at = 0; at < file_bytes; at += 512_KiB) {
        const slice piece = co_await stream.next();
        const std::uint64_t now = co_await streams(manager);
        most = std::max(most, now);
    }
    co_return most;
}

// While it is read by one request after the other.
task<std::uint64_t> most_streams_of_requests(chunk_manager& manager, file from) {
    std::uint64_t most = 0;
    for (std::uint64_t at = 0; at < file_bytes; at += 512_KiB) {
        const slice piece = co_await manager.get_chunk({from, at, 512_KiB});
        const std::uint64_t now = co_await streams(manager);
        most = std::max(most, now);
    }
    co_return most;
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_comes_through_what_is_in_memory_stays_one_stream) {
    for (const int depth : {-1, 0, 3}) {
        partly_kept of;
        BOOST_TEST(of.kept.size() == 18u);
        task<std::uint64_t> reader =
            depth < 0 ? most_streams_of_requests(of.manager, of.from)
                      : most_streams_of_walk(of.manager, of.from, static_cast<unsigned>(depth));
        BOOST_TEST_CONTEXT(depth) BOOST_TEST(of.owner.run(std::move(reader)) <= 1u);
    }
}

BOOST_AUTO_TEST_CASE(a_walk_that_ends_in_what_was_in_memory_is_no_stream_any_more) {
    partly_kept of;
    BOOST_REQUIRE(!of.kept.empty());
    auto walk = [](chunk_manager& by, file name, std::uint64_t end) -> task<std::uint64_t> {
        slice_stream stream = by.slices(name, 0, file_bytes, {.depth = 3, .slice_size = 512_KiB});
        for (std::uint64_t at = 0; at < end; at += 512_KiB) {
            const slice piece = co_await stream.next();
        }
        co_return co_await streams(by);
    };
    // Half of the first chunk that was kept.
    const std::uint64_t end = kept_every / 2 * 10_MiB + 5_MiB;
    BOOST_TEST(of.owner.run(walk(of.manager, of.from, end)) == 1u);
    BOOST_TEST(of.owner.run(streams(of.manager)) == 0u);
}

BOOST_AUTO_TEST_CASE(a_stream_that_ends_where_a_reader_has_come_from_is_his) {
    runs some{1_GiB};
    std::uint64_t end = 0;
    while (end < 5_MiB) end += std::max<std::uint64_t>(miss(some, end), 64_KiB);
    BOOST_REQUIRE(some.streams() == 1u);
    BOOST_REQUIRE(some.comes_to(1, end, 10_MiB));

    // Of another file, or elsewhere.
    BOOST_TEST(!some.came_through(2, end, 30_MiB, 30_MiB, 10_MiB));
    BOOST_TEST(!some.came_through(1, end + 64_KiB, 30_MiB, 30_MiB, 10_MiB));
    BOOST_TEST(!some.came_through(1, 0, end - 64_KiB, 30_MiB, 10_MiB));

    BOOST_TEST(some.came_through(1, 0, 10_MiB, 30_MiB, 10_MiB));
    BOOST_TEST(!some.comes_to(1, end, 10_MiB));
    BOOST_TEST(some.comes_to(1, 30_MiB, 10_MiB));
    BOOST_TEST(miss(some, 30_MiB) > 4_MiB);
    BOOST_TEST(some.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_no_stream_stays_where_it_is) {
    runs some{1_GiB};
    const std::uint64_t end = miss(some, 0);
    BOOST_REQUIRE(some.comes_to(1, end, 10_MiB));
    BOOST_TEST(!some.came_through(1, 0, 10_MiB, 30_MiB, 10_MiB));
    BOOST_TEST(some.comes_to(1, end, 10_MiB));
}

BOOST_AUTO_TEST_SUITE_END()
