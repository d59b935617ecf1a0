// Requests that wait for a buffer, and pins that others give up.
#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <thread>

BOOST_AUTO_TEST_SUITE(owner_requests_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::get;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;
using leat::test::wait_for_waiting;

namespace {
// Keeps what it got until `enough`.
task<boost::system::error_code> code_held(const chunk_manager& manager,
                                          chunk_config config,
                                          const std::atomic<bool>& enough) {
    as_result asking{manager.get_chunk(config)};
    const result<slice> got = co_await asking;
    if (!got) co_return got.error().code;
    while (!enough) {
        co_await leat::sleep(1ms);
    }
    co_return boost::system::error_code{};
}
}  // namespace

BOOST_AUTO_TEST_CASE(an_id_of_another_manager_is_refused_though_its_chunk_is_in_memory) {
    engine owner{small_engine(1, 4_MiB, 64_KiB)};
    chunk_manager small{owner, scripted_source{script_of(1_MiB)}};
    chunk_manager large{owner, scripted_source{script_of(1_MiB)}, {.chunk_size = 128_KiB}};
    const file from = owner.run(small.open("any"));
    const chunk_config config{from, 128_KiB + 100, 100};
    BOOST_TEST(owner.run(code_of(large, config)) == errc::closed);
    owner.run(get(small, {from, 64_KiB + 100, 100}));
    as_result asking{large.get_chunk(config)};
    auto body = [](as_result& one) -> task<int> {
        const result<slice> got = co_await one;
        if (!got) co_return 0;
        co_return test::is_pattern(got->bytes(), 1, 128_KiB + 100) ? 1 : 2;
    };
    BOOST_TEST(owner.run(body(asking)) == 0);
}

BOOST_AUTO_TEST_CASE(leases_that_slices_hold_do_not_keep_others_from_being_revoked) {
    engine owner{small_engine(2, 1_MiB, 64_KiB)};  // eight chunks a shard
    chunk_manager manager{owner, scripted_source{script_of(64 * 64_KiB)}, {.pin_deadline = 1000ms}};
    const file from = owner.run(manager.open("any"));
    std::vector<chunk_config> remote;
    for (std::uint64_t index = 0; index < 64; ++index) {
        const chunk_config config{from, index * 64_KiB, 100};
        if (manager.owner(config) == 0) remote.push_back(config);
    }
    std::vector<slice> pins;
    for (std::size_t i = 0; i < 8; ++i) {
        slice got = owner.spawn_on(1, get(manager, remote.at(i))).get();
        if (i < 4) pins.push_back(std::move(got));
    }
    BOOST_TEST(owner.run(manager.statistics()).pins == 4u);
    for (std::size_t i = 8; i < 12; ++i) BOOST_TEST(!owner.run(code_of(manager, remote.at(i))));
}

BOOST_AUTO_TEST_CASE(all_who_wait_for_a_chunk_are_served_once_it_has_a_buffer) {
    engine owner{small_engine(1, 128_KiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{script_of(640'000)}, {.pin_deadline = 3000ms}};
    const file from = owner.run(manager.open("any"));
    slice first = owner.run(get(manager, {from, 0, 100}));
    const slice second = owner.run(get(manager, {from, 64_KiB, 100}));
    std::atomic<bool> enough{false};
    auto a = owner.spawn_on(0, code_held(manager, {from, 128_KiB, 100}, enough));
    wait_for_waiting(owner, manager, 1);
    auto b = owner.spawn_on(0, code_of(manager, {from, 192_KiB, 100}));
    wait_for_waiting(owner, manager, 2);
    auto c = owner.spawn_on(0, code_of(manager, {from, 128_KiB, 100}));
    wait_for_waiting(owner, manager, 3);
    first = {};
    BOOST_TEST(!c.get());  // its chunk was there all the time
    BOOST_TEST(b.get() == errc::all_pinned);
    enough = true;
    BOOST_TEST(!a.get());
}

BOOST_AUTO_TEST_CASE(a_waiter_behind_one_that_gave_up_is_served) {
    engine owner{small_engine(1, 256_KiB, 64_KiB)};
    chunk_manager small{owner, scripted_source{script_of(1_MiB)}, {.pin_deadline = 2000ms}};
    chunk_manager large{
        owner, scripted_source{script_of(1_MiB)}, {.chunk_size = 128_KiB, .pin_deadline = 300ms}};
    const file one = owner.run(small.open("any"));
    const file two = owner.run(large.open("any"));
    // Of four buffers one remains.
    std::vector<slice> pinned;
    for (std::uint64_t i = 0; i < 4; ++i)
        pinned.push_back(owner.run(get(small, {one, i * 64_KiB, 100})));
    pinned[0] = {};
    auto a = owner.spawn_on(0, code_of(large, {two, 0, 100}));
    wait_for_waiting(owner, large, 1);
    auto b = owner.spawn_on(0, code_of(small, {one, 4 * 64_KiB, 100}));
    BOOST_TEST(!b.get());  // it needs less than who came before it
    // What has served b is not pinned, but no neighbour of it is free: it does not go in vain.
    BOOST_TEST(a.get() == errc::no_buffer);
}

BOOST_AUTO_TEST_CASE(stopping_ends_requests_that_wait_for_a_buffer_whatever_their_token) {
    engine_options options = small_engine(1, 128_KiB, 64_KiB);
    options.stop_timeout = 1000ms;
    std::stop_source own;
    const std::stop_token token = own.get_token();
    engine owner{options};
    chunk_manager manager{owner, scripted_source{script_of(1_MiB)}};
    const file from = owner.run(manager.open("any"));
    const slice one = owner.run(get(manager, {from, 0, 100}));
    const slice two = owner.run(get(manager, {from, 64_KiB, 100}));
    auto body = [](const chunk_manager& of, chunk_config config,
                   const std::stop_token& mine) -> task<boost::system::error_code> {
        task<boost::system::error_code> asking = code_of(of, config);
        asking.set_stop(mine);
        co_return co_await std::move(asking);
    };
    auto waiting = owner.spawn_on(0, body(manager, {from, 128_KiB, 100}, token));
    wait_for_waiting(owner, manager, 1);
    owner.stop();
    const stop_report report = owner.join();
    BOOST_TEST(!report.code, report.owed);
}

BOOST_AUTO_TEST_CASE(an_endless_pin_deadline_waits) {
    engine owner{small_engine(1, 128_KiB, 64_KiB)};
    chunk_manager manager{owner,
                          scripted_source{script_of(640'000)},
                          {.pin_deadline = std::chrono::milliseconds::max()}};
    const file from = owner.run(manager.open("any"));
    slice first = owner.run(get(manager, {from, 0, 100}));
    const slice second = owner.run(get(manager, {from, 64_KiB, 100}));
    auto a = owner.spawn_on(0, code_of(manager, {from, 128_KiB, 100}));
    wait_for_waiting(owner, manager, 1);
    first = {};
    BOOST_TEST(!a.get());
}

namespace {
/// Writes the chunk's number at its start and nothing else.
class marking_source {
public:
    struct file_type {
        [[nodiscard]] std::uint64_t size() const { return 16_GiB; }
        [[nodiscard]] file_version version() const { return {.inode = 1, .size = 16_GiB}; }
    };
    task<file_type> open(std::string) { co_return file_type{}; }
    task<std::size_t> read(file_type&, std::uint64_t offset, std::span<std::byte> to, priority) {
        to[0] = static_cast<std::byte>(offset / 1_GiB + 1);
        co_return to.size();
    }
};
}  // namespace

BOOST_AUTO_TEST_CASE(a_thousand_large_slices_dropped_elsewhere_leave_a_live_one_alone) {
    engine_options options = small_engine(1, 2_GiB, 1_GiB);
    options.huge_pages = options.register_buffers = false;
    engine owner{options};
    chunk_manager manager{owner, marking_source{}};
    const file from = owner.run(manager.open("any"));
    constexpr auto whole = static_cast<std::uint32_t>(1_GiB);
    const slice live = owner.run(get(manager, {from, 0, whole}));
    auto share = [](const slice& of) -> task<std::vector<slice>> {
        std::vector<slice> shares;
        for (int i = 0; i < 1024; ++i) shares.push_back(of.share());
        co_return shares;
    };
    std::vector<slice> shares = owner.run(share(live));
    std::atomic<bool> go{false};
    std::atomic<bool> busy{false};
    auto block = [](std::atomic<bool>& is, std::atomic<bool>& until) -> task<> {
        is = true;
        while (!until) std::this_thread::yield();
        co_return;
    };
    auto blocked = owner.spawn_on(0, block(busy, go));
    while (!busy) std::this_thread::yield();
    shares.clear();
    go = true;
    blocked.get();
    BOOST_TEST(owner.run(manager.statistics()).pins == 1u);
    for (std::uint64_t i = 1; i < 6; ++i) {
        BOOST_TEST(!owner.run(code_of(manager, {from, i * 1_GiB, whole})));
        BOOST_TEST(static_cast<int>(live.data()[0]) == 1);  // else overwritten under a live slice
    }
}

BOOST_AUTO_TEST_SUITE_END()
