// The steps of a lease, and stopping with requests in flight.
#include "pattern.hpp"
#include "scripted_source.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <optional>
#include <thread>

BOOST_AUTO_TEST_SUITE(granted_leases_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::script;
using leat::test::scripted_source;

namespace {

struct fixture {
    fixture() {
        source->size = 64 * 64_KiB;
        from = owner.run(manager.open("any"));
        // Chunks that shard 0 owns: shard 1 reaches them by leases.
        for (std::uint64_t index = 0; index < 64; ++index) {
            const chunk_config config{from, index * 64_KiB, 100};
            if (manager.owner(config) == 0) remote.push_back(config);
        }
    }
    cache_statistics sum() { return owner.run(manager.statistics()); }
    slice get_on(unsigned shard, chunk_config config) {
        return owner.spawn_on(shard, get(config)).get();
    }
    task<slice> get(chunk_config config) { co_return co_await manager.get_chunk(config); }
    task<bool> present(chunk_config config) { co_return static_cast<bool>(manager.peek(config)); }

    std::shared_ptr<script> source = std::make_shared<script>();
    engine owner{test::small_engine(2, 512_KiB, 64_KiB)};  // four chunks a shard
    chunk_manager manager{owner, scripted_source{source}};
    file from;
    std::vector<chunk_config> remote;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_lease_is_granted_once_and_hits_are_local_from_then_on, fixture) {
    BOOST_TEST(test::is_pattern(get_on(1, remote[0]).bytes(), 1, remote[0].offset));
    const cache_statistics granted = sum();
    BOOST_TEST(granted.grants == 1u);
    BOOST_TEST(granted.leases == 1u);
    for (int i = 0; i < 100; ++i) get_on(1, remote[0]);
    const cache_statistics later = sum();
    BOOST_TEST(later.misses == granted.misses);
    BOOST_TEST(later.grants == 1u);
    BOOST_TEST(later.fills == 1u);
}

BOOST_FIXTURE_TEST_CASE(units_that_land_later_are_seen_through_the_lease, fixture) {
    source->hold_background = true;
    get_on(1, remote[0]);
    chunk_config last = remote[0];
    last.offset += 64_KiB - 100;
    BOOST_TEST(!owner.spawn_on(1, present(last)).get());
    source->hold_background = false;
    while (!owner.spawn_on(1, present(last)).get()) std::this_thread::yield();
    const std::uint64_t misses = sum().misses;
    BOOST_TEST(test::is_pattern(get_on(1, last).bytes(), 1, last.offset));
    BOOST_TEST(sum().misses == misses);
}

BOOST_FIXTURE_TEST_CASE(an_owner_short_of_buffers_revokes_what_is_unused, fixture) {
    for (const chunk_config& config : remote) get_on(1, config);
    const cache_statistics after = sum();
    BOOST_TEST(after.evictions > 0u);
    BOOST_TEST(after.chunks <= 8u);
    BOOST_TEST(after.waiting == 0u);
    for (const chunk_config& config : remote) {
        BOOST_TEST(test::is_pattern(get_on(1, config).bytes(), 1, config.offset));
    }
}

BOOST_FIXTURE_TEST_CASE(a_pinned_lease_keeps_its_bytes_until_the_last_pin, fixture) {
    slice pinned = get_on(1, remote[0]);
    for (std::size_t i = 1; i < remote.size(); ++i) get_on(0, remote[i]);
    BOOST_TEST(test::is_pattern(pinned.bytes(), 1, remote[0].offset));
    BOOST_TEST(sum().pins == 1u);
    pinned = slice{};
    for (std::size_t i = 1; i < remote.size(); ++i) get_on(0, remote[i]);
    BOOST_TEST(sum().pins == 0u);
    BOOST_TEST(test::is_pattern(get_on(1, remote[0]).bytes(), 1, remote[0].offset));
}

BOOST_FIXTURE_TEST_CASE(a_holder_that_pins_a_revoked_chunk_may_ask_for_more_of_it, fixture) {
    source->background_delay_ms = 2;
    auto body = [](fixture& with) -> task<bool> {
        for (int round = 0; round < 10; ++round) {
            for (const chunk_config& config : with.remote) {
                const slice first = co_await with.manager.get_chunk(config);
                chunk_config other = config;
                other.offset += 32_KiB;
                const slice second = co_await with.manager.get_chunk(other);
                if (!test::is_pattern(first.bytes(), 1, config.offset)) co_return false;
                if (!test::is_pattern(second.bytes(), 1, other.offset)) co_return false;
            }
        }
        co_return true;
    };
    std::vector<spawned<bool>> running;
    for (int i = 0; i < 2; ++i) running.push_back(owner.spawn_on(1, body(*this)));
    running.push_back(owner.spawn_on(0, body(*this)));
    for (auto& one : running) BOOST_TEST(one.get());
}

BOOST_FIXTURE_TEST_CASE(a_lease_on_a_chunk_that_a_change_has_doomed_serves_no_other_chunk,
                        fixture) {
    const auto code_on = [&](unsigned shard, chunk_config config) {
        auto body = [](fixture& with, chunk_config wanted) -> task<boost::system::error_code> {
            as_result asking{with.manager.get_chunk(wanted)};
            const result<slice> got = co_await asking;
            co_return got ? boost::system::error_code{} : got.error().code;
        };
        return owner.spawn_on(shard, body(*this, config)).get();
    };
    chunk_config other = remote[0];
    other.offset += 32_KiB;
    source->bad_from = other.offset;  // so that the rest of the chunk stays unread
    source->bad_to = other.offset + 1;
    slice old = get_on(1, remote[0]);
    while (sum().failed_reads == 0) std::this_thread::sleep_for(1ms);
    source->bad_to = 0;
    source->version = 2;
    BOOST_TEST(code_on(0, other) == errc::file_changed);
    source->version = 1;
    BOOST_TEST(code_on(1, other) == errc::file_changed);
    BOOST_TEST(test::is_pattern(old.bytes(), 1, remote[0].offset));
    // At home, so that the lease goes back before the next request.
    auto drop = [](slice last) -> task<> {
        last = slice{};
        co_return;
    };
    owner.spawn_on(1, drop(std::move(old))).get();
    BOOST_TEST(!code_on(1, other));
}

BOOST_FIXTURE_TEST_CASE(leases_unused_for_a_while_are_given_back_when_others_come, fixture) {
    get_on(1, remote[0]);
    get_on(1, remote[1]);
    get_on(1, remote[2]);
    BOOST_TEST(sum().leases == 3u);
    std::this_thread::sleep_for(1100ms);
    get_on(1, remote[1]);
    get_on(1, remote[3]);  // looks at the last two
    for (int i = 0; i < 1000 && sum().leases != 3; ++i) std::this_thread::sleep_for(1ms);
    BOOST_TEST(sum().leases == 3u);
    const std::uint64_t misses = sum().misses;
    get_on(1, remote[0]);
    get_on(1, remote[1]);
    BOOST_TEST(sum().misses == misses);
    get_on(1, remote[2]);
    BOOST_TEST(sum().misses == misses + 1);
}

BOOST_AUTO_TEST_CASE(stopping_with_requests_in_flight_resumes_every_one_with_an_error) {
    for (int round = 0; round < 10; ++round) {
        const auto source = std::make_shared<script>();
        source->size = 4_MiB;
        source->delay_ms = 60'000;
        engine owner{test::small_engine(2, 512_KiB, 64_KiB)};
        chunk_manager manager{owner, scripted_source{source}};
        file from = owner.run(manager.open("any"));
        auto ask = [](chunk_manager& of, file name,
                      std::uint64_t index) -> task<boost::system::error_code> {
            const chunk_config config{name, index * 64_KiB, 100};
            as_result asking{of.get_chunk(config)};
            const result<slice> got = co_await asking;
            co_return got ? boost::system::error_code{} : got.error().code;
        };
        std::vector<spawned<boost::system::error_code>> running;
        for (std::uint64_t i = 0; i < 64; ++i) {  // some wait for bytes, most for a buffer
            running.push_back(owner.spawn_on(i % 2, ask(manager, from, i)));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{round});
        auto stop_it = [](engine& one) -> task<> {
            one.stop();
            co_return;
        };
        if (round % 2 == 0) {
            owner.stop();
        } else {
            owner.spawn_on(1, stop_it(owner)).get();
        }
        for (auto& one : running) BOOST_TEST(one.get() == errc::stopped);
        const stop_report report = owner.join();
        BOOST_TEST(!report.code, report.owed);
        BOOST_TEST(report.held == 0u);
    }
}

namespace {

// Two shards stepped by hand, the second with a lease and a slice of a chunk that the first owns.
struct stepped_fixture {
    stepped_fixture() {
        source->size = 64 * 64_KiB;
        owner.start();
        owner.at(0).open();
        owner.at(1).open();
        held = complete(1, get_remote());
    }
    static engine_options options() {
        engine_options made = test::small_engine(2, 512_KiB, 64_KiB);
        made.hosted = true;
        return made;
    }
    template <class T>
    T complete(unsigned shard, task<T> job) {
        spawned<T> running = owner.spawn_on(shard, std::move(job));
        while (owner.roots() != 0) {
            owner.at(0).turn();
            owner.at(1).turn();
        }
        return running.get();
    }
    task<slice> get_remote() {
        from = co_await manager.open("any");
        chunk_config config{from, 0, 100};
        while (manager.owner(config) != 0) config.offset += 64_KiB;
        co_return co_await manager.get_chunk(config);
    }
    void step_to_the_end(unsigned shard) {
        while (!owner.at(shard).finished()) owner.at(shard).turn();
    }
    void check_the_end(unsigned first, unsigned second) {
        BOOST_TEST(complete(0, manager.statistics()).leases == 1u);
        owner.stop();
        step_to_the_end(first);
        BOOST_TEST(test::is_pattern(held.bytes(), 1, held_offset()));
        step_to_the_end(second);
        const stop_report report = owner.join();
        BOOST_TEST(!report.code, report.owed);
        BOOST_TEST(report.held == 1u);
        BOOST_TEST(test::is_pattern(held.bytes(), 1, held_offset()));
        held = {};
    }
    [[nodiscard]] std::uint64_t held_offset() const {
        chunk_config config{from, 0, 100};
        while (manager.owner(config) != 0) config.offset += 64_KiB;
        return config.offset;
    }

    std::shared_ptr<script> source = std::make_shared<script>();
    engine owner{options()};
    chunk_manager manager{owner, scripted_source{source}};
    file from;
    slice held;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_holder_that_stops_first_leaves_its_slices_valid, stepped_fixture) {
    check_the_end(1, 0);
}

BOOST_FIXTURE_TEST_CASE(an_owner_that_stops_first_leaves_leased_slices_valid, stepped_fixture) {
    check_the_end(0, 1);
}

BOOST_AUTO_TEST_CASE(a_request_does_not_wait_for_the_buffer_that_its_own_lease_keeps) {
    const auto source = std::make_shared<script>();
    source->size = 64 * 64_KiB;
    engine_options options = test::small_engine(2, 256_KiB, 64_KiB);  // two chunks a shard
    options.hosted = true;
    engine owner{options};
    chunk_manager manager{owner, scripted_source{source}, {.pin_deadline = time_span::max()}};
    owner.start();
    owner.at(0).open();
    owner.at(1).open();
    const auto turn = [&] {
        for (int i = 0; i < 50; ++i) {
            owner.at(0).turn();
            owner.at(1).turn();
        }
    };
    file from;
    auto open = [](chunk_manager& of, file& into) -> task<> { into = co_await of.open("any"); };
    auto opening = owner.spawn_on(0, open(manager, from));
    turn();
    BOOST_REQUIRE(from);
    std::vector<chunk_config> remote;
    for (std::uint64_t at = 0; remote.size() < 3; at += 64_KiB) {
        if (manager.owner({from, at, 100}) == 0) remote.push_back({from, at, 100});
    }
    struct asked {
        slice got;
        std::optional<boost::system::error_code> code;
    };
    auto get = [](const chunk_manager& of, chunk_config config, asked& into) -> task<> {
        as_result asking{of.get_chunk(config)};
        result<slice> got = co_await asking;
        into.code = got ? boost::system::error_code{} : got.error().code;
        if (got) into.got = std::move(*got);
    };
    const auto ask_on = [&](unsigned shard, chunk_config config, asked& into) {
        auto asking = owner.spawn_on(shard, get(manager, config, into));
        turn();
        return asking;
    };

    chunk_config rest = remote[0];
    rest.offset += 32_KiB;
    source->bad_from = rest.offset;  // so that the rest of the chunk stays unread
    source->bad_to = rest.offset + 1;
    asked first, doomed, second, again, third;
    const auto a = ask_on(1, remote[0], first);
    BOOST_REQUIRE(first.code.has_value() && !*first.code);
    source->bad_to = 0;
    source->version = 2;
    const auto b = ask_on(0, rest, doomed);
    BOOST_TEST((doomed.code == errc::file_changed));
    source->version = 1;
    const auto c = ask_on(0, remote[1], second);  // the other buffer, pinned
    BOOST_REQUIRE(second.code.has_value() && !*second.code);

    const auto d = ask_on(1, remote[0], again);
    BOOST_TEST((again.code == errc::file_changed));
    const auto e = ask_on(0, remote[2], third);  // waits for what shard 1 keeps
    BOOST_TEST(!third.code.has_value());
    auto drop = [](asked& held) -> task<> {
        held.got = {};
        co_return;
    };
    const auto f = owner.spawn_on(1, drop(first));
    turn();
    BOOST_TEST((third.code == boost::system::error_code{}));

    second.got = {};
    third.got = {};
    owner.stop();
    while (!owner.at(0).finished()) owner.at(0).turn();
    while (!owner.at(1).finished()) owner.at(1).turn();
    owner.join();
}

BOOST_AUTO_TEST_SUITE_END()
