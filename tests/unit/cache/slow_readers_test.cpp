// More readers than the memory has fragments for, each of whom comes back for a little at a time.
#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

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
        if (!all) all = co_await manager.open("any");
        for (std::uint64_t round = from; round < to; ++round) {
            for (std::uint64_t reader = 0; reader < readers; ++reader) co_await come(reader, round);
        }
    }
    task<> come(std::uint64_t reader, std::uint64_t round) {
        const std::uint64_t begin = reader * part_bytes;
        if (!walk) {
            co_await manager.get_chunk({*all, begin + round * request, request});
            co_return;
        }
        if (walks.size() == reader)
            walks.push_back(manager.slices(*all, begin + request, part_bytes - request,
                                           {.depth = 0, .slice_size = request}));
        co_await walks[reader].next();
    }

    bool walk = false;
    std::uint32_t request = 4 * KiB;
    std::shared_ptr<test::script> wanted = in_pieces();
    engine owner{test::small_engine(1, memory, part_bytes)};
    chunk_manager manager{owner, scripted_source{wanted}};
    std::optional<file> all;
    std::vector<slice_stream> walks;
};

}  // namespace

BOOST_AUTO_TEST_CASE(no_more_is_read_for_them_than_they_come_to_before_it_goes) {
    for (const std::uint32_t request : {4096u, 6000u, 8192u}) {
        crowd some;
        some.request = request;
        const double ratio = some.read_per_served();
        BOOST_TEST(ratio < 1.5, request << " bytes each: " << ratio);
    }
}

BOOST_AUTO_TEST_CASE(nor_for_those_who_walk) {
    crowd some;
    some.walk = true;
    BOOST_TEST(some.read_per_served() < 1.5);
}
