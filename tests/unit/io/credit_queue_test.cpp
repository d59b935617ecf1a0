// Who may submit, within the ring's credit.
#include "credit_queue.hpp"

#include "io_support.hpp"

#include <algorithm>
#include <deque>
#include <map>

BOOST_AUTO_TEST_SUITE(credit_queue_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

/// Operations that wait for credit, and those that have it.
struct operations {
    explicit operations(unsigned credit) : queue(credit) {}
    ~operations() {
        for (operation& op : all) {
            if (op.is_linked()) {
                queue.withdraw(op);
            }
        }
    }

    operation& wait(opcode code) {
        all.emplace_back().code = code;
        queue.push_back(all.back());
        return all.back();
    }
    void wait(opcode code, unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            wait(code);
        }
    }
    /// Gives credit to as many as there is any for; tells how many.
    unsigned begin(unsigned cost = 1) {
        unsigned begun = 0;
        while (operation* const next = queue.next([&](const operation&) { return cost; })) {
            queue.take(*next, cost);
            ++begun;
            ++held[next->code];
        }
        return begun;
    }

    credit_queue queue;
    std::deque<operation> all;
    std::map<opcode, unsigned> held;
};

}  // namespace

BOOST_AUTO_TEST_CASE(sockets_never_hold_all_of_it) {
    for (unsigned credit = credit_queue::least; credit <= 300; ++credit) {
        operations some(credit);
        some.wait(opcode::receive, credit);
        some.wait(opcode::accept, credit);
        const unsigned waits = some.begin();
        BOOST_TEST(waits >= 1U);
        // Answers go out though all else waits; two at a time may be what one needs.
        some.wait(opcode::send, credit);
        const unsigned answers = some.begin(2);
        BOOST_TEST(answers >= 1U);
        some.begin();
        BOOST_TEST(waits + 2 * answers <= credit * 3 / 4);
        // Files have the rest, and more if there is more.
        some.wait(opcode::read, credit);
        some.wait(opcode::open, 1);
        const unsigned files = some.begin();
        BOOST_TEST(files >= (credit + 3) / 4);
        BOOST_TEST(some.queue.held_by_files() == files);
        BOOST_TEST(some.begin() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(as_many_connections_as_can_wait_and_one_more_be_accepted) {
    for (unsigned credit = credit_queue::least; credit <= 20'000; ++credit) {
        operations some(credit);
        const unsigned limit = some.queue.connection_limit();
        BOOST_TEST_REQUIRE(limit >= 1U);
        BOOST_TEST_REQUIRE(limit <= credit * 3 / 4);
        if (credit > 200) {
            BOOST_TEST_REQUIRE(limit * 10 >= credit * 5);
        }
    }
    // By default: a ring of 16384.
    BOOST_TEST(operations(16319).queue.connection_limit() > 11'000U);
}

BOOST_AUTO_TEST_CASE(the_kinds_take_turns_and_each_keeps_its_order) {
    operations some(8);
    some.wait(opcode::read, 20);
    BOOST_TEST(some.begin() == 8U);
    operation& receive = some.wait(opcode::receive);
    operation& later = some.wait(opcode::receive);
    operation& send = some.wait(opcode::send);
    // Each that ends makes room for one of another kind, though reads have waited for longer.
    std::vector<const operation*> begun;
    for (int i = 0; i < 6; ++i) {
        some.queue.give_back(some.all[static_cast<std::size_t>(i)]);
        operation* const next = some.queue.next([](const operation&) { return 1U; });
        BOOST_TEST_REQUIRE(next != nullptr);
        some.queue.take(*next, 1);
        begun.push_back(next);
    }
    const auto place = [&](const operation& op) {
        return std::find(begun.begin(), begun.end(), &op) - begun.begin();
    };
    BOOST_TEST(place(receive) < 3);
    BOOST_TEST(place(send) < 3);
    BOOST_TEST(place(later) > place(receive));
    BOOST_TEST(place(later) < 6);
    BOOST_TEST(place(some.all[8]) < place(some.all[9]));
}

BOOST_AUTO_TEST_CASE(who_waits_is_counted_once) {
    operations some(8);
    some.wait(opcode::read, 10);
    BOOST_TEST(some.begin() == 8U);
    BOOST_TEST(some.queue.count_deferred() == 2U);
    BOOST_TEST(some.queue.count_deferred() == 0U);
    some.wait(opcode::send);
    BOOST_TEST(some.queue.count_deferred() == 1U);
    // One that has had its turn goes first, and is no news.
    operation& again = some.all[0];
    some.queue.give_back(again);
    some.queue.push_front(again);
    BOOST_TEST(some.queue.count_deferred() == 0U);
    some.queue.withdraw(again);
    BOOST_TEST(some.begin() == 1U);
    BOOST_TEST(!some.queue.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(files_are_read_beside_idle_sockets, Kind, kinds) {
    const auto through = make<Kind>(4, 64);
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 4096);
    std::vector<socket_pair> pairs(60);
    std::vector<char> bytes(pairs.size());
    std::deque<one_buffer> buffers;
    std::vector<counted> receives(pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        one_buffer& into = buffers.emplace_back(&bytes[i], 1);
        receives[i].prepare_receive(pairs[i].near, into.message, 0);
        through->submit(receives[i]);
    }
    through->run(time_point::min());
    // A file is opened, statted and read though every socket waits.
    counted op;
    const open_how how{O_RDONLY | O_CLOEXEC, 0, 0};
    op.prepare_open(AT_FDCWD, path.c_str(), how);
    const descriptor file(perform(*through, op));
    BOOST_TEST_REQUIRE(file >= 0);
    struct statx attributes{};
    op.prepare_stat(file, STATX_SIZE, attributes);
    BOOST_TEST(perform(*through, op) == 0);
    BOOST_TEST(attributes.stx_size == 4096U);
    std::vector<std::byte> memory(4096);
    op.prepare_read(file, memory, 0, -1);
    BOOST_TEST(perform(*through, op) == 4096);
    BOOST_TEST(patterned(memory.data(), 0, memory.size()));
    // And an answer goes out.
    char answer = 'a';
    one_buffer out(&answer, 1);
    op.prepare_send(pairs[0].near, out.message, 0);
    BOOST_TEST(perform(*through, op) == 1);
    BOOST_TEST(through->in_flight() == pairs.size());
    // Those that wait for credit come by and by.
    for (socket_pair& pair : pairs) {
        BOOST_TEST_REQUIRE(::write(pair.far, "x", 1) == 1);
    }
    BOOST_TEST(finish(*through));
    for (const counted& one : receives) {
        BOOST_TEST(one.result == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
