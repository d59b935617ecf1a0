// The invariants of leases, at home and at the owner: each is noticed when it is broken.
#include "shard/chunk.hpp"

#include <boost/test/unit_test.hpp>

#include <string_view>

BOOST_AUTO_TEST_SUITE(lease_test)

using namespace leat;
using namespace leat::detail;

namespace {

/// A lease that is granted, and pinned, of a chunk.
struct granted {
    granted() {
        held.file = &file;
        held.set_place(memory, 0);
        held.presence = one.presence;
        held.state = lease::home_state::granted;
        held.pins = 1;
        held.at_owner.chunk = &one;
        held.at_owner.generation = 1;
        held.at_owner.state = lease::owner_state::held;
        one.holders.push_front(held.at_owner);
    }
    ~granted() { one.holders.clear(); }
    void revoke() {
        held.state = lease::home_state::revoked;
        held.presence = nullptr;
        held.attention = true;
    }

    file_record file;
    std::byte memory[1]{};
    alignas(64) std::byte home[1]{};
    lease held{reinterpret_cast<shard_cache&>(home)};  // only its address counts
    chunk one{100 * unit_size};
};

std::string_view said(const char* fault) {
    return fault == nullptr ? "" : fault;
}

struct defect {
    const char* sentence;
    void (*break_it)(granted&);
};

const defect at_home[] = {
    {"a lease is none, or has no home", [](granted& of) { of.held.home = nullptr; }},
    {"a lease is none, or has no home", [](granted& of) { of.held.leased = false; }},
    {"a lease in use has no file, or an unused one has",
     [](granted& of) { of.held.file = nullptr; }},
    {"a lease in use has no file, or an unused one has",
     [](granted& of) { of.held.state = lease::home_state::unused; }},
    {"a granted lease shows no bytes", [](granted& of) { of.held.presence = nullptr; }},
    {"a lease that is not granted grants pins",
     [](granted& of) { of.held.state = lease::home_state::revoked; }},
    {"slices hold a lease that was not granted",
     [](granted& of) {
         of.revoke();
         of.held.state = lease::home_state::asked;
     }},
    {"the last pin of a revoked lease will not be noticed",
     [](granted& of) {
         of.revoke();
         of.held.attention = false;
     }},
    {"a lease that goes home with its last pin will not notice that",
     [](granted& of) { of.held.fleeting = true; }},
    {"a lease on its way back is in use",
     [](granted& of) {
         of.revoke();
         of.held.pins = 0;
         of.held.outstanding = 1;
         of.held.state = lease::home_state::returning;
     }},
    {"a lease that nobody needs is kept",
     [](granted& of) {
         of.revoke();
         of.held.pins = 0;
     }},
};

const defect at_owner[] = {
    {"a lease holds no chunk, or one after it was given back",
     [](granted& of) { of.held.at_owner.chunk = nullptr; }},
    {"a lease holds no chunk, or one after it was given back",
     [](granted& of) { of.held.at_owner.state = lease::owner_state::closing; }},
    {"a lease is not among the holders of its chunk, or is after it was given back",
     [](granted& of) { of.one.holders.clear(); }},
    {"a lease holds a chunk without a grant", [](granted& of) { of.held.at_owner.generation = 0; }},
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_right_is_not_called_wrong) {
    granted of;
    BOOST_TEST(said(of.held.fault_at_home()) == "");
    BOOST_TEST(said(of.held.fault_at_owner()) == "");
    of.revoke();
    BOOST_TEST(said(of.held.fault_at_home()) == "");
    alignas(64) std::byte home[1]{};
    const lease unused{reinterpret_cast<shard_cache&>(home)};
    BOOST_TEST(said(unused.fault_at_home()) == "");
    BOOST_TEST(said(unused.fault_at_owner()) == "");
}

BOOST_AUTO_TEST_CASE(each_broken_invariant_at_home_is_noticed) {
    for (const auto& [sentence, break_it] : at_home) {
        granted of;
        break_it(of);
        BOOST_TEST(said(of.held.fault_at_home()) == sentence);
    }
}

BOOST_AUTO_TEST_CASE(each_broken_invariant_at_the_owner_is_noticed) {
    for (const auto& [sentence, break_it] : at_owner) {
        granted of;
        break_it(of);
        BOOST_TEST(said(of.held.fault_at_owner()) == sentence);
    }
}

BOOST_AUTO_TEST_SUITE_END()
