// What hints change of what stays.
#include "cache_support.hpp"
#include "two_shards.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(hint_test)

using namespace leat;
using namespace leat::literals;
using leat::test::get;
using leat::test::two_shards;

namespace {

chunk_config with(chunk_config config, hint given) {
    config.hint = given;
    return config;
}

/// Returns when nothing is being filled or waits on its way between the shards.
void settle(two_shards& both) {
    for (;;) {
        const cache_statistics sum = both.sum();
        if (sum.filling_chunks == 0 && sum.waiting == 0) return;
        std::this_thread::yield();
    }
}

}  // namespace

namespace {
task<> walk(chunk_manager& manager, file from, slices_options options) {
    slice_stream stream = manager.slices(from, 0, from.size(), options);
    for (;;) {
        const slice next = co_await stream.next();
        if (!next) break;
    }
}
}  // namespace

BOOST_AUTO_TEST_CASE(what_a_scan_brings_is_the_first_to_go) {
    for (const unsigned user : {0u, 1u}) {
        two_shards both{4};
        const auto& mine = both.owned[0];
        both.use(user, mine[0]);
        both.use(user, mine[1]);
        both.use(user, with(mine[2], hint::scan));
        both.use(user, mine[3]);
        settle(both);
        both.use(user, mine[4]);
        for (const std::size_t there : {0, 1, 3, 4}) BOOST_TEST(both.has(0, mine[there]));
        BOOST_TEST(!both.has(0, mine[2]));
    }
}

BOOST_AUTO_TEST_CASE(what_others_use_of_a_scan_stays_as_all_else) {
    for (const unsigned user : {0u, 1u}) {
        two_shards both{4, cache_policy::lru};
        const auto& mine = both.owned[0];
        both.use(user, with(mine[0], hint::scan));
        both.use(user, mine[1]);
        both.use(user, mine[2]);
        both.use(user, mine[3]);
        both.use(user, with(mine[1], hint::scan));  // no use
        both.use(user, mine[0]);                    // by somebody else
        settle(both);
        both.use(user, mine[4]);
        BOOST_TEST(both.has(0, mine[0]));
        BOOST_TEST(!both.has(0, mine[1]));
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_to_be_retained_goes_with_its_last_pin) {
    for (const unsigned user : {0u, 1u}) {
        two_shards both{8};
        const chunk_config wanted = with(both.owned[0][0], hint::no_retain);
        std::vector<slice> held;
        held.push_back(both.owner.spawn_on(user, get(both.manager, wanted)).get());
        held.push_back(both.owner.spawn_on(user, get(both.manager, wanted)).get());
        held.pop_back();
        settle(both);
        BOOST_TEST(both.sum().chunks == 1u);
        BOOST_TEST(both.source->bytes == unit_size);  // no more than was asked for
        held.clear();                                 // on a thread that is no shard
        while (both.sum().chunks != 0) std::this_thread::yield();
        BOOST_TEST(!both.has(0, both.owned[0][0]));
        both.use(user, wanted);
        while (both.sum().chunks != 0) std::this_thread::yield();
        BOOST_TEST(both.sum().leases == 0u);
    }
}

BOOST_AUTO_TEST_CASE(what_others_use_of_what_was_not_to_be_retained_stays) {
    for (const cache_policy policy : cache_policies)
        for (const auto& [user, other] : {std::pair{0u, 0u}, {0u, 1u}, {1u, 0u}, {1u, 1u}}) {
            two_shards both{8, policy};
            const chunk_config plain = both.owned[0][0];
            {
                const slice held =
                    both.owner.spawn_on(user, get(both.manager, with(plain, hint::no_retain)))
                        .get();
                both.use(other, plain);
            }
            settle(both);
            BOOST_TEST(both.sum().chunks == 1u);
            // What was there before stays, too.
            both.use(user, with(plain, hint::no_retain));
            settle(both);
            BOOST_TEST(both.sum().chunks == 1u);
        }
}

BOOST_AUTO_TEST_CASE(what_is_to_be_kept_is_the_last_to_go_under_every_policy) {
    for (const cache_policy policy : cache_policies) {
        for (const unsigned user : {0u, 1u}) {
            two_shards both{8, policy};
            const auto& mine = both.owned[0];
            both.use(user, with(mine[0], hint::keep));
            both.use(user, mine[1]);
            both.use(user, with(mine[1], hint::keep));  // it is there already
            for (std::size_t i = 2; i < 60; ++i) {
                both.use(user, mine[i]);
                both.use(user, mine[i]);
            }
            const cache_statistics sum = both.sum();
            BOOST_TEST(sum.fills == 60u, name_of(policy));
            BOOST_TEST(both.has(0, mine[0]), name_of(policy));
            BOOST_TEST(both.has(0, mine[1]), name_of(policy));
            // It goes where there is nothing else.
            for (std::size_t i = 0; i < 20; ++i) both.use(user, with(mine[i], hint::keep));
            BOOST_TEST(both.has(0, mine[19]), name_of(policy));
            // And when it is not to be retained any more.
            both.use(user, with(mine[19], hint::no_retain));
            settle(both);
            while (both.sum().chunks != 7) std::this_thread::yield();
            BOOST_TEST(!both.has(0, mine[19]), name_of(policy));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_to_be_kept_and_then_not_to_be_retained_goes_whoever_says_so) {
    for (const unsigned keeper : {0u, 1u}) {
        for (const unsigned user : {0u, 1u}) {
            for (const hint between : {hint::keep, hint::normal, hint::scan}) {
                two_shards both{8};
                const chunk_config wanted = both.owned[0][0];
                both.use(keeper, with(wanted, hint::keep));
                both.use(keeper, with(wanted, between));
                both.use(user, with(wanted, hint::no_retain));
                while (both.sum().chunks != 0) std::this_thread::yield();
                BOOST_TEST(both.sum().leases == 0u);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_pin_that_is_asked_back_is_no_use_of_what_is_not_to_be_retained) {
    for (const unsigned user : {0u, 1u}) {
        two_shards both{4};
        slice held =
            both.owner.spawn_on(user, get(both.manager, with(both.owned[0][0], hint::no_retain)))
                .get();
        for (std::size_t i = 1; i < 8; ++i) both.use(0, both.owned[0][i]);
        held = {};
        settle(both);
        while (both.has(0, both.owned[0][0])) std::this_thread::yield();
    }
}

BOOST_AUTO_TEST_CASE(a_walk_that_retains_nothing_leaves_nothing_and_reads_each_byte_once) {
    for (const unsigned depth : {0u, 3u}) {
        for (const std::uint32_t piece : {0u, 4096u, 50'000u}) {
            const auto source = test::script_of(20 * 64_KiB + 100);
            engine owner{test::small_engine(2, 32 * 64_KiB, 64_KiB)};
            chunk_manager manager{owner, test::scripted_source{source}};
            const file from = owner.run(manager.open("any"));
            slices_options options;
            options.depth = depth;
            options.slice_size = piece;
            options.hint = hint::no_retain;
            owner.run(walk(manager, from, options));
            while (owner.run(manager.statistics()).chunks != 0) std::this_thread::yield();
            BOOST_TEST(source->bytes == source->size);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_walk_and_a_copy_take_hints) {
    for (const hint given : {hint::scan, hint::no_retain}) {
        two_shards both{16, cache_policy::lru};
        for (std::size_t i = 0; i < 8; ++i) {
            both.use(0, both.owned[0][i]);
            both.use(1, both.owned[1][i]);
        }
        settle(both);
        slices_options options;
        options.hint = given;
        both.owner.run(walk(both.manager, both.from, options));
        std::vector<std::byte> to(20 * 64_KiB);
        BOOST_TEST(both.owner.run(both.manager.read(both.from, 4000 * 64_KiB, to, given)) ==
                   to.size());
        for (std::size_t i = 0; i < 8; ++i) {
            BOOST_TEST(both.has(0, both.owned[0][i]));
            BOOST_TEST(both.has(1, both.owned[1][i]));
        }
    }
}

BOOST_AUTO_TEST_CASE(threads_that_are_no_shards_give_hints_too) {
    two_shards both{8};
    BOOST_TEST(both.owner.run(get(both.manager, with(both.owned[0][0], hint::no_retain))).size() ==
               100u);
    while (both.sum().chunks != 0) std::this_thread::yield();
    BOOST_TEST(both.sum().pins == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
