// What a manager tells of what it has in memory, and what it lets go of.
#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <thread>

BOOST_AUTO_TEST_SUITE(inspection_test)

using namespace leat;
using namespace leat::literals;
using leat::test::get;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;

namespace {

// Dropped where it was asked for: elsewhere its pin counts for a while longer.
task<> touch(chunk_manager& from, chunk_config config) {
    const slice one = co_await from.get_chunk(config);
}

struct cached {
    explicit cached(unsigned shards = 2, std::uint64_t memory = 4_MiB)
        : owner(small_engine(shards, memory, 64_KiB)) {}

    engine owner;
    std::shared_ptr<test::script> script = script_of(16_MiB);
    chunk_manager manager{owner, scripted_source{script}};
    file film = owner.run(manager.open("film"));

    /// Returns when all of the chunk is there.
    void read(std::uint64_t index) {
        owner.run(touch(manager, {film, index * 64_KiB, 100}));
        wait_for_fills();
    }
    void wait_for_fills() {
        while (owner.run(manager.statistics()).filling_chunks != 0) std::this_thread::yield();
    }
    std::vector<cached_chunk> hottest(std::size_t limit) {
        return owner.run(manager.hottest(limit));
    }
    std::uint64_t evict() { return owner.run(manager.evict(film)); }
    std::uint64_t chunks() { return owner.run(manager.statistics()).chunks; }
    // A slice dropped on this thread is counted at home somewhat later.
    void wait_for_chunks(std::uint64_t count) {
        while (chunks() != count) std::this_thread::yield();
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(each_chunk_is_told_once_with_its_place_and_owner) {
    cached with;
    for (std::uint64_t index = 0; index < 8; ++index) with.read(index);
    std::set<std::uint64_t> offsets;
    for (const cached_chunk& one : with.hottest(100)) {
        offsets.insert(one.offset);
        BOOST_TEST(one.name == "film");
        BOOST_TEST(one.file == with.film.id().number);
        BOOST_TEST(one.size == 64_KiB);
        BOOST_TEST(one.bytes == 64_KiB);
        BOOST_TEST(!one.fragment);
        BOOST_TEST(one.complete);
        BOOST_TEST(one.shard == with.manager.owner({with.film, one.offset, 1}));
    }
    BOOST_TEST(offsets.size() == 8u);
    BOOST_TEST(*offsets.rbegin() == 7 * 64_KiB);
    BOOST_TEST(with.hottest(0).empty());
}

BOOST_AUTO_TEST_CASE(those_used_last_come_first_and_no_more_than_asked_for) {
    cached with{1};
    for (std::uint64_t index = 0; index < 6; ++index) with.read(index);
    with.read(2);
    const std::vector<cached_chunk> found = with.hottest(2);
    BOOST_REQUIRE(found.size() == 2u);
    BOOST_TEST(found[0].offset == 2 * 64_KiB);
    BOOST_TEST(found[1].offset == 5 * 64_KiB);
    BOOST_TEST(found[0].idle.count() <= found[1].idle.count());
}

BOOST_AUTO_TEST_CASE(pins_and_leases_are_told) {
    cached with;
    const unsigned home = with.manager.owner({with.film, 0, 1});
    const auto on = [&](unsigned shard) {
        return with.owner.spawn_on(shard, get(with.manager, {with.film, 0, 100})).get();
    };
    const slice here = on(home);
    const slice there = on(1 - home);
    with.wait_for_fills();
    const std::vector<cached_chunk> found = with.hottest(10);
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0].pins == 1u);
    BOOST_TEST(found[0].leases == 1u);
}

BOOST_AUTO_TEST_CASE(other_managers_have_chunks_of_their_own) {
    cached with;
    chunk_manager other{with.owner, scripted_source{script_of(1_MiB)}};
    const file second = with.owner.run(other.open("second"));
    with.read(0);
    with.owner.run(get(other, {second, 0, 100}));
    with.wait_for_fills();
    BOOST_REQUIRE(with.hottest(10).size() == 1u);
    BOOST_TEST(with.hottest(10)[0].name == "film");
    BOOST_TEST(with.evict() == 64_KiB);
    BOOST_TEST(with.owner.run(other.hottest(10)).size() == 1u);
    BOOST_CHECK_EXCEPTION(
        with.owner.run(other.evict(with.film)), system_error,
        [](const system_error& failure) { return failure.code() == errc::closed; });
    BOOST_CHECK_THROW(with.owner.run(with.manager.evict(file{})), system_error);
}

BOOST_AUTO_TEST_CASE(more_chunks_than_one_turn_looks_at_are_all_found) {
    cached with{1, 128_MiB};
    constexpr std::uint64_t count = 16_MiB / 4096;
    with.owner.run([](cached& in) -> task<> {
        for (std::uint64_t page = 0; page < count; page += 16)
            static_cast<void>(co_await in.manager.get_chunk({in.film, page * 4096, 64}));
    }(with));
    with.wait_for_fills();
    BOOST_TEST(with.hottest(1000).size() == 256u);
    BOOST_TEST(with.evict() == 256u * 64_KiB);
    with.wait_for_chunks(0);
}

BOOST_AUTO_TEST_CASE(what_is_evicted_is_read_again) {
    cached with;
    for (std::uint64_t index = 0; index < 4; ++index) with.read(index);
    BOOST_TEST(with.evict() == 4 * 64_KiB);
    with.wait_for_chunks(0);
    const std::uint64_t before = with.owner.run(with.manager.statistics()).bytes_read;
    with.read(0);
    BOOST_TEST(with.owner.run(with.manager.statistics()).bytes_read == before + 64_KiB);
    BOOST_TEST(with.evict() == 64_KiB);
    with.wait_for_chunks(0);
    BOOST_TEST(with.evict() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_pinned_goes_with_its_last_pin) {
    cached with;
    for (const unsigned shard : {0u, 1u}) {
        slice kept = with.owner.spawn_on(shard, get(with.manager, {with.film, 0, 100})).get();
        with.read(1);
        BOOST_TEST(with.evict() >= 64_KiB);
        with.wait_for_chunks(1);
        BOOST_TEST(kept.bytes().size() == 100u);
        kept = {};
        with.wait_for_chunks(0);
    }
}

BOOST_AUTO_TEST_CASE(other_versions_of_the_name_go_too_and_other_names_stay) {
    cached with;
    with.read(0);
    with.script->version = 2;
    const file changed = with.owner.run(with.manager.open("film"));
    BOOST_REQUIRE(changed.id().number != with.film.id().number);
    with.owner.run(touch(with.manager, {changed, 0, 100}));
    with.script->version = 3;
    const file other = with.owner.run(with.manager.open("other"));
    with.owner.run(touch(with.manager, {other, 0, 100}));
    with.wait_for_fills();
    // One that is leased goes when it is back.
    BOOST_TEST(with.owner.run(with.manager.evict(changed)) <= 2 * 64_KiB);
    with.wait_for_chunks(1);
    BOOST_TEST(with.hottest(10)[0].name == "other");
}

BOOST_AUTO_TEST_CASE(what_was_read_ahead_is_counted_when_it_goes) {
    engine owner{small_engine(1, 64_MiB, 4_MiB)};
    const auto source = script_of(32_MiB);
    source->grain = unit_size;
    chunk_manager manager{owner, scripted_source{source}};
    const file film = owner.run(manager.open("film"));
    for (std::uint64_t at = 0; at < 2_MiB; at += 64_KiB)
        owner.run(get(manager, {film, at, 64_KiB, hint::stream}));
    while (owner.run(manager.statistics()).filling_chunks != 0) std::this_thread::yield();
    const cache_statistics before = owner.run(manager.statistics());
    BOOST_TEST(before.streams == 1u);
    BOOST_TEST(before.fragments == before.chunks);
    BOOST_TEST(before.ahead_bytes > 0u);
    BOOST_TEST(before.ahead_used_bytes + before.ahead_unused_bytes == 0u);
    owner.run(manager.evict(film));
    while (owner.run(manager.statistics()).chunks != 0) std::this_thread::yield();
    const cache_statistics after = owner.run(manager.statistics());
    BOOST_TEST(after.ahead_unused_bytes == before.ahead_bytes);
    BOOST_TEST(after.ahead_used_bytes > 0u);
    BOOST_TEST(after.ahead_used_bytes + after.ahead_unused_bytes < before.cached_bytes);
}

BOOST_AUTO_TEST_SUITE_END()
