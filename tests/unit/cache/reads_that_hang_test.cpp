// Requests for something else beside reads that hang, of which nobody knows how long they take.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::fragments;

namespace {

/// A cache of 16 chunks of 2 MiB. What lies behind the first 2 GiB of its file hangs.
struct hanging : fragments {
    explicit hanging(manager_options options = {.pin_deadline = time_span::max()})
        : fragments(4_GiB, 32_MiB, 2_MiB, 1, options) {
        source->held_from = 2_GiB;
    }
    ~hanging() { source->held_from = ~std::uint64_t{0}; }

    /// So many requests for what hangs, that have nothing in common.
    void ask(unsigned count, std::uint64_t size) {
        for (unsigned i = 0; i < count; ++i)
            asked.push_back(
                owner.spawn_on(0, test::right_bytes(manager, at(2_GiB + i * 8_MiB, size))));
        test::wait_for_waiting(owner, manager, count);
    }
    /// Whether those had the right bytes, when they had them.
    [[nodiscard]] bool all() {
        source->held_from = ~std::uint64_t{0};
        bool right = true;
        for (spawned<bool>& one : asked) right = one.get() && right;
        asked.clear();
        return right;
    }

    std::vector<spawned<bool>> asked;
};

}  // namespace

BOOST_AUTO_TEST_CASE(large_requests_do_not_wait_for_ever_behind_large_reads_that_hang) {
    fragments with{4_GiB, 64_MiB, 2_MiB};
    with.source->held_from = 2_GiB;
    std::vector<spawned<bool>> asked;
    for (unsigned i = 0; i < 12; ++i)
        asked.push_back(with.owner.spawn_on(
            0, test::right_bytes(with.manager, with.at(2_GiB + i * 8_MiB, 2_MiB))));
    test::wait_for_waiting(with.owner, with.manager, 12);
    BOOST_TEST(with.right(0, 2_MiB));
    with.source->held_from = ~std::uint64_t{0};
    for (spawned<bool>& one : asked) BOOST_TEST(one.get());
}

BOOST_AUTO_TEST_CASE(nor_does_what_nobody_waits_for) {
    fragments with{4_GiB, 64_MiB, 2_MiB, 1, {.grain = 2_MiB}};
    with.source->hold_background = true;
    for (unsigned i = 0; i < 8; ++i) BOOST_TEST(with.right(2_GiB + i * 8_MiB, 4_KiB));
    with.wait_for_reads(8);
    with.source->held_from = 2_GiB;
    with.source->hold_background = false;
    BOOST_TEST(with.right(0, 4_KiB));
    const auto rest_is_read = [&] {
        for (const test::extent_read& one : with.reads())
            if (one.offset == 4_KiB) return true;
        return false;
    };
    while (!rest_is_read()) std::this_thread::yield();
    with.source->held_from = ~std::uint64_t{0};
}

BOOST_AUTO_TEST_CASE(large_reads_that_hang_leave_half_of_the_memory_to_others) {
    hanging with;
    with.ask(20, 2_MiB);
    BOOST_TEST(with.sum().filling_bytes == 16_MiB);
    BOOST_TEST(with.right(0, 4_KiB));
    BOOST_TEST(with.all());
}
