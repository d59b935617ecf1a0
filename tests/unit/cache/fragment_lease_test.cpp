// Fragments that another shard owns: leases of them, and what comes over them.
#include "fragments.hpp"
#include "shard/shard_parts.hpp"

#include <leat/cache/detail/manager_access.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(fragment_lease_test)

using namespace leat;
using namespace leat::literals;
using leat::test::code_of;
using leat::test::extent_reads;
using leat::test::fragments;
using leat::test::is_pattern;
using leat::test::right_bytes;

namespace {

constexpr auto per_element = boost::test_tools::per_element();

/// Two shards; `base` is the start of a chunk that the first owns, and `next` of another.
struct two : fragments {
    two() : fragments(64_MiB, 64_MiB, 1_MiB, 2) {
        while (manager.owner(at(base, 1)) != 0) base += 1_MiB;
        next = base + 1_MiB;
        while (manager.owner(at(next, 1)) != 0) next += 1_MiB;
    }
    ~two() {
        settle();
        for (const unsigned shard : {0u, 1u}) {
            const char* const fault = owner.spawn_on(shard, fault_of()).get();
            BOOST_TEST(std::string_view{fault != nullptr ? fault : ""} == "");
        }
    }
    static task<const char*> fault_of() { co_return detail::shard_cache::current().fault(); }
    /// Whether the second shard has the bytes at hand.
    [[nodiscard]] bool at_hand(std::uint64_t offset, std::uint64_t size) {
        auto look = [](const chunk_manager& of, chunk_config config) -> task<bool> {
            co_return static_cast<bool>(of.peek(config));
        };
        return owner.spawn_on(1, look(manager, at(offset, size))).get();
    }
    /// Returns when the second shard has so many leases.
    void wait_for_leases(std::uint64_t count) {
        while (sum().leases != count) std::this_thread::yield();
    }
    /// The bytes there, got on the second shard.
    [[nodiscard]] slice far(std::uint64_t offset, std::uint64_t size) {
        slice got = get(offset, size, 1);
        BOOST_TEST(is_pattern(got.bytes(), 1, offset));
        return got;
    }

    std::uint64_t base = 0;
    std::uint64_t next = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_fragment_is_served_to_other_shards_by_one_read, two) {
    BOOST_TEST(right(base + 8_KiB, 8_KiB, 1));
    BOOST_TEST(reads() == (extent_reads{{base + 8_KiB, 8_KiB}}), per_element);
    BOOST_TEST(right(base + 8_KiB, 8_KiB, 0));
    BOOST_TEST(right(base + 8_KiB, 8_KiB, 1));
    BOOST_TEST(reads().empty());
}

BOOST_FIXTURE_TEST_CASE(while_a_slice_pins_it_a_lease_serves_hits, two) {
    slice held = far(base + 72_KiB, 8_KiB);
    const cache_statistics before = sum();
    BOOST_TEST(before.leases == 1u);
    const slice again = far(base + 74_KiB, 6_KiB);
    BOOST_TEST(again.data() == held.data() + 2_KiB);
    BOOST_TEST(sum().misses == before.misses);
    BOOST_TEST(sum().grants == before.grants);
    BOOST_TEST(at_hand(base + 80_KiB - 1, 1));
    BOOST_TEST(!at_hand(base + 80_KiB - 1, 2));
    BOOST_TEST(!at_hand(base + 72_KiB - 1, 2));
}

BOOST_FIXTURE_TEST_CASE(a_lease_goes_home_with_its_last_pin_the_first_time_and_stays_the_second,
                        two) {
    slice held = far(base, 4_KiB);
    slice more = far(base + 100, 100);
    held = {};
    BOOST_TEST(sum().leases == 1u);
    more = {};
    wait_for_leases(0);
    held = far(base, 4_KiB);
    held = {};
    BOOST_TEST(at_hand(base, 4_KiB));
    BOOST_TEST(sum().leases == 1u);
    BOOST_TEST(at_hand(base, 4_KiB));
}

BOOST_FIXTURE_TEST_CASE(a_lease_of_a_chunk_stays_the_first_time, two) {
    chunk_config wanted = at(base, 4_KiB);
    BOOST_TEST(owner.spawn_on(1, right_bytes(manager, wanted)).get());
    auto whole = [](two& of) -> task<bool> {
        slice_stream stream = of.manager.slices(of.from, of.base, 1_MiB);
        bool right = true;
        for (std::uint64_t done = 0; done < 1_MiB;) {
            const slice one = co_await stream.next();
            right = right && is_pattern(one.bytes(), 1, of.base + done);
            done += one.size();
        }
        co_return right;
    };
    BOOST_TEST(owner.spawn_on(1, whole(*this)).get());
    settle();
    BOOST_TEST(right(base + 500_KiB, 100, 1));
    BOOST_TEST(at_hand(base, 64_KiB));
    BOOST_TEST(at_hand(base + 100_KiB, 300_KiB));
}

BOOST_FIXTURE_TEST_CASE(a_fragment_may_grow_while_others_pin_what_it_was, two) {
    for (int round = 0; round < 3; ++round) {
        const std::uint64_t begin = base + static_cast<std::uint64_t>(round) * 128_KiB;
        slice first = far(begin, 4_KiB);
        const std::byte* const where = first.data();
        // By the owner itself, or by the one who pins, or asked for by both at once.
        if (round != 1) BOOST_TEST(right(begin + 8_KiB, 4_KiB, 0));
        if (round != 0) BOOST_TEST(right(begin + 12_KiB, 4_KiB, 1));
        BOOST_TEST(first.data() == where);
        BOOST_TEST(is_pattern(first.bytes(), 1, begin));
        slice second = far(begin, 64_KiB);
        BOOST_TEST(second.data() != where);
        slice third = far(begin + 4_KiB, 60_KiB);
        BOOST_TEST(third.data() == second.data() + 4_KiB);
        first = {};
        BOOST_TEST(is_pattern(second.bytes(), 1, begin));
        second = {};
        third = {};
    }
    settle();
    while (sum().chunks != 3) std::this_thread::yield();
    BOOST_TEST(sum().pins == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_fragment_may_grow_again_and_again_below_pins_of_all_it_was, two) {
    std::vector<slice> held;
    held.push_back(far(base + 60_KiB, 4_KiB));
    for (std::uint64_t more = 4_KiB; more <= 256_KiB; more += 36_KiB)
        held.push_back(far(base + 60_KiB, 4_KiB + more));
    held.push_back(far(base + 4_KiB, 4_KiB));
    for (const slice& one : held)
        BOOST_TEST(is_pattern(one.bytes(), 1, &one == &held.back() ? base + 4_KiB : base + 60_KiB));
    while (!held.empty()) held.erase(held.begin());
    while (sum().chunks != 1) std::this_thread::yield();
}

BOOST_FIXTURE_TEST_CASE(requests_across_fragments_come_by_the_lease_of_the_first, two) {
    slice crossing = far(base + 60_KiB, 100_KiB);
    (void)reads();
    // What begins in another of its fragments is found by its owner.
    slice inside = far(base + 70_KiB, 20_KiB);
    BOOST_TEST(inside.data() == crossing.data() + 10_KiB);
    BOOST_TEST(right(base + 128_KiB, 4_KiB, 1));
    BOOST_TEST(reads().empty());
}

BOOST_FIXTURE_TEST_CASE(a_chunk_that_has_come_takes_the_place_of_its_fragments, two) {
    const std::uint64_t places[] = {base + 64_KiB, base + 192_KiB, base + 512_KiB};
    std::vector<slice> held;
    for (const std::uint64_t one : places) held.push_back(get(one, 4_KiB));
    for (const std::uint64_t in : {320_KiB, 900_KiB}) BOOST_TEST(right(base + in, 4_KiB, 0));
    BOOST_TEST(sum().chunks == 5u);
    auto read = [](two& of) -> task<bool> {
        std::vector<std::byte> to(1_MiB);
        co_await of.manager.read(of.from, of.base, to);
        co_return is_pattern(to, 1, of.base);
    };
    BOOST_TEST(owner.spawn_on(0, read(*this)).get());
    settle();
    // The chunk, and the three that are pinned.
    BOOST_TEST(sum().chunks == 4u);
    BOOST_TEST(sum().fills == 6u);
    for (std::size_t i = 0; i < held.size(); ++i)
        BOOST_TEST(is_pattern(held[i].bytes(), 1, places[i]));
    BOOST_TEST(right(base, 512_KiB, 0));
    BOOST_TEST(right(base + 192_KiB, 4_KiB, 1));
    held.clear();
    while (sum().chunks != 1) std::this_thread::yield();
    BOOST_TEST(right(base + 512_KiB, 100_KiB, 1));
    BOOST_TEST(sum().fills == 6u);
}

BOOST_FIXTURE_TEST_CASE(both_shards_at_once_read_nothing_twice, two) {
    source->held = true;
    std::vector<spawned<bool>> all;
    for (const std::uint64_t in : {0_KiB, 60_KiB, 8_KiB, 0_KiB, 40_KiB}) {
        for (const unsigned shard : {1u, 0u, 1u}) {
            all.push_back(owner.spawn_on(shard, right_bytes(manager, at(base + in, 4_KiB))));
            all.push_back(owner.spawn_on(shard, right_bytes(manager, at(base + in, 24_KiB))));
        }
    }
    while (sum().waiting != all.size()) std::this_thread::yield();
    extent_reads now = reads();
    for (std::size_t i = 1; i < now.size(); ++i)
        BOOST_TEST(now[i - 1].offset + now[i - 1].size <= now[i].offset);
    source->held = false;
    for (spawned<bool>& one : all) BOOST_TEST(one.get());
}

BOOST_FIXTURE_TEST_CASE(who_gives_up_on_another_shard_ends_alone, two) {
    source->held = true;
    auto stays = owner.spawn_on(0, code_of(manager, at(base, 4_KiB)));
    while (sum().waiting != 1) std::this_thread::yield();
    std::vector<spawned<boost::system::error_code>> all;
    for (const std::uint64_t size : {4_KiB, 64_KiB, 100_KiB}) {
        all.push_back(owner.spawn_on(1, code_of(manager, at(base, size))));
        while (sum().waiting != all.size() + 1) std::this_thread::yield();
    }
    for (auto& one : all) {
        one.request_stop();
        BOOST_TEST(one.get() == errc::cancelled);
    }
    source->held = false;
    BOOST_TEST(!stays.get());
    BOOST_TEST(right(base, 100_KiB, 1));
}

BOOST_FIXTURE_TEST_CASE(who_gives_up_wherever_his_request_is_ends_and_leaves_no_lease, two) {
    for (std::uint64_t i = 0; i < 200; ++i) {
        const std::uint64_t offset = base + i % 16 * 64_KiB + i / 16 * 4_KiB;
        auto asked = owner.spawn_on(1, code_of(manager, at(offset, 4_KiB + i % 3 * 40_KiB)));
        for (std::uint64_t spin = 0; spin < i * 20; ++spin)
            std::atomic_signal_fence(std::memory_order_seq_cst);
        asked.request_stop();
        const boost::system::error_code code = asked.get();
        BOOST_TEST((!code || code == errc::cancelled || code == errc::crosses_chunk));
    }
    BOOST_TEST(sum().pins == 0u);
}

BOOST_FIXTURE_TEST_CASE(an_error_crosses_to_other_shards_and_the_next_call_tries_again, two) {
    slice held = far(base, 4_KiB);
    source->failing_read = source->reads + 1;
    BOOST_TEST(code(base + 4_KiB, 60_KiB, 1).value() == EIO);
    BOOST_TEST(is_pattern(held.bytes(), 1, base));
    BOOST_TEST(right(base + 4_KiB, 60_KiB, 1));
    BOOST_TEST(right(base, 4_KiB, 1));
}

BOOST_FIXTURE_TEST_CASE(a_changed_file_is_noticed_while_others_pin_what_it_was, two) {
    slice held = far(base, 4_KiB);
    source->version = 2;
    BOOST_TEST(code(base + 32_KiB, 4_KiB, 1) == errc::file_changed);
    BOOST_TEST(code(base + 32_KiB, 4_KiB, 0) == errc::file_changed);
    BOOST_TEST(is_pattern(held.bytes(), 1, base));
    source->version = 1;
    BOOST_TEST(right(base + 32_KiB, 4_KiB, 0));
}

BOOST_AUTO_TEST_SUITE_END()
