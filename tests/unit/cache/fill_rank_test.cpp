// Who goes before whom: what nobody waits for goes last, and is not begun if nobody ever used it.
#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <thread>

BOOST_AUTO_TEST_SUITE(fill_rank_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::get;
using leat::test::script;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;

namespace {

constexpr auto whole = static_cast<std::uint32_t>(1_MiB);
// Reads of chunks at once, where no demands compete.
constexpr std::uint64_t at_once = 8;

struct fixture {
    explicit fixture(unsigned shards = 1) : owner{small_engine(shards, 128_MiB, 1_MiB)} {
        from = owner.run(manager.open("any"));
    }
    [[nodiscard]] chunk_config chunk(std::uint64_t index, std::uint32_t size = whole) const {
        return {from, index * 1_MiB, size};
    }
    /// Chunks that have been asked of the source, in the order of their first reads.
    [[nodiscard]] std::vector<std::uint64_t> begun() const {
        const std::lock_guard lock{source->mutex};
        std::vector<std::uint64_t> chunks;
        for (const script::range& one : source->log) {
            const std::uint64_t index = one.offset / 1_MiB;
            if (std::find(chunks.begin(), chunks.end(), index) == chunks.end())
                chunks.push_back(index);
        }
        return chunks;
    }

    std::shared_ptr<script> source = script_of(1'000_MiB);
    engine owner;
    chunk_manager manager{owner, scripted_source{source}};
    file from;
};

struct two_shards : fixture {
    two_shards() : fixture(2) {}
};

task<> ask_for(const chunk_manager& of, chunk_config config) {
    const slice got = co_await of.get_chunk(config);
}

task<> give_up_after(const chunk_manager& of, chunk_config config, std::chrono::milliseconds time) {
    try {
        const slice got = co_await with_timeout(of.get_chunk(config), time);
    } catch (const system_error& failure) {
        if (failure.code() != errc::timed_out) throw;
    }
}

/// Lets other work of the shard go on until `holds`, at most ten seconds.
task<bool> until(std::function<bool()> holds) {
    for (int left = 10'000; left > 0 && !holds(); --left) co_await leat::sleep(1ms);
    co_return holds();
}

/// Some turns: what the cache submits at the end of each has reached the source.
task<> some_turns() {
    for (int left = 10; left > 0; --left) co_await leat::sleep(1us);
}

/// Runs the jobs and stops them once each has asked.
template <class Make>
task<> abandon(std::uint64_t count, Make make) {
    scope all;
    for (std::uint64_t i = 0; i < count; ++i) all.spawn(make(i));
    co_await some_turns();
    all.request_stop();
    try {
        co_await all.join();
    } catch (const system_error& failure) {
        if (failure.code() != errc::cancelled) throw;
    }
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(requests_that_timed_out_are_not_before_a_live_one, fixture) {
    source->held = source->deaf = true;
    auto body = [](fixture& with) -> task<std::uint64_t> {
        scope all;
        for (std::uint64_t i = 0; i < 40; ++i)
            all.spawn(give_up_after(with.manager, with.chunk(i), 2ms));
        co_await all.join();
        scope live;
        live.spawn(ask_for(with.manager, with.chunk(100)));
        co_await some_turns();
        const std::uint64_t before = with.begun().size();
        with.source->held = false;
        co_await live.join();
        co_return before;
    };
    BOOST_TEST(owner.run(body(*this)) == at_once);  // what the device has begun, it ends
    BOOST_TEST(begun().back() == 100u);
    BOOST_TEST(source->reads == at_once + 1);
}

BOOST_FIXTURE_TEST_CASE(requests_that_were_cancelled_are_not_begun, fixture) {
    source->held = source->deaf = true;
    auto body = [](fixture& with) -> task<> {
        co_await abandon(40, [&](std::uint64_t i) { return ask_for(with.manager, with.chunk(i)); });
        with.source->held = false;
        co_await until([&] { return with.source->in_flight == 0; });
        co_await some_turns();
    };
    owner.run(body(*this));
    BOOST_TEST(source->reads == at_once);
    const cache_statistics now = owner.run(manager.statistics());
    BOOST_TEST(now.chunks == at_once);  // their bytes have been paid for, the others' not
    BOOST_TEST(now.waiting == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_large_request_cancelled_in_its_first_turn_reads_nothing, fixture) {
    auto body = [](fixture& with) -> task<> {
        scope all;
        all.spawn(ask_for(with.manager, with.chunk(3)));
        co_await yield{};  // it has asked
        all.request_stop();
        try {
            co_await all.join();
        } catch (const system_error& failure) {
            if (failure.code() != errc::cancelled) throw;
        }
        co_await some_turns();
    };
    owner.run(body(*this));
    BOOST_TEST(source->reads == 0u);
    BOOST_TEST(owner.run(manager.statistics()).chunks == 0u);
}

BOOST_FIXTURE_TEST_CASE(reads_in_flight_that_nobody_wants_are_asked_to_end, fixture) {
    source->held = true;
    auto body = [](fixture& with) -> task<bool> {
        co_await abandon(8, [&](std::uint64_t i) {
            return ask_for(with.manager, with.chunk(i, i % 2 == 0 ? whole : 100));
        });
        co_return co_await until([&] { return with.source->in_flight == 0; });
    };
    BOOST_TEST(owner.run(body(*this)));
    const cache_statistics now = owner.run(manager.statistics());
    BOOST_TEST(now.chunks == 0u);
    BOOST_TEST(now.failed_reads == 0u);
    source->held = false;
    BOOST_TEST(owner.run(get(manager, chunk(0))).size() == whole);
}

BOOST_FIXTURE_TEST_CASE(what_a_device_reads_for_nobody_brings_no_rest, fixture) {
    source->held = source->deaf = true;
    auto body = [](fixture& with) -> task<> {
        co_await abandon(8, [&](std::uint64_t i) {
            return ask_for(with.manager, with.chunk(i, i % 2 == 0 ? 100 : 300'000));
        });
        with.source->held = false;
        co_await until([&] { return with.source->in_flight == 0; });
        co_await leat::sleep(10ms);  // until demands no longer compete
        co_await some_turns();
    };
    owner.run(body(*this));
    const std::uint64_t begun_for_somebody = source->reads;
    BOOST_TEST(begun_for_somebody <= 8u);
    for (const script::range& one : source->log) BOOST_TEST((one.urgency == priority::demand));
    // The next one who misses in it brings the rest as ever.
    owner.run(ask_for(manager, {from, 4096, 100}));
    BOOST_TEST(owner.run(until([&] { return source->reads == begun_for_somebody + 2; })));
}

BOOST_FIXTURE_TEST_CASE(who_joins_a_read_that_is_being_withdrawn_gets_its_bytes, fixture) {
    auto body = [](fixture& with) -> task<> {
        for (std::uint64_t index = 0; index < 20; ++index) {
            with.source->held = true;
            const chunk_config config = with.chunk(index, index % 2 == 0 ? whole : 100);
            co_await abandon(1, [&](std::uint64_t) { return ask_for(with.manager, config); });
            with.source->held = false;
            // The read ends in a later turn: it is still under way.
            const slice got = co_await with.manager.get_chunk(config);
            if (!test::is_pattern(got.bytes(), 1, config.offset)) throw std::logic_error{"bytes"};
        }
    };
    owner.run(body(*this));
    BOOST_TEST(owner.run(manager.statistics()).failed_reads == 0u);
}

BOOST_FIXTURE_TEST_CASE(one_of_two_that_leaves_changes_nothing_for_the_other, fixture) {
    source->held = true;
    auto body = [](fixture& with) -> task<> {
        scope stays;
        stays.spawn(ask_for(with.manager, with.chunk(0)));
        co_await abandon(5, [&](std::uint64_t) { return ask_for(with.manager, with.chunk(0)); });
        co_await some_turns();
        with.source->held = false;
        co_await stays.join();
    };
    owner.run(body(*this));
    BOOST_TEST(source->reads == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_rest_of_a_used_chunk_goes_behind_what_somebody_waits_for, fixture) {
    source->background_delay_ms = 50;
    auto body = [](fixture& with) -> task<> {
        for (std::uint64_t i = 0; i < 20; ++i) co_await ask_for(with.manager, with.chunk(i, 100));
        co_await leat::sleep(10ms);  // until demands no longer compete
        with.source->held = with.source->deaf = true;
        scope all;
        for (std::uint64_t i = 100; i < 130; ++i) all.spawn(ask_for(with.manager, with.chunk(i)));
        co_await some_turns();
        with.source->held = false;
        co_await all.join();
        co_await until([&] { return with.source->reads == 70; });
    };
    owner.run(body(*this));
    const auto& log = source->log;
    const auto live = std::find_if(log.begin(), log.end(),
                                   [](const script::range& one) { return one.offset >= 100_MiB; });
    BOOST_REQUIRE(log.end() - live > 30);  // some rests come after them all
    for (auto one = live; one != live + 30; ++one) BOOST_TEST(one->offset >= 100_MiB);
}

BOOST_FIXTURE_TEST_CASE(a_chunk_whose_last_waiter_leaves_goes_behind_but_is_filled_if_it_was_used,
                        fixture) {
    auto body = [](fixture& with) -> task<bool> {
        {
            const slice got = co_await with.manager.get_chunk(with.chunk(0, 100));
        }
        // Its rest may be under way: what of it is asked for now is wanted by nobody, too.
        co_await abandon(3, [&](std::uint64_t) { return ask_for(with.manager, with.chunk(0)); });
        co_return co_await until(
            [&] { return static_cast<bool>(with.manager.peek(with.chunk(0))); });
    };
    BOOST_TEST(owner.run(body(*this)));
}

BOOST_FIXTURE_TEST_CASE(a_dropped_stream_drops_what_it_asked_ahead, fixture) {
    auto body = [](fixture& with, std::uint32_t slice_size) -> task<> {
        for (std::uint64_t i = 0; i < 20; ++i) {
            slice_stream stream = with.manager.slices(with.from, i * 4_MiB, 1_GiB, {2, slice_size});
            const slice got = co_await stream.next();
        }
        co_await until([&] { return with.source->bytes >= 20_MiB; });
        co_await some_turns();
    };
    owner.run(body(*this, 4096));
    // Only the chunks of which bytes were served: 20, each its demand and its rest.
    BOOST_TEST(source->bytes == 20_MiB);
    for (const std::uint64_t index : begun()) BOOST_TEST(index % 4 == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_a_stream_asks_ahead_goes_behind_what_somebody_waits_for, fixture) {
    source->held = source->deaf = true;
    auto walk = [](fixture& with) -> task<> {
        slice_stream stream = with.manager.slices(with.from, 0, 3_MiB);
        for (;;) {
            const slice got = co_await stream.next();
            if (!got) break;
        }
    };
    auto body = [](fixture& with, auto walking) -> task<> {
        scope all;
        for (std::uint64_t i = 0; i < at_once; ++i)
            all.spawn(ask_for(with.manager, with.chunk(500 + i)));
        co_await some_turns();
        all.spawn(walking(with));
        co_await some_turns();
        all.spawn(ask_for(with.manager, with.chunk(600)));
        co_await some_turns();
        with.source->held = false;
        co_await all.join();
    };
    owner.run(body(*this, walk));
    std::vector<std::uint64_t> order = begun();
    order.erase(order.begin(), order.begin() + at_once);
    const std::vector<std::uint64_t> wanted{0, 600, 1, 2};
    BOOST_TEST(order == wanted, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_request_from_another_shard_leaves_the_owners_queue_too, two_shards) {
    std::vector<chunk_config> theirs;
    for (std::uint64_t index = 0; theirs.size() < 40; ++index) {
        if (manager.owner(chunk(index)) == 1) theirs.push_back(chunk(index));
    }
    // Reads that end with the first who gives up would make room for those of others.
    source->held = source->deaf = true;
    auto body = [](fixture& with, const std::vector<chunk_config>& configs) -> task<bool> {
        scope all;
        for (const chunk_config& config : configs)
            all.spawn(give_up_after(with.manager, config, 5ms));
        co_await all.join();
        with.source->held = false;
        co_return co_await until([&] { return with.source->in_flight == 0; });
    };
    BOOST_TEST(owner.run(body(*this, theirs)));
    BOOST_TEST(source->reads == at_once);
    // What has been read stays.
    BOOST_TEST(owner.run(manager.statistics()).chunks == at_once);
}

BOOST_FIXTURE_TEST_CASE(what_the_upper_of_two_managers_gives_up_the_lower_one_gives_up, fixture) {
    chunk_manager upper{owner, manager, {.chunk_size = 2_MiB}};
    const file over = owner.run(upper.open("any"));
    source->held = true;
    auto body = [](fixture& with, const chunk_manager& of, file_id id) -> task<bool> {
        co_await abandon(12, [&](std::uint64_t i) {
            const chunk_config config{id, i * 2_MiB,
                                      i % 2 == 0 ? 100 : static_cast<std::uint32_t>(2_MiB)};
            return ask_for(of, config);
        });
        co_return co_await until([&] { return with.source->in_flight == 0; });
    };
    BOOST_TEST(owner.run(body(*this, upper, over)));
    BOOST_TEST(owner.run(manager.statistics()).chunks == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_rest_of_a_closed_file_is_not_read, fixture) {
    from = {};
    auto body = [](fixture& with) -> task<> {
        {
            const file closing = co_await with.manager.open("any");
            const slice got = co_await with.manager.get_chunk({closing, 0, 100});
        }
        co_await some_turns();
    };
    owner.run(body(*this));
    BOOST_TEST(source->reads == 1u);
    BOOST_TEST(owner.run(manager.statistics()).failed_reads == 0u);
    // Opened again, it is the same file, and fills.
    from = owner.run(manager.open("any"));
    BOOST_TEST(owner.run(get(manager, chunk(0))).size() == whole);
    BOOST_TEST(source->reads == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_stopping_engine_asks_the_reads_in_flight_to_end, fixture) {
    source->held = true;
    auto body = [](fixture& with) -> task<> {
        scope all;
        for (std::uint64_t i = 0; i < 20; ++i)
            all.spawn(ask_for(with.manager, with.chunk(i, i % 2 == 0 ? whole : 100)));
        co_await all.join();
    };
    auto waiting = owner.spawn_on(0, body(*this));
    while (source->in_flight == 0) std::this_thread::yield();
    owner.stop();
    const stop_report report = owner.join();
    BOOST_TEST(!report.code, report.owed);
    BOOST_CHECK_THROW(waiting.get(), system_error);
}

BOOST_AUTO_TEST_SUITE_END()
