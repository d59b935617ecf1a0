// What one read brings, how large it is, and what its failure does.
#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <functional>

BOOST_AUTO_TEST_SUITE(fill_read_test)

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

struct fixture {
    explicit fixture(std::uint64_t chunk_size = 10_MiB)
        : owner{options(*this, chunk_size)}, manager{owner, scripted_source{source}} {
        from = owner.run(manager.open("any"));
    }
    static engine_options options(fixture& with, std::uint64_t chunk_size) {
        engine_options wanted = small_engine(1, 256_MiB, chunk_size);
        wanted.on_event = [&with](const event& told) {
            if (told.text.find("reading ahead") != std::string::npos) ++with.events;
        };
        return wanted;
    }
    [[nodiscard]] script::range read(std::size_t number) const {
        const std::lock_guard lock{source->mutex};
        return source->log.at(number);
    }

    std::atomic<int> events{0};
    std::shared_ptr<script> source = script_of(1'000_MiB);
    engine owner;
    chunk_manager manager;
    file from;
};

/// Chunks of several of the largest reads.
struct large_chunks : fixture {
    large_chunks() : fixture(32_MiB) {}
};

task<> ask_for(const chunk_manager& of, chunk_config config) {
    const slice got = co_await of.get_chunk(config);
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

}  // namespace

BOOST_FIXTURE_TEST_CASE(whether_a_demand_is_small_is_judged_by_its_units, fixture) {
    struct example {
        std::uint64_t in;
        std::uint64_t size;
        bool small;
    };
    const std::vector<example> examples{
        {0, 256_KiB, true},        {512, 256_KiB, true},
        {4095, 256_KiB, true},     {0, 256_KiB + 1, false},
        {4096, 256_KiB, true},     {4096, 256_KiB + 1, false},
        {1, 256_KiB + 4095, true}, {1, 256_KiB + 4096, false},
        {5_MiB, 257_KiB, false},   {10_MiB - 256_KiB, 256_KiB, true}};
    std::uint64_t index = 0;
    for (const example& one : examples) {
        const std::uint64_t small_before = owner.run(manager.statistics()).demand_reads;
        source->held = true;
        auto body = [](fixture& with, chunk_config config) -> task<> {
            scope all;
            all.spawn(ask_for(with.manager, config));
            co_await some_turns();
            with.source->held = false;
            co_await all.join();
            co_await until([&] { return with.source->in_flight == 0; });
            co_await some_turns();
        };
        const std::size_t first = source->log.size();
        const std::uint64_t offset = index++ * 10_MiB + one.in;
        owner.run(body(*this, {from, offset, static_cast<std::uint32_t>(one.size)}));
        const std::uint64_t small = owner.run(manager.statistics()).demand_reads - small_before;
        BOOST_TEST(small == (one.small ? 1u : 0u), "size " << one.size << " at " << one.in);
        // Large or small: its units, alone.
        const std::uint64_t begin = offset / unit_size * unit_size;
        const std::uint64_t end = (offset + one.size + unit_size - 1) / unit_size * unit_size;
        BOOST_TEST(read(first).offset == begin);
        BOOST_TEST(read(first).size == end - begin);
        BOOST_TEST((read(first).urgency == priority::demand));
    }
}

BOOST_FIXTURE_TEST_CASE(no_read_is_larger_than_ten_mib_and_a_rest_has_one_in_flight, large_chunks) {
    source->held = true;
    auto body = [](fixture& with) -> task<> {
        scope all;
        all.spawn(ask_for(with.manager, {with.from, 0, static_cast<std::uint32_t>(32_MiB)}));
        co_await some_turns();
        with.source->held = false;
        co_await all.join();
    };
    owner.run(body(*this));
    BOOST_TEST(source->most_in_flight == 1);
    BOOST_TEST(source->reads == 4u);
    for (std::size_t i = 0; i < 4; ++i) {
        BOOST_TEST(read(i).offset == i * 10_MiB);
        BOOST_TEST(read(i).size == (i < 3 ? 10_MiB : 2_MiB));
    }
}

BOOST_FIXTURE_TEST_CASE(a_second_request_in_a_chunk_does_not_wait_for_its_rest, large_chunks) {
    auto body = [](fixture& with) -> task<> {
        co_await ask_for(with.manager, {with.from, 0, 4096});
        with.source->held = true;
        co_await some_turns();  // the rest has begun
        scope all;
        all.spawn(ask_for(with.manager, {with.from, 5_MiB, 4096}));   // under way
        all.spawn(ask_for(with.manager, {with.from, 20_MiB, 4096}));  // not
        all.spawn(ask_for(with.manager, {with.from, 25_MiB, static_cast<std::uint32_t>(1_MiB)}));
        co_await some_turns();
        with.source->held = false;
        co_await all.join();
    };
    owner.run(body(*this));
    BOOST_TEST(read(1).offset == 4096u);
    BOOST_TEST(read(1).size == 10_MiB);
    BOOST_TEST(read(2).offset == 20_MiB);
    BOOST_TEST(read(2).size == 4096u);
    BOOST_TEST(read(3).offset == 25_MiB);
    BOOST_TEST((read(2).urgency == priority::demand && read(3).urgency == priority::demand));
    // Read once each: nothing of the first three is asked again.
    BOOST_TEST(owner.run(get(manager, {from, 0, static_cast<std::uint32_t>(32_MiB)})).size() ==
               32_MiB);
    BOOST_TEST(source->bytes == 32_MiB);
}

BOOST_FIXTURE_TEST_CASE(large_chunks_take_turns, large_chunks) {
    auto body = [](fixture& with) -> task<> {
        scope all;
        for (std::uint64_t i = 0; i < 3; ++i) {
            all.spawn(ask_for(with.manager, {with.from, i * 32_MiB,
                                             static_cast<std::uint32_t>(i == 2 ? 1_MiB : 32_MiB)}));
        }
        co_await all.join();
    };
    owner.run(body(*this));
    std::vector<std::uint64_t> chunks;
    for (std::size_t i = 0; i < 5; ++i) chunks.push_back(read(i).offset / 32_MiB);
    const std::vector<std::uint64_t> wanted{0, 1, 2, 0, 1};
    BOOST_TEST(chunks == wanted, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(one_failed_demand_does_not_make_the_rest_wait_for_demands, fixture) {
    source->failing_read = 1;
    BOOST_TEST(test::ask(owner, manager, {from, 0, 4096}) == system_error_code(EIO));
    BOOST_TEST(!test::ask(owner, manager, {from, 0, 4096}));
    BOOST_TEST(owner.run(get(manager, {from, 0, static_cast<std::uint32_t>(10_MiB)})).size() ==
               10_MiB);
    BOOST_TEST(source->reads == 3u);
    BOOST_TEST(events == 0);  // whoever asked was told
}

BOOST_FIXTURE_TEST_CASE(a_background_read_that_failed_is_told_and_tried_again_after_a_demand,
                        fixture) {
    source->failing_read = 2;
    auto settle = [](fixture& with, std::uint64_t reads) -> task<bool> {
        const bool there = co_await until(
            [&] { return with.source->reads >= reads && with.source->in_flight == 0; });
        co_await some_turns();
        co_return there;
    };
    BOOST_TEST(!test::ask(owner, manager, {from, 0, 4096}));
    BOOST_TEST(owner.run(settle(*this, 2)));
    BOOST_TEST(source->reads == 2u);
    BOOST_TEST(events == 1);
    BOOST_TEST(!test::ask(owner, manager, {from, 4096, 4096}));
    BOOST_TEST(owner.run(settle(*this, 4)));
    BOOST_TEST(source->reads == 4u);  // the demand, and all that was left
    BOOST_TEST(
        static_cast<bool>(owner.run(get(manager, {from, 0, static_cast<std::uint32_t>(10_MiB)}))));
    BOOST_TEST(source->reads == 4u);
    BOOST_TEST(events == 1);
}

BOOST_FIXTURE_TEST_CASE(a_background_read_that_failed_is_told_though_somebody_gets_the_error,
                        fixture) {
    source->failing_read = 2;
    auto body = [](fixture& with) -> task<boost::system::error_code> {
        co_await ask_for(with.manager, {with.from, 0, 4096});
        with.source->held = true;
        co_await some_turns();  // the rest has begun
        boost::system::error_code code;
        auto ask = [](fixture& of, boost::system::error_code& to) -> task<> {
            to = co_await code_of(of.manager, {of.from, 0, static_cast<std::uint32_t>(10_MiB)});
        };
        scope one;
        one.spawn(ask(with, code));
        co_await some_turns();
        with.source->held = false;
        co_await one.join();
        co_return code;
    };
    BOOST_TEST(owner.run(body(*this)) == system_error_code(EIO));
    BOOST_TEST(events == 1);
}

BOOST_FIXTURE_TEST_CASE(a_bad_sector_is_not_met_at_each_demand, fixture) {
    source->bad_from = 10_MiB - 1;
    source->bad_to = 10_MiB;
    auto walk = [](fixture& with) -> task<> {
        for (std::uint64_t i = 0; i < 256; ++i) {
            co_await ask_for(with.manager, {with.from, i * 4096, 4096});
            co_await until([&] { return with.source->in_flight == 0; });
            co_await some_turns();
        }
    };
    owner.run(walk(*this));
    // After 1, 1, 2, 4, ..., 128 demands.
    BOOST_TEST(owner.run(manager.statistics()).failed_reads == 9u);
    BOOST_TEST(events == 9);
    BOOST_TEST(test::ask(owner, manager, {from, 10_MiB - 1, 1}) == system_error_code(EIO));
}

BOOST_FIXTURE_TEST_CASE(those_who_share_a_failed_rest_get_what_their_own_units_give, fixture) {
    source->bad_from = 8_MiB;
    source->bad_to = 8_MiB + 1;
    auto body = [](fixture& with) -> task<> {
        co_await ask_for(with.manager, {with.from, 0, 4096});
        with.source->held = true;
        co_await some_turns();  // the rest has begun
        scope all;
        std::vector<boost::system::error_code> codes(5);
        auto ask = [](const chunk_manager& of, chunk_config config,
                      boost::system::error_code& code) -> task<> {
            code = co_await code_of(of, config);
        };
        const std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges{
            {4096, 100}, {8_MiB, 100}, {2_MiB, 1_MiB}, {8_MiB - 512_KiB, 1_MiB}, {9_MiB, 1_MiB}};
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            all.spawn(
                ask(with.manager,
                    {with.from, ranges[i].first, static_cast<std::uint32_t>(ranges[i].second)},
                    codes[i]));
        }
        co_await some_turns();
        with.source->held = false;
        co_await all.join();
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            const bool bad = i == 1 || i == 3;
            if (codes[i] != (bad ? system_error_code(EIO) : boost::system::error_code{}))
                throw std::logic_error{"request " + std::to_string(i) + ": " + codes[i].message()};
        }
    };
    owner.run(body(*this));
    BOOST_TEST(events > 0);
}

BOOST_AUTO_TEST_SUITE_END()
