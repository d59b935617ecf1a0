// More readers than the memory has fragments for, each of whom comes back for a little at a time.
#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

BOOST_AUTO_TEST_SUITE(slow_readers_test)

using namespace leat;
using namespace leat::literals;
using leat::test::script_of;
using leat::test::scripted_source;

namespace {

constexpr std::uint64_t readers = 100;
constexpr std::uint64_t memory = 4_MiB;  // 64 fragments
constexpr std::uint64_t part_bytes = 1_MiB;
constexpr std::uint64_t rounds = 112;

std::shared_ptr<test::script> in_pieces() {
    std::shared_ptr<test::script> made = script_of(readers * part_bytes);
    made->grain = unit_size;
    return made;
}

struct crowd {
    /// What was read for each byte served; what it took to learn how slow they are does not count.
    [[nodiscard]] double read_per_served() {
        owner.run(go_on(1, rounds / 4));
        const std::uint64_t before = wanted->bytes;
        owner.run(go_on(rounds / 4, rounds));
        const std::uint64_t served = readers * (rounds - rounds / 4) * request;
        return static_cast<double>(wanted->bytes - before) / static_cast<double>(served);
    }
    task<> go_on(std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t round = from; round < to; ++round) {
            for (std::uint64_t reader = 0; reader < readers; ++reader) co_await come(reader, round);
        }
    }
    task<> come(std::uint64_t reader, std::uint64_t round) {
        const std::uint64_t begin = reader * part_bytes;
        if (!walk) {
            co_await manager.get_chunk({all, begin + round * request, request});
            co_return;
        }
        if (walks.size() == reader)
            walks.push_back(manager.slices(all, begin + request, part_bytes - request,
                                           {.depth = 0, .slice_size = request}));
        co_await walks[reader].next();
    }

    bool walk = false;
    std::uint32_t request = 4 * KiB;
    std::shared_ptr<test::script> wanted = in_pieces();
    engine owner{test::small_engine(1, memory, part_bytes)};
    chunk_manager manager{owner, scripted_source{wanted}};
    file all = owner.run(manager.open("any"));
    std::vector<slice_stream> walks;
};

}  // namespace

BOOST_AUTO_TEST_CASE(no_more_is_read_for_them_than_they_come_to_before_it_goes) {
    for (const std::uint32_t request : {4096u, 6000u, 8192u}) {
        crowd some;
        some.request = request;
        const double ratio = some.read_per_served();
        // Where whole fragments are read it is 5 to 12.
        BOOST_TEST(ratio < 3.5, request << " bytes each: " << ratio);
        // Nor less, also where requests lie across the ends of pieces.
        BOOST_TEST(some.wanted->bytes > 24_KiB * some.wanted->reads, request << " bytes each");
    }
}

BOOST_AUTO_TEST_CASE(nor_for_those_who_walk) {
    crowd some;
    some.walk = true;
    BOOST_TEST(some.read_per_served() < 3.5);
}

BOOST_AUTO_TEST_CASE(who_is_much_quicker_than_a_crowd_has_large_reads_beside_it) {
    crowd some;
    static_cast<void>(some.read_per_served());
    constexpr std::uint64_t quick_from = 80 * part_bytes;
    some.wanted->log.clear();
    some.owner.run([](crowd& in) -> task<> {
        std::uint64_t others = 0;
        for (std::uint64_t part = quick_from; part < quick_from + 8_MiB; part += part_bytes) {
            for (std::uint64_t at = 0; at + 6000 <= part_bytes; at += 6000) {
                co_await in.manager.get_chunk({in.all, part + at, 6000});
                for (int i = 0; i < 4; ++i, ++others)
                    co_await in.come(others % 80, rounds + others / 80);
            }
        }
    }(some));
    const auto quick = std::count_if(some.wanted->log.begin(), some.wanted->log.end(),
                                     [](const auto& one) { return one.offset >= quick_from; });
    // For each fragment one for its rest, and one for what lies across its end.
    BOOST_TEST(quick < 305, quick << " reads");
}

BOOST_AUTO_TEST_SUITE_END()
