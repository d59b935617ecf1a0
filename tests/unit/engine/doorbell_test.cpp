// Senders wake a parked shard, in every interleaving.
#include "weakened.hpp"

#include <leat/engine/detail/doorbell.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <set>

BOOST_AUTO_TEST_SUITE(doorbell_test)

using leat::detail::doorbell;
using leat::test::explored_atomic;
using leat::test::explored_sleep;
using leat::test::explorer;
using leat::test::weak_order;

BOOST_AUTO_TEST_CASE(each_sender_that_rang_is_visited_once) {
    doorbell<> bell{200};
    std::set<unsigned> visited;
    const auto visit = [&](unsigned sender) { BOOST_TEST(visited.insert(sender).second); };
    bell.answer(visit);
    BOOST_TEST(visited.empty());
    BOOST_TEST(!bell.rung());
    for (const unsigned sender : {0u, 63u, 64u, 127u, 128u, 199u, 63u}) {
        BOOST_TEST(!bell.ring(sender));
    }
    BOOST_TEST(bell.rung());
    bell.answer(visit);
    BOOST_TEST((visited == std::set<unsigned>{0, 63, 64, 127, 128, 199}));
    BOOST_TEST(!bell.rung());
    visited.clear();
    bell.answer(visit);
    BOOST_TEST(visited.empty());
}

BOOST_AUTO_TEST_CASE(one_of_several_senders_is_told_to_wake_a_parked_shard) {
    doorbell<> bell{3};
    bell.park();
    BOOST_TEST(bell.ring(1));
    BOOST_TEST(!bell.ring(2));
    BOOST_TEST(!bell.claim_wake());
    bell.park();
    BOOST_TEST(bell.rung());
    bell.unpark();
    BOOST_TEST(!bell.ring(0));
    bell.park();
    BOOST_TEST(bell.claim_wake());
}

namespace {

template <template <class> class Atomic>
struct house {
    doorbell<Atomic> bell{2};
    explored_sleep kernel;
    explored_atomic<int> payload[2];
    int received = 0;
    int fresh = 0;

    void send(unsigned sender) {
        payload[sender].store(1, std::memory_order_relaxed);
        if (bell.ring(sender)) kernel.wake();
    }
    // A shard that waits for `expected` messages as shard::run does.
    void serve(int expected) {
        while (true) {
            bell.answer([this](unsigned sender) {
                ++received;
                fresh += payload[sender].load(std::memory_order_relaxed);
            });
            if (received == expected) return;
            bell.park();
            if (!bell.rung() && !kernel.sleep()) return;
            bell.unpark();
        }
    }
};

// Explores it with so many senders; what fails, or "".
template <template <class> class Atomic>
std::string explore(unsigned senders) {
    explorer all{senders == 1 ? 8u : 2u};
    const std::uint64_t runs = all.run([senders] {
        auto one = std::make_shared<house<Atomic>>();
        explorer::program program;
        program.threads.emplace_back([one, senders] { one->serve(static_cast<int>(senders)); });
        for (unsigned i = 0; i < senders; ++i)
            program.threads.emplace_back([one, i] { one->send(i); });
        program.check = [one, senders] {
            const auto expected = static_cast<int>(senders);
            explorer::current().require(one->received == expected, "a message was lost");
            explorer::current().require(one->fresh == expected, "a stale message was seen");
        };
        return program;
    });
    BOOST_TEST_MESSAGE(senders << " senders: " << runs << " runs");
    return all.failure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_leaves_a_message_with_the_shard_asleep) {
    BOOST_TEST(explore<explored_atomic>(1) == "");
    BOOST_TEST(explore<explored_atomic>(2) == "");
}

BOOST_AUTO_TEST_CASE(without_sequential_consistency_a_message_is_left_behind) {
    BOOST_TEST(explore<weak_order::atomic>(1) != "");
}

BOOST_AUTO_TEST_SUITE_END()
