// The invariants of chunks and leases: each is noticed when it is broken.
#include "chunk.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string_view>

using namespace leat;
using namespace leat::detail;

namespace {

/// A chunk of 100 units of which the first ten have landed, the next ten are being read, and one
/// request waits for the next five.
struct filling {
    filling() {
        one.words = 2;
        one.landed_words = std::make_unique<std::atomic<std::uint64_t>[]>(2);
        one.asked_words = std::make_unique<std::uint64_t[]>(2);
        one.presence = one.landed_words.get();
        one.all_landed = &one.everything_landed;
        one.file = &file;
        one.data = memory;
        one.units = 100;
        one.length = 100 * unit_size;
        one.ask(0, 20);
        one.land(0, 10);
        one.reads = 1;
        waiter.at = &one;
        waiter.waits = chunk_request::place::units;
        waiter.in = 10 * unit_size;
        waiter.size = 5 * unit_size;
        one.add(waiter);
    }
    ~filling() {
        one.waiters.clear();
        one.holders.clear();
    }

    file_record file;
    std::byte memory[1]{};
    chunk_request waiter;
    lease held;
    chunk one;
};

/// A lease that is granted, of `of`.
struct granted : filling {
    granted() {
        held.leased = true;
        held.file = &file;
        held.data = memory;
        held.presence = one.presence;
        held.granted = held.ever_granted = true;
        held.at_owner.self = &held;
        held.at_owner.of = &one;
        held.at_owner.generation = 1;
        one.holders.push_back(held.at_owner);
    }
};

std::string_view said(const char* fault) {
    return fault == nullptr ? "" : fault;
}

template <class State>
struct defect {
    const char* sentence;
    void (*break_it)(State&);
};

const defect<granted> of_chunks[] = {
    {"a chunk counts as leased at its owner", [](granted& of) { of.one.leased = true; }},
    {"a chunk in use has no file or no buffer", [](granted& of) { of.one.data = nullptr; }},
    {"more reads are demanded than there are", [](granted& of) { of.one.demands = 2; }},
    {"a doomed chunk is still in a queue", [](granted& of) { of.one.doomed = true; }},
    {"a chunk is held by a lease that does not know it",
     [](granted& of) { of.held.at_owner.of = nullptr; }},
    {"landed units are counted wrongly", [](granted& of) { ++of.one.landed_units; }},
    {"units asked for are counted wrongly", [](granted& of) { --of.one.asked_units; }},
    {"a unit has landed that nobody has asked for", [](granted& of) { of.one.land(40, 1); }},
    {"more units are asked for than the file has here", [](granted& of) { of.one.units = 19; }},
    {"a chunk is ready before it is complete, or not when it is",
     [](granted& of) { of.one.ready_length = of.one.length; }},
    {"a complete chunk is ready up to another length than its own",
     [](granted& of) {
         of.one.units = of.one.landed_units;
         of.one.take_back(10, 10);
         of.one.ready_length = 1;
     }},
    {"units are on their way by no read", [](granted& of) { of.one.reads = 0; }},
    {"a request waits at a chunk and does not know it",
     [](granted& of) { of.waiter.waits = chunk_request::place::nowhere; }},
    {"a request waits for what has landed", [](granted& of) { of.one.land(10, 5); }},
    {"requests with unread units are counted wrongly", [](granted& of) { of.one.unread = 1; }},
    {"requests ahead are counted wrongly", [](granted& of) { of.waiter.asked_ahead = true; }},
};

const defect<granted> of_homes[] = {
    {"a lease in use is none, or has no file", [](granted& of) { of.held.file = nullptr; }},
    {"a granted lease shows no bytes", [](granted& of) { of.held.presence = nullptr; }},
    {"a lease that is not granted grants pins", [](granted& of) { of.held.granted = false; }},
    {"a granted lease was never granted", [](granted& of) { of.held.ever_granted = false; }},
    {"a lease on its way back is in use", [](granted& of) { of.held.giving_back = true; }},
    {"a lease that nobody needs is kept",
     [](granted& of) {
         of.held.granted = false;
         of.held.presence = nullptr;
     }},
};

const defect<granted> of_owners[] = {
    {"a lease of no chunk is among its holders",
     [](granted& of) { of.held.at_owner.of = nullptr; }},
    {"a lease is not among the holders of its chunk", [](granted& of) { of.one.holders.clear(); }},
    {"a grant is revoked that was not given",
     [](granted& of) { of.held.at_owner.revoked_generation = 2; }},
    {"a lease waits for a revoke that is not on its way",
     [](granted& of) { of.held.at_owner.give_back_waits = true; }},
    {"pins keep a chunk that is not held",
     [](granted& of) {
         of.one.holders.clear();
         of.held.at_owner.of = nullptr;
         of.held.at_owner.pinned = true;
     }},
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_right_is_not_called_wrong) {
    const granted as_it_should_be;
    BOOST_TEST(said(as_it_should_be.one.fault()) == "");
    BOOST_TEST(said(as_it_should_be.held.fault_at_home()) == "");
    BOOST_TEST(said(as_it_should_be.held.fault_at_owner()) == "");
}

BOOST_AUTO_TEST_CASE(each_broken_invariant_of_a_chunk_is_noticed) {
    for (const auto& [sentence, break_it] : of_chunks) {
        granted of;
        break_it(of);
        BOOST_TEST(said(of.one.fault()) == sentence);
    }
}

BOOST_AUTO_TEST_CASE(each_broken_invariant_of_a_lease_at_home_is_noticed) {
    for (const auto& [sentence, break_it] : of_homes) {
        granted of;
        break_it(of);
        BOOST_TEST(said(of.held.fault_at_home()) == sentence);
    }
}

BOOST_AUTO_TEST_CASE(each_broken_invariant_of_a_lease_at_its_owner_is_noticed) {
    for (const auto& [sentence, break_it] : of_owners) {
        granted of;
        break_it(of);
        BOOST_TEST(said(of.held.fault_at_owner()) == sentence);
    }
}
