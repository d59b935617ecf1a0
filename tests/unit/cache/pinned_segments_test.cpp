// What is still served where a small piece is pinned in each segment, and what searching costs.
#include "fragments.hpp"
#include "shard/shard_parts.hpp"

#include <leat/cache/detail/manager_access.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(pinned_segments_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::fragments;

namespace {

constexpr std::uint64_t pieces = 4500;  // more than there is room for
constexpr std::uint64_t apart = 128_KiB;
// Some in each slab, of 16 pieces.
constexpr std::uint64_t pinned_of = 4;

struct effort {
    std::uint64_t looks = 0;
    std::uint64_t turns = 0;
    io::time_point when{};
};
effort effort_of(fragments& of) {
    auto look = [](const chunk_manager& manager) -> task<effort> {
        detail::shard_cache& cache = detail::manager_access::cache(manager)->at(0);
        co_return effort{cache.parts().eviction.looks(), cache.home().turn_number(),
                         cache.home().now()};
    };
    return of.owner.run(look(of.manager));
}

/// Memory full of pieces of 4 KiB, of which some in each slab are pinned.
struct pinned_segments : fragments {
    pinned_segments() : pinned_segments(test::small_engine(1, 16_MiB, 1_MiB)) {}
    explicit pinned_segments(const engine_options& options)
        : fragments(8_GiB, options, manager_options{.pin_deadline = 20s}) {
        for (std::uint64_t i = 0; i < pieces; ++i) {
            slice got = get(i * apart, 4_KiB);
            if (i % pinned_of == 2) pins.push_back(std::move(got));
        }
        (void)reads();
    }
    [[nodiscard]] boost::system::error_code at_once(std::uint64_t offset, std::uint64_t size) {
        return owner.run(test::code_of(manager, at(offset, size, hint::no_wait)));
    }
    std::vector<slice> pins;
};

constexpr std::uint64_t elsewhere = 6_GiB;

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_piece_beside_one_that_is_there_takes_no_more_than_that, pinned_segments) {
    BOOST_TEST((at_once(elsewhere, 64_KiB) == errc::no_buffer));
    BOOST_TEST(right(elsewhere, 4_KiB));
    for (std::uint64_t i = pieces - 20; i < pieces; ++i)
        BOOST_TEST(!at_once(i * apart + 4_KiB, 4_KiB));
    // Beside one that is pinned, too: whoever has that keeps it.
    BOOST_TEST(!at_once(2 * apart + 4_KiB, 4_KiB));
    BOOST_TEST(test::is_pattern(pins.front().bytes(), 1, 2 * apart));
}

BOOST_FIXTURE_TEST_CASE(one_that_waits_for_a_large_buffer_is_not_searched_for_all_the_time,
                        pinned_segments) {
    spawned<bool> waits =
        owner.spawn_on(0, test::right_bytes(manager, at(elsewhere + 1_GiB, 64_KiB)));
    while (sum().waiting == 0) std::this_thread::yield();
    const effort before = effort_of(*this);
    for (std::uint64_t i = 0; i < 2000; ++i) BOOST_TEST(right(elsewhere + i * apart, 4_KiB));
    const effort after = effort_of(*this);
    // Each search for it looks at all there is: a look takes some 30 ns, and a pause of 240.
    const auto time = static_cast<std::uint64_t>((after.when - before.when).count());
    BOOST_TEST(after.looks - before.looks <= time / 200 + 20 * pieces);
    pins.clear();
    BOOST_TEST(waits.get());
}

BOOST_FIXTURE_TEST_CASE(who_does_not_wait_is_not_searched_for_each_time, pinned_segments) {
    auto refused = [](const chunk_manager& of, chunk_config wanted) -> task<int> {
        int count = 0;
        for (int i = 0; i < 2000; ++i, wanted.offset += apart) {
            const boost::system::error_code code = co_await test::code_of(of, wanted);
            count += code == errc::no_buffer ? 1 : 0;
        }
        co_return count;
    };
    const effort before = effort_of(*this);
    BOOST_TEST(owner.run(refused(manager, at(elsewhere, 64_KiB, hint::no_wait))) == 2000);
    BOOST_TEST(effort_of(*this).looks - before.looks <= 200 * pieces);
    // After a while it is.
    pins.clear();
    while (at_once(elsewhere, 64_KiB)) std::this_thread::yield();
}

namespace {

/// What nothing wakes does not turn.
engine_options engine_without_spin(unsigned shards) {
    engine_options made = test::small_engine(shards, 16_MiB, 1_MiB);
    made.spin = 0ns;
    return made;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_search_that_is_put_off_keeps_no_shard_awake) {
    pinned_segments of{engine_without_spin(1)};
    std::vector<spawned<bool>> wait;
    for (std::uint64_t i = 0; i < 8; ++i) {
        const chunk_config wanted = of.at(elsewhere + (i + 1) * 64_MiB, 64_KiB + i * 100_KiB);
        wait.push_back(of.owner.spawn_on(0, test::right_bytes(of.manager, wanted)));
    }
    while (of.sum().waiting != 8) std::this_thread::yield();
    // Room comes time and again, and nothing else is to be done.
    constexpr std::uint64_t count = 200;
    const effort before = effort_of(of);
    for (std::uint64_t i = 0; i < count; ++i) {
        BOOST_TEST(of.right(elsewhere + i * apart, 4_KiB));
        std::this_thread::sleep_for(1ms);
    }
    const effort after = effort_of(of);
    BOOST_TEST(after.turns - before.turns <= 40 * count);
    of.pins.clear();
    for (spawned<bool>& one : wait) BOOST_TEST(one.get());
}

namespace {

task<std::uint64_t> mapped_here() {
    co_return this_shard().statistics().arena.mapped_bytes;
}

/// The same over two shards: none of them has memory for more entries.
struct two_pinned_shards : fragments {
    two_pinned_shards() : fragments(8_GiB, engine_without_spin(2), {.pin_deadline = 20s}) {
        for (std::uint64_t i = 0; i < pieces; ++i) {
            slice got = get(i * apart, 4_KiB);
            if (i % 30 == 10) pins.push_back(std::move(got));
        }
    }
    /// Buffers, entries and all else together.
    [[nodiscard]] std::uint64_t in_all() {
        std::uint64_t all = sum().entry_bytes;
        for (unsigned shard = 0; shard < 2; ++shard)
            all += owner.spawn_on(shard, mapped_here()).get();
        return all;
    }
    /// The next that the other shard owns.
    [[nodiscard]] chunk_config foreign() { return next_of(manager, from, 1, 4_KiB); }
    /// The next of `size` bytes that `shard` owns.
    [[nodiscard]] chunk_config next_of(const chunk_manager& of,
                                       const file& in,
                                       unsigned shard,
                                       std::uint64_t size) {
        chunk_config made{in, 0, static_cast<std::uint32_t>(size)};
        do {
            next_ += std::max(apart, size);
            made.offset = next_ / size * size;
        } while (of.owner(made) != shard);
        return made;
    }
    /// Pins what `shard` owns on the first, until there is room for no more: for longer than a
    /// search is put off that was in vain.
    void pin_all(unsigned shard, std::uint64_t size, hint given, std::vector<slice>& to) {
        auto pin = [](const chunk_manager& of, chunk_config wanted,
                      std::vector<slice>& pinned) -> task<bool> {
            as_result asking{of.get_chunk(wanted)};
            result<slice> got = co_await asking;
            if (got) pinned.push_back(std::move(*got));
            co_return static_cast<bool>(got);
        };
        chunk_manager hasty{owner, test::scripted_source{source}, {.pin_deadline = 5ms}};
        const file same = owner.run(hasty.open("any"));
        for (int failed = 0; failed < 20; ++failed) {
            chunk_config wanted = next_of(hasty, same, shard, size);
            wanted.hint = given;
            if (owner.spawn_on(0, pin(hasty, wanted, to)).get()) {
                failed = 0;
            } else {
                std::this_thread::sleep_for(1ms);
            }
        }
    }
    /// Pins all that the first shard owns, and by leases, until it has no records for more.
    void pin_all_records() {
        for (int i = 0; i < 10; ++i)
            by_lease.push_back(owner.spawn_on(0, test::get(manager, foreign())).get());
        for (const std::uint64_t size : {1_MiB, 64_KiB, 4_KiB})
            pin_all(0, size, hint::no_wait, pins);
        // Who waits for a record is searched for more, and what estimates take goes bit by bit.
        for (std::size_t before = 0; before != by_lease.size();) {
            before = by_lease.size();
            pin_all(1, 4_KiB, hint::normal, by_lease);
        }
    }

    std::vector<slice> pins;
    std::vector<slice> by_lease;

private:
    std::uint64_t next_ = 3_GiB;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(entries_of_what_is_under_way_take_no_memory_that_pins_keep,
                        two_pinned_shards) {
    constexpr std::uint64_t count = 3000;
    BOOST_TEST(in_all() <= owner.memory());
    source->held = true;
    std::vector<spawned<bool>> all;
    for (std::uint64_t i = 0; i < count; ++i) {
        const chunk_config wanted = at(elsewhere + i * apart, 4_KiB);
        all.push_back(owner.spawn_on(i % 2, test::right_bytes(manager, wanted)));
    }
    while (sum().waiting != count) std::this_thread::yield();
    BOOST_TEST(in_all() <= owner.memory());
    // One after another they all get what they need.
    source->held = false;
    for (spawned<bool>& one : all) BOOST_TEST(one.get());
    BOOST_TEST(in_all() <= owner.memory());
}

BOOST_FIXTURE_TEST_CASE(what_is_remembered_takes_no_memory_that_pins_keep, two_pinned_shards) {
    for (std::uint64_t i = 0; i < 2 * pieces; ++i) {
        BOOST_TEST(right(elsewhere + i * apart, 4_KiB, i % 2));
        if (i % 500 == 0) BOOST_TEST(in_all() <= owner.memory());
    }
    BOOST_TEST(in_all() <= owner.memory());
}

// A page of entries of what is not pinned goes for them.
BOOST_FIXTURE_TEST_CASE(pins_in_each_segment_keep_nobody_from_a_record_for_a_lease,
                        two_pinned_shards) {
    for (int i = 0; i < 300; ++i) {
        by_lease.push_back(owner.spawn_on(0, test::get(manager, foreign())).get());
        BOOST_TEST(by_lease.back().size() == 4_KiB);
    }
    BOOST_TEST(in_all() <= owner.memory());
}

// What is remembered to estimate other memories goes for them, where each page of entries has one
// of what is pinned.
BOOST_AUTO_TEST_CASE(pins_in_each_page_of_entries_keep_nobody_from_a_record_for_a_lease) {
    fragments of{64_GiB, test::small_engine(2, 32_MiB, 1_MiB), {.pin_deadline = 5s}};
    std::vector<slice> pins;
    for (std::uint64_t i = 0; i < 9000; ++i) {
        slice got = of.get(i * apart, 4_KiB, i / 2 % 2);
        if (i % 3 == 2) pins.push_back(std::move(got));
    }
    BOOST_TEST(pins.size() == 3000U);
}

BOOST_FIXTURE_TEST_CASE(who_finds_no_record_for_a_lease_waits_for_one, two_pinned_shards) {
    pin_all_records();
    BOOST_TEST(in_all() <= owner.memory());
    const chunk_config wanted = foreign();
    spawned<bool> waits = owner.spawn_on(0, test::right_bytes(manager, wanted));
    spawned<bool> next = owner.spawn_on(0, test::right_bytes(manager, foreign()));
    while (sum().waiting != 2) std::this_thread::yield();
    // What goes by a lease that there is waits for nobody.
    BOOST_TEST(by_lease.size() > 1U);
    by_lease.pop_back();
    BOOST_TEST(waits.get());
    BOOST_TEST(next.get());
    BOOST_TEST(sum().waiting == 0U);
}

// What they have kept is memory for records.
BOOST_FIXTURE_TEST_CASE(who_waits_for_a_record_is_served_when_chunks_are_unpinned,
                        two_pinned_shards) {
    pin_all_records();
    spawned<bool> waits = owner.spawn_on(0, test::right_bytes(manager, foreign()));
    while (sum().waiting != 1) std::this_thread::yield();
    pins.clear();
    BOOST_TEST(waits.get());
}

BOOST_FIXTURE_TEST_CASE(who_waits_for_a_record_waits_no_longer_than_for_a_buffer,
                        two_pinned_shards) {
    chunk_manager hasty{owner, test::scripted_source{source}, {.pin_deadline = 1ms}};
    const file same = owner.run(hasty.open("any"));
    chunk_config wanted{same, 0, 4_KiB};
    while (hasty.owner(wanted) == 0) wanted.offset += apart;
    pin_all_records();
    const boost::system::error_code code = owner.spawn_on(0, test::code_of(hasty, wanted)).get();
    BOOST_TEST((code == errc::no_buffer), code.message());
    BOOST_TEST(sum().waiting == 0U);
}

BOOST_FIXTURE_TEST_CASE(who_waits_for_a_record_can_be_cancelled, two_pinned_shards) {
    pin_all_records();
    auto give_up = [](const chunk_manager& of, chunk_config wanted) -> task<bool> {
        try {
            const slice got = co_await with_timeout(of.get_chunk(wanted), 1ms);
            co_return false;
        } catch (const system_error& failure) {
            co_return failure.code() == errc::timed_out;
        }
    };
    BOOST_TEST(owner.spawn_on(0, give_up(manager, foreign())).get());
    BOOST_TEST(sum().waiting == 0U);
    by_lease.clear();
    BOOST_TEST(owner.spawn_on(0, test::right_bytes(manager, foreign())).get());
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_record_is_told_that_the_engine_stops) {
    two_pinned_shards of;
    of.pin_all_records();
    spawned<boost::system::error_code> waits =
        of.owner.spawn_on(0, test::code_of(of.manager, of.foreign()));
    while (of.sum().waiting != 1) std::this_thread::yield();
    of.owner.stop();
    BOOST_TEST((waits.get() == errc::stopped));
}

// A search meets those pins only that stand before the first chunk that would be of no use.
BOOST_FIXTURE_TEST_CASE(who_waits_for_a_segment_is_served_when_what_kept_it_is_unpinned,
                        pinned_segments) {
    spawned<bool> waits = owner.spawn_on(0, test::right_bytes(manager, at(elsewhere, 64_KiB)));
    const auto wait_until_nothing_is_searched = [this] {
        std::uint64_t before = 0;
        for (int same = 0; same < 300; ++same) {
            const std::uint64_t looks = effort_of(*this).looks;
            if (std::exchange(before, looks) != looks) same = 0;
        }
        BOOST_TEST(sum().waiting == 1U);
    };
    wait_until_nothing_is_searched();
    const auto peek = [](const chunk_manager& of, chunk_config config) -> task<slice> {
        co_return of.peek(config);
    };
    std::vector<slice> others;
    for (std::uint64_t i = pieces; i-- > 30;) {
        if (i % pinned_of == 1) continue;
        // Whatever is there still.
        slice hit = owner.run(peek(manager, at(i * apart, 4_KiB)));
        if (hit) others.push_back(std::move(hit));
    }
    BOOST_TEST(others.size() > 100U);
    pins.clear();
    wait_until_nothing_is_searched();
    others.clear();
    BOOST_TEST(waits.get());
}

BOOST_AUTO_TEST_SUITE_END()
