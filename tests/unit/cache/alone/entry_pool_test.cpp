// Entries come and go, and pages with them.
#include "shard/entry_pool.hpp"

#include "failing_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

using leat::detail::entry_pages;
using leat::detail::entry_pool;

namespace {

int alive = 0;

struct alignas(64) item {
    explicit item(int number_) noexcept : number(number_) { ++alive; }
    item(item&& other) noexcept : number(other.number), stays(other.stays) { ++alive; }
    ~item() { --alive; }
    int number;
    bool stays = false;
    std::array<char, 300> more{};
};

using pool = entry_pool<item>;

std::vector<int> numbers(pool& of) {
    std::vector<int> all;
    of.each([&](const item& one) { all.push_back(one.number); });
    std::sort(all.begin(), all.end());
    return all;
}

/// Some full pages.
struct filled {
    explicit filled(std::size_t pages_) : items(pages) {
        for (std::size_t page = 0; page < pages_; ++page) {
            BOOST_REQUIRE(items.add_page());
            for (std::size_t i = 0; i < pool::places; ++i)
                all.push_back(&items.make(static_cast<int>(all.size())));
        }
    }
    bool empty_page() {
        return items.empty_page([](const item& one) { return !one.stays; },
                                [this](item& one) { (void)items.make(std::move(one)); });
    }
    entry_pages pages;
    pool items;
    std::vector<item*> all;
};

}  // namespace

BOOST_AUTO_TEST_CASE(who_goes_round_and_round_meets_all) {
    filled of{3};
    for (std::size_t i = 0; i < of.all.size(); i += 3) of.items.free(*of.all[i]);
    pool::position at;
    for (int round = 0; round < 2; ++round) {
        std::vector<int> met;
        for (std::size_t i = 0; i < of.items.count(); ++i) met.push_back(of.items.next(at)->number);
        std::sort(met.begin(), met.end());
        BOOST_TEST(met == numbers(of.items), boost::test_tools::per_element());
    }
    // It goes on where there is something, and pages may have gone.
    while (of.items.count() > 1) of.items.free(*of.items.next(at));
    const item* const left = of.items.next(at);
    BOOST_REQUIRE(left != nullptr);
    while (of.items.drop_page()) {
    }
    BOOST_TEST(of.items.next(at) == left);
    of.items.free(*of.items.next(at));
    BOOST_TEST(of.items.next(at) == nullptr);
    BOOST_TEST(of.items.drop_page());
    BOOST_TEST(of.items.next(at) == nullptr);
}

BOOST_AUTO_TEST_CASE(what_is_made_is_there_until_it_is_freed) {
    {
        filled of{3};
        BOOST_TEST(of.items.count() == 3 * pool::places);
        BOOST_TEST(of.items.vacant() == 0u);
        BOOST_TEST(of.items.bytes() == 3 * entry_pages::page_bytes);
        BOOST_TEST(of.items.bytes() < of.all.size() * sizeof(item) * 11 / 10);
        for (std::size_t i = 0; i < of.all.size(); i += 2) of.items.free(*of.all[i]);
        BOOST_TEST(numbers(of.items).size() == of.items.count());
        BOOST_TEST(of.items.vacant() == (of.all.size() + 1) / 2);
        BOOST_TEST(of.items.fault() == nullptr);
        // They stay as they were left.
        BOOST_TEST(of.all[2]->number == 2);
        BOOST_TEST(alive == static_cast<int>(of.all.size()));
    }
    BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_CASE(new_ones_come_to_the_fullest_page) {
    filled of{3};
    for (std::size_t i = 0; i < 3; ++i) of.items.free(*of.all[i]);
    of.items.free(*of.all[pool::places]);
    for (std::size_t i = 0; i < 2; ++i) of.items.free(*of.all[2 * pool::places + i]);
    BOOST_TEST(&of.items.make(-1) == of.all[pool::places]);
    const item& second = of.items.make(-2);
    BOOST_TEST((&second == of.all[2 * pool::places] || &second == of.all[2 * pool::places + 1]));
}

BOOST_AUTO_TEST_CASE(empty_pages_can_be_given_back) {
    filled of{2};
    BOOST_TEST(!of.items.drop_page());
    for (std::size_t i = 0; i < pool::places; ++i) of.items.free(*of.all[i]);
    BOOST_TEST(of.items.drop_page());
    BOOST_TEST(alive == static_cast<int>(pool::places));
    BOOST_TEST(!of.items.drop_page());
    BOOST_TEST(of.items.vacant() == 0u);
    BOOST_TEST(of.items.fault() == nullptr);
}

BOOST_AUTO_TEST_CASE(what_is_left_in_a_page_moves_to_others) {
    filled of{4};
    // A place in each, and all but one of the last.
    for (std::size_t page = 0; page < 3; ++page) of.items.free(*of.all[page * pool::places]);
    for (std::size_t i = 1; i < pool::places; ++i) of.items.free(*of.all[3 * pool::places + i]);
    const std::vector<int> before = numbers(of.items);
    item& last = *of.all[3 * pool::places];
    last.stays = true;
    for (std::size_t page = 0; page < 3; ++page) of.all[page * pool::places + 1]->stays = true;
    BOOST_TEST(!of.empty_page());
    last.stays = false;
    BOOST_TEST(of.empty_page());
    BOOST_TEST(numbers(of.items) == before);
    BOOST_TEST(of.items.fault() == nullptr);
    BOOST_TEST(of.items.drop_page());
    BOOST_TEST(of.items.vacant() == 2u);
    // There are too few places for what another one has.
    of.items.each([](item& one) { one.stays = false; });
    BOOST_TEST(!of.empty_page());
    BOOST_TEST(numbers(of.items) == before);
}

BOOST_AUTO_TEST_CASE(a_page_is_cleared_of_which_all_may_go_the_oldest_of_some) {
    filled of{3};
    std::size_t from = 0;
    const auto clear = [&] {
        return of.items.clear_page(
            from, [](const item& one) { return !one.stays; },
            [](const item& one) { return std::int64_t{one.number}; },
            [&](item& one) { of.items.free(one); });
    };
    of.all[3]->stays = true;  // in the first page
    BOOST_TEST(clear());
    BOOST_TEST(of.items.count() == 2 * pool::places);
    BOOST_TEST(numbers(of.items)[pool::places] == static_cast<int>(2 * pool::places));
    BOOST_TEST(of.items.drop_page());
    of.items.each([&](item& one) { one.stays = one.stays || &one == of.all.back(); });
    BOOST_TEST(!clear());
    of.all.back()->stays = false;
    BOOST_TEST(clear());
    BOOST_TEST(of.items.count() == pool::places);
    BOOST_TEST(of.items.fault() == nullptr);
}

BOOST_AUTO_TEST_CASE(it_is_sparse_when_more_than_a_quarter_is_vacant) {
    filled of{20};
    std::size_t freed = 0;
    while (!of.items.sparse()) of.items.free(*of.all[freed++]);
    BOOST_TEST(of.items.vacant() > of.items.count() / 4);
    BOOST_TEST(of.items.vacant() < of.items.count() / 2);
}

BOOST_AUTO_TEST_CASE(without_memory_there_is_no_page) {
    entry_pages pages;
    pool items{pages};
    bool added = true;
    {
        const leat::test::failing_memory none{1, true};
        added = items.add_page();
    }
    BOOST_TEST(!added);
    BOOST_TEST(items.add_page());
    BOOST_TEST(items.fault() == nullptr);
}
