// What is still served where a small piece is pinned in each segment, and what searching costs.
#include "fragments.hpp"
#include "shard/shard_parts.hpp"

#include <leat/cache/detail/manager_access.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::fragments;

namespace {

constexpr std::uint64_t pieces = 4500;  // more than there is room for
constexpr std::uint64_t apart = 128_KiB;

/// Memory full of pieces of 4 KiB, of which some in each segment are pinned.
struct pinned_segments : fragments {
    pinned_segments() : fragments(8_GiB, 16_MiB, 1_MiB, 1, manager_options{.pin_deadline = 20s}) {
        for (std::uint64_t i = 0; i < pieces; ++i) {
            slice got = get(i * apart, 4_KiB);
            if (i % 30 == 10) pins.push_back(std::move(got));
        }
        (void)reads();
    }
    struct effort {
        std::uint64_t looks = 0;
        std::uint64_t turns = 0;
    };
    [[nodiscard]] boost::system::error_code at_once(std::uint64_t offset, std::uint64_t size) {
        return owner.run(test::code_of(manager, at(offset, size, hint::no_wait)));
    }
    [[nodiscard]] effort until_now() {
        auto look = [](const chunk_manager& of) -> task<effort> {
            detail::shard_cache& cache = detail::manager_access::cache(of)->at(0);
            co_return effort{cache.parts().eviction.looks(), cache.home().turn_number()};
        };
        return owner.run(look(manager));
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
    BOOST_TEST(!at_once(10 * apart + 4_KiB, 4_KiB));
    BOOST_TEST(test::is_pattern(pins.front().bytes(), 1, 10 * apart));
}

BOOST_FIXTURE_TEST_CASE(one_that_waits_for_a_large_buffer_is_not_searched_for_all_the_time,
                        pinned_segments) {
    spawned<bool> waits =
        owner.spawn_on(0, test::right_bytes(manager, at(elsewhere + 1_GiB, 64_KiB)));
    while (sum().waiting == 0) std::this_thread::yield();
    const effort before = until_now();
    for (std::uint64_t i = 0; i < 2000; ++i) BOOST_TEST(right(elsewhere + i * apart, 4_KiB));
    const effort after = until_now();
    // Each search for it looks at all there is.
    BOOST_TEST(after.looks - before.looks <= 100 * (after.turns - before.turns) + 20 * pieces);
    pins.clear();
    BOOST_TEST(waits.get());
}
