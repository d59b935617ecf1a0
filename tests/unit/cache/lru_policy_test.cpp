// Which chunk goes first.
#include "policy/policies.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <map>
#include <vector>

BOOST_AUTO_TEST_SUITE(lru_policy_test)

using namespace leat;

namespace {

// What the cache would say of each, by its number.
struct fixture {
    fixture() {
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i].used = static_cast<std::int64_t>(10 * i);
            policy->insert(all[i]);
        }
    }
    std::ptrdiff_t number(const detail::resident& one) const { return &one - all.data(); }
    static detail::verdict judge(void* state, detail::resident& candidate) noexcept {
        auto& self = *static_cast<fixture*>(state);
        const std::ptrdiff_t which = self.number(candidate);
        self.asked.push_back(which);
        if (const auto used = self.used.find(which);
            used != self.used.end() && used->second != candidate.used) {
            candidate.used = used->second;
            return detail::verdict::used;
        }
        const auto said = self.said.find(which);
        return said != self.said.end() ? said->second : detail::verdict::evict;
    }
    /// The number of the next victim, or -1.
    std::ptrdiff_t victim() {
        const detail::resident* const found = policy->victim(&judge, this);
        return found != nullptr ? number(*found) : -1;
    }

    std::array<detail::resident, 6> all;
    std::unique_ptr<detail::eviction_policy> policy = detail::make_lru_policy();
    std::map<std::ptrdiff_t, std::int64_t> used;
    std::map<std::ptrdiff_t, detail::verdict> said;
    std::vector<std::ptrdiff_t> asked;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(the_least_recently_used_goes_first, fixture) {
    used = {{0, 100}, {1, 90}, {2, 35}};
    for (const std::ptrdiff_t expected : {3, 2, 4, 5, 1, 0, -1}) BOOST_TEST(victim() == expected);
    BOOST_TEST(policy->empty());
}

BOOST_FIXTURE_TEST_CASE(what_is_put_back_goes_where_its_last_use_belongs, fixture) {
    said = {{0, detail::verdict::set_aside}, {1, detail::verdict::set_aside}};
    BOOST_TEST(victim() == 2);
    BOOST_TEST(!all[0].in_policy);
    said.clear();
    policy->put_back(all[0]);  // as old as before
    all[1].used = 45;
    policy->put_back(all[1]);
    for (const std::ptrdiff_t expected : {0, 3, 4, 1, 5, -1}) BOOST_TEST(victim() == expected);
}

BOOST_FIXTURE_TEST_CASE(who_is_passed_keeps_his_place_and_a_stop_ends_the_search, fixture) {
    said = {{0, detail::verdict::pass}, {1, detail::verdict::pass}, {2, detail::verdict::stop}};
    BOOST_TEST(victim() == -1);
    BOOST_TEST((asked == std::vector<std::ptrdiff_t>{0, 1, 2}));
    BOOST_TEST(!policy->empty());
    said = {{0, detail::verdict::pass}};
    BOOST_TEST(victim() == 1);
    said.clear();
    BOOST_TEST(victim() == 0);
}

BOOST_FIXTURE_TEST_CASE(chunks_that_others_use_all_the_time_do_not_keep_a_search_from_ending,
                        fixture) {
    const auto always_used = [](void* state, detail::resident& candidate) noexcept {
        candidate.used = ++*static_cast<std::int64_t*>(state);
        return detail::verdict::used;
    };
    std::int64_t clock = 1000;
    BOOST_TEST(policy->victim(always_used, &clock) == nullptr);
    BOOST_TEST(clock == 1012);
    BOOST_TEST(!policy->empty());
}

BOOST_AUTO_TEST_SUITE_END()
