// A part that is to be emptied is empty as soon as what it needs has gone, whatever lies around it.
#include "emptying_support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

BOOST_AUTO_TEST_SUITE(random_emptying_test)

using namespace leat;
using namespace leat::literals;
using leat::detail::chunk;
using leat::detail::last_look;
using leat::detail::segment_emptying;
using leat::test::arena_of_four;

namespace {

/// An arena of any lengths, full of buffers of any sizes, of which some are gone.
struct any_arena : arena_of_four {
    explicit any_arena(std::mt19937_64& from)
        : arena_of_four(any_options(from)), random(from), slab(arena.slab_bytes()) {
        for (int i = 0; i < 2000; ++i) add_if_fits(any_size());
        for (const std::uint64_t size : {64_KiB, 8_KiB, 4_KiB})
            while (add_if_fits(size)) {
            }
        for (chunk& one : all) there.push_back(&one);
        std::shuffle(there.begin(), there.end(), random);
        for (std::size_t gone = random() % (there.size() / 2 + 1); gone != 0; --gone) take_one();
    }
    static io::arena_options any_options(std::mt19937_64& random) {
        const std::uint64_t segment = 64_KiB * (5 + random() % 40);
        const std::uint64_t budget =
            segment * (2 + random() % 6) + 4_KiB * (random() % (segment / 4_KiB));
        io::arena_options made =
            options(budget, segment, 64_KiB + 4_KiB * (1 + random() % (segment / 8_KiB)));
        made.small_slab_bytes = random() % 4 == 0 ? 0 : 16_KiB << random() % 5;
        return made;
    }
    std::uint64_t any_size() {
        const auto kind = random() % 20;
        if (kind == 0) return 128_KiB;
        if (kind == 1) return 96_KiB;
        return kind == 2 && slab != 0 ? slab : 4_KiB << random() % 5;
    }
    bool add_if_fits(std::uint64_t size) {
        const std::uint64_t bytes = arena.buffer_bytes(size);
        if (arena.fits(bytes)) add(bytes);
        return arena.fits(bytes);
    }
    chunk* take_one() {
        chunk* const gone = there.back();
        there.pop_back();
        drop(*gone);
        return gone;
    }
    std::uint64_t any_wanted() {
        const auto kind = random() % 4;
        if (kind == 0) return 0;
        return kind == 1 ? arena.segment_bytes() : arena.buffer_bytes(any_size());
    }

    std::mt19937_64& random;
    std::uint64_t slab;
    std::vector<chunk*> there;
};

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_else_is_needed_than_was_said) {
    unsigned emptied = 0;
    for (unsigned seed = 0; seed < 300; ++seed) {
        std::mt19937_64 random{seed};
        any_arena of{random};
        const std::uint64_t wanted = of.any_wanted();
        last_look last;
        segment_emptying emptying{of.arena, last, std::numeric_limits<std::uint64_t>::max(),
                                  wanted};
        bool empty = false;
        bool begun = false;
        // As searches do it: in the order of the policy, those that help.
        const auto next = [&] {
            return std::find_if(of.there.rbegin(), of.there.rend(),
                                [&](const chunk* one) { return emptying.may_empty(one->bytes); });
        };
        for (auto one = next(); !empty && one != of.there.rend(); one = next()) {
            std::swap(*one, of.there.back());
            const std::uint64_t bytes = of.there.back()->bytes;
            begun = true;
            const bool needed = emptying.needs_more(bytes);
            const std::uint64_t before = of.arena.statistics().divided_bytes;
            static_cast<void>(of.take_one());
            emptying.freed(bytes);
            // A segment elsewhere may have become free, which takes its places from the others.
            const bool other = of.arena.statistics().divided_bytes < before;
            empty = emptying.finish() || (wanted != 0 ? of.arena.fits(wanted) : other);
            if (!needed) BOOST_TEST_REQUIRE((empty || other), "seed " << seed);
        }
        BOOST_TEST_REQUIRE(of.right(), "seed " << seed);
        if (!begun) continue;
        BOOST_TEST_REQUIRE(empty, "seed " << seed << ", wanted " << wanted);
        if (wanted != 0) BOOST_TEST_REQUIRE(of.arena.fits(wanted), "seed " << seed);
        ++emptied;
    }
    BOOST_TEST(emptied > 200u);
}

BOOST_AUTO_TEST_SUITE_END()
