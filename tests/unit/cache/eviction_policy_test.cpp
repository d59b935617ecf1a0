// What all policies have in common.
#include "policy_support.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

BOOST_AUTO_TEST_SUITE(eviction_policy_test)

using namespace leat;
using leat::test::letters;

namespace {

// Whoever stands in the policy is given another header, and then its own again.
void replace_some(letters& all, std::uint64_t which) {
    for (char one = 'a'; one <= 'z'; ++one) {
        letters::letter& there = all.at(one);
        if (!there.in_policy || which++ % 3 != 0) continue;
        letters::letter other{there};
        all.policy->replace(there, other);
        BOOST_TEST(!static_cast<detail::resident_link&>(there).is_linked());
        BOOST_TEST(!static_cast<detail::resident_order&>(there).is_linked());
        there = letters::letter{};
        there.key = other.key;
        there.bytes = other.bytes;
        there.used = other.used;
        there.keep = other.keep;
        there.reuses = other.reuses;
        there.in_policy = other.in_policy;
        there.queue = other.queue;
        there.touched = other.touched;
        there.placed = other.placed;
        there.there = other.there;
        there.last_use = other.last_use;
        all.policy->replace(other, there);
    }
}

// What goes, of a walk in which some come again and some are kept or first to go.
std::string gone_in_walk(cache_policy which, bool replaced) {
    letters all{detail::make_policy(which, 8 * letters::piece), 8};
    all.at('q').keep = detail::retention::last_to_go;
    all.at('c').keep = detail::retention::first_to_go;
    std::string gone;
    std::uint64_t state = 1;
    for (int step = 0; step < 2000; ++step) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const auto letter = static_cast<char>('a' + (state >> 33) % 26 * ((state >> 60) % 3) / 2);
        gone += all.use({&letter, 1});
        if (replaced) replace_some(all, state >> 40);
    }
    return gone + all.drain();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_chunk_that_is_replaced_by_a_copy_keeps_its_place) {
    for (const cache_policy which : cache_policies) {
        BOOST_TEST_CONTEXT(name_of(which)) {
            const std::string as_it_is = gone_in_walk(which, false);
            BOOST_TEST(as_it_is.size() > 300u);
            BOOST_TEST(gone_in_walk(which, true) == as_it_is);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
