// The invariants of chunks: each is noticed when it is broken.
#include "shard/chunk.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string_view>

BOOST_AUTO_TEST_SUITE(chunk_test)

using namespace leat;
using namespace leat::detail;

namespace {

/// A chunk of 100 units of which the first ten have landed, the next ten are being read, and one
/// request waits for the next five.
struct filling {
    filling() {
        one.file = &file;
        one.set_place(memory, 0);
        one.fill = &fill;
        one.ask(0, 20);
        one.land(0, 10);
        fill.reads = 1;
        waiter.at = &one;
        waiter.waits = chunk_request::place::units;
        waiter.in = 10 * unit_size;
        waiter.size = 5 * unit_size;
        one.add(waiter);
    }
    ~filling() {
        fill.waiters.clear();
        one.holders.clear();
    }

    file_record file;
    std::byte memory[1]{};
    chunk_request waiter;
    alignas(64) std::byte home[1]{};
    lease held{reinterpret_cast<shard_cache&>(home)};  // only its address counts
    chunk one{100 * unit_size};
    fill_state fill{one};
};

/// The same with a holder of a lease.
struct granted : filling {
    granted() {
        held.at_owner.chunk = &one;
        one.holders.push_front(held.at_owner);
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
    {"a chunk in use has no file or no buffer", [](granted& of) { of.one.set_place(nullptr, 0); }},
    {"a chunk has the fill of another", [](granted& of) { of.fill.of = nullptr; }},
    {"more reads are demanded than there are", [](granted& of) { of.fill.demands = 2; }},
    {"a doomed chunk is still in a queue", [](granted& of) { of.one.doomed = true; }},
    {"a chunk is held by a lease that does not know it",
     [](granted& of) { of.held.at_owner.chunk = nullptr; }},
    {"landed units are counted wrongly", [](granted& of) { of.one.bits.count_landed(2, 1); }},
    {"units asked for are counted wrongly", [](granted& of) { of.one.bits.count_asked(2, -1); }},
    {"a unit has landed that nobody has asked for", [](granted& of) { of.one.land(40, 1); }},
    {"more units are asked for than the file has here",
     [](granted& of) {
         of.one.ask(20, 80);
         of.one.length = 70 * unit_size;
     }},
    {"a chunk is ready before it is complete, or not when it is",
     [](granted& of) { of.one.ready_length = of.one.length; }},
    {"a complete chunk is ready up to another length than its own",
     [](granted& of) {
         of.one.take_back(10, 10);
         of.one.ask(10, 90);
         of.one.land(10, 90);
         of.one.ready_length = 1;
     }},
    {"units are on their way by no read", [](granted& of) { of.fill.reads = 0; }},
    {"a request waits at a chunk and does not know it",
     [](granted& of) { of.waiter.waits = chunk_request::place::nowhere; }},
    {"a request waits for what is not to come",
     [](granted& of) { of.waiter.in = 100 * unit_size - 1; }},
    {"a request waits for what has landed", [](granted& of) { of.one.land(10, 5); }},
    {"requests with unread units are counted wrongly", [](granted& of) { of.fill.unread = 1; }},
    {"requests ahead are counted wrongly", [](granted& of) { of.waiter.asked_ahead = true; }},
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_right_is_not_called_wrong) {
    const granted as_it_should_be;
    BOOST_TEST(said(as_it_should_be.one.fault()) == "");
}

BOOST_AUTO_TEST_CASE(each_broken_invariant_of_a_chunk_is_noticed) {
    for (const auto& [sentence, break_it] : of_chunks) {
        granted of;
        break_it(of);
        BOOST_TEST(said(of.one.fault()) == sentence);
    }
}

BOOST_AUTO_TEST_CASE(a_chunk_that_moves_shows_its_own_bits) {
    for (std::uint64_t words = 1; words <= 2; ++words) {
        chunk before{static_cast<std::uint32_t>(words * 60 * unit_size)};
        before.ask(0, 60);
        before.land(3, 1);
        before.last_use.note(17);
        before.key = 5;
        chunk after{std::move(before)};
        after.show_bits();
        BOOST_TEST(after.presence == after.landed_words());
        BOOST_TEST(after.landed_units() == 1u);
        BOOST_TEST(after.asked_units() == 60u);
        BOOST_TEST(after.presence[0].load() == 8u);
        BOOST_TEST(after.asked_word(0) == (std::uint64_t{1} << 60) - 1);
        BOOST_TEST(after.last_use.latest() == 17);
        BOOST_TEST(after.key == 5u);
        // One that holds its bits back for a mark goes on to do so.
        after.presence = nullptr;
        after.show_bits();
        BOOST_TEST(after.presence == nullptr);
    }
}

BOOST_AUTO_TEST_SUITE_END()
