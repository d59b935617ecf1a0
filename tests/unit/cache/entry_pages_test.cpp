// Pages of slabs, and what the process keeps of them.
#include "shard/entry_pages.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

BOOST_AUTO_TEST_SUITE(entry_pages_test)

using leat::detail::entry_pages;

namespace {

bool resident(void* page) {
    unsigned char in_memory = 0;
    BOOST_REQUIRE(::mincore(page, 4096, &in_memory) == 0);
    return (in_memory & 1) != 0;
}

void fill(void* page) {
    std::memset(static_cast<char*>(page) + sizeof(void*), 1,
                entry_pages::page_bytes - sizeof(void*));
}

}  // namespace

BOOST_AUTO_TEST_CASE(pages_are_aligned_and_apart_from_each_other) {
    entry_pages pages;
    std::set<std::uintptr_t> taken;
    std::vector<void*> all;
    for (int i = 0; i < 100; ++i) {
        all.push_back(pages.take());
        BOOST_REQUIRE(all.back() != nullptr);
        fill(all.back());
        const auto address = reinterpret_cast<std::uintptr_t>(all.back());
        BOOST_TEST(address % entry_pages::page_bytes == 0u);
        BOOST_TEST(taken.insert(address).second);
    }
    for (void* const one : all) pages.give_back(one);
}

BOOST_AUTO_TEST_CASE(what_is_given_back_is_the_systems_again) {
    entry_pages pages;
    std::vector<void*> all;
    for (int i = 0; i < 32; ++i) {
        all.push_back(pages.take());
        fill(all.back());
    }
    for (void* const one : all) BOOST_TEST(resident(one));
    for (std::size_t i = 1; i < all.size(); ++i) pages.give_back(all[i]);
    for (std::size_t i = 1; i < all.size(); ++i) BOOST_TEST(!resident(all[i]));
    BOOST_TEST(resident(all[0]));
    void* const again = pages.take();
    fill(again);
    pages.give_back(again);
    pages.give_back(all[0]);
}

BOOST_AUTO_TEST_SUITE_END()
