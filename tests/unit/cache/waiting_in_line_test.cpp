// Who waits for a buffer, or for a turn, is served when what he lacks is there.
#include "fragments.hpp"

#include <leat/cache/detail/manager_access.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(waiting_in_line_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::fragments;

namespace {

/// Memory full of pinned chunks, and a little room for pieces; whoever waits for a buffer does so
/// for good.
struct full : fragments {
    full()
        : fragments(
              16_GiB, 16_MiB, 1_MiB, 1, {.pin_deadline = time_span::max(), .reads_at_once = 1}),
          little(get(0, 4_KiB)),
          pins(pin_all(1_MiB, 1_MiB)) {
        (void)reads();
    }
    ~full() { source->held = false; }

    void ask(std::uint64_t offset, std::uint64_t size) {
        const std::uint64_t before = sum().waiting;
        asked.push_back(owner.spawn_on(0, test::get(manager, at(offset, size)), stop.get_token()));
        test::wait_for_waiting(owner, manager, before + 1);
    }
    /// The only turn is taken, until the source is no longer held.
    void take_turn(std::uint64_t offset) {
        source->held = true;
        ask(offset, 4_KiB);
        wait_for_reads(1);
    }
    void unpin_one() {
        auto last = [](std::vector<slice>& some) -> task<> {
            some.pop_back();
            co_return;
        };
        owner.spawn_on(0, last(pins)).get();
    }

    slice little;
    std::vector<slice> pins;
    std::stop_source stop;
    std::vector<spawned<slice>> asked;  ///< what they get they keep
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(who_waits_behind_those_of_a_manager_without_turns_has_what_they_cannot_use,
                        full) {
    const auto other = test::script_of(1_GiB);
    chunk_manager second{owner, test::scripted_source{other}, {.pin_deadline = 10s}};
    const file its = owner.run(second.open("any"));
    for (std::uint64_t i = 0; i < 100; ++i) ask(1_GiB + i * 1_MiB, 1_MiB);
    spawned<bool> mine =
        owner.spawn_on(0, test::right_bytes(second, {its, 0, static_cast<std::uint32_t>(1_MiB)}));
    test::wait_for_waiting(owner, manager, 101);
    take_turn(3_GiB);
    unpin_one();
    BOOST_TEST(mine.get());
    BOOST_TEST(sum().waiting == 101U);
    stop.request_stop();
}

BOOST_FIXTURE_TEST_CASE(those_who_wait_for_buffers_are_served_in_order_though_turns_run_short,
                        full) {
    for (std::uint64_t i = 0; i < 4; ++i) ask(1_GiB + i * 1_MiB, 1_MiB);
    for (std::uint64_t round = 0; round < 6; ++round) {
        take_turn(8_GiB + round * 1_MiB);
        unpin_one();
        source->held = false;
        BOOST_TEST(asked.back().get().size() == 4_KiB);
        asked.pop_back();
        test::wait_for_waiting(owner, manager, 3);
        ask(1_GiB + (4 + round) * 1_MiB, 1_MiB);
    }
    pins.clear();
    for (spawned<slice>& one : asked) BOOST_TEST(one.get().size() == 1_MiB);
    std::uint64_t next = 1_GiB;
    for (const test::script::range& one : source->log) {
        if (one.size != 1_MiB) continue;
        BOOST_TEST(one.offset == next);
        next += 1_MiB;
    }
    BOOST_TEST(next == 1_GiB + 10_MiB);
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_turn_is_served_when_others_have_brought_his_bytes) {
    fragments of{4_GiB, 64_MiB, 4_MiB, 1, {.reads_at_once = 2}};
    of.source->held = true;
    const auto ask = [&](std::uint64_t offset, std::uint64_t size) {
        return of.owner.spawn_on(0, test::right_bytes(of.manager, of.at(offset, size)));
    };
    spawned<bool> other = ask(1_GiB, 4_KiB);
    of.wait_for_reads(1);
    // In pieces, of which two are read at once beside the other.
    spawned<bool> all = ask(0, 4_MiB);
    of.wait_for_reads(3);
    of.source->held_from = 1_GiB;
    spawned<bool> last_turn = ask(2_GiB, 4_KiB);
    of.wait_for_reads(4);
    spawned<bool> waits = ask(4_MiB - 64_KiB, 4_KiB);
    test::wait_for_waiting(of.owner, of.manager, 4);
    BOOST_TEST(of.sum().turn_waits == 1U);
    of.source->held = false;
    BOOST_TEST(all.get());
    BOOST_TEST(waits.get());
    of.source->held_from = of.source->size;
    BOOST_TEST(other.get());
    BOOST_TEST(last_turn.get());
}

BOOST_AUTO_TEST_CASE(a_whole_chunk_does_not_wait_for_all_windows_of_streams) {
    fragments of{16_GiB, 256_MiB, 4_MiB};
    of.source->held = true;
    auto walk = [](chunk_manager& manager, file from, std::uint64_t offset) -> task<bool> {
        slice_stream stream =
            manager.slices(from, offset, 500_MiB, {.depth = 0, .slice_size = 64_KiB});
        const slice first = co_await stream.next();
        co_return test::is_pattern(first.bytes(), 1, offset);
    };
    std::vector<spawned<bool>> streams;
    for (std::uint64_t i = 0; i < 20; ++i)
        streams.push_back(of.owner.spawn_on(0, walk(of.manager, of.from, (i + 1) * 512_MiB)));
    test::wait_for_waiting(of.owner, of.manager, streams.size());
    spawned<bool> all = of.owner.spawn_on(0, test::right_bytes(of.manager, of.at(0, 4_MiB)));
    const auto begun = [&] {
        const std::lock_guard lock{of.source->mutex};
        return std::any_of(of.source->log.begin(), of.source->log.end(),
                           [](const test::script::range& one) { return one.offset == 0; });
    };
    for (int left = 5000; !begun() && left > 0; --left) std::this_thread::sleep_for(1ms);
    BOOST_TEST(begun());
    of.source->held = false;
    BOOST_TEST(all.get());
    for (spawned<bool>& one : streams) BOOST_TEST(one.get());
}

namespace {

/// Three requests that have found no memory, which then came: one is being read, and the deadlines
/// of the others are over.
struct lacking_turns : fragments {
    lacking_turns()
        : fragments(4_GiB, 16_MiB, 1_MiB, 1, {.pin_deadline = 100ms, .reads_at_once = 1}) {
        while (!made()) {
            source->held = false;
            for (spawned<boost::system::error_code>& one : all) static_cast<void>(one.get());
            all.clear();
        }
    }
    ~lacking_turns() { source->held = false; }

    spawned<boost::system::error_code> ask(std::uint64_t offset) {
        return owner.spawn_on(0, test::code_of(manager, at(offset, 64_KiB)));
    }
    /// False if this thread has stood still for longer than the deadline.
    bool made() {
        std::vector<slice> pins = pin_all(0, 1_MiB);
        // As long as memory is what he lacks he is told so.
        BOOST_TEST((ask(1_GiB).get() == errc::all_pinned));
        const std::uint64_t before = sum().buffer_waits;
        for (int i = 0; i < 3; ++i) all.push_back(ask(2_GiB + asked++ * 1_MiB));
        while (sum().buffer_waits < before + 3) std::this_thread::yield();
        source->held = true;
        pins.clear();
        std::this_thread::sleep_for(20ms);
        if (sum().waiting != 3) return false;
        std::this_thread::sleep_for(300ms);
        return true;
    }

    std::vector<spawned<boost::system::error_code>> all;
    std::uint64_t asked = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(who_lacks_only_a_turn_is_not_told_that_memory_is_short) {
    lacking_turns with;
    BOOST_TEST(with.sum().waiting == 3U);
    with.source->held = false;
    for (spawned<boost::system::error_code>& one : with.all) BOOST_TEST(!one.get());
}

BOOST_AUTO_TEST_CASE(his_deadline_begins_anew_when_memory_is_short_again) {
    lacking_turns with;
    chunk_manager other{with.owner, test::scripted_source{fragments::script_with(4_GiB)}};
    const file more = with.owner.run(other.open("more"));
    std::vector<slice> pins;
    for (slice got;; pins.push_back(std::move(got))) {
        const chunk_config next{more, pins.size() * 128_KiB, static_cast<std::uint32_t>(64_KiB),
                                hint::no_wait};
        got = with.owner.run(test::get_or_none(other, next));
        if (!got) break;
    }
    // The first is still being read.
    for (std::size_t i = 1; i < 3; ++i) BOOST_TEST(detail::unbuffered(with.all[i].get()));
    with.source->held = false;
    BOOST_TEST(!with.all[0].get());
}

BOOST_AUTO_TEST_SUITE_END()
