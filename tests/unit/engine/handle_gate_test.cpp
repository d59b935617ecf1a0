// Stop requests meet the end of a task, in every interleaving.
#include "weakened.hpp"

#include <leat/engine/detail/handle_gate.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>

BOOST_AUTO_TEST_SUITE(handle_gate_test)

using leat::detail::handle_gate;
using leat::test::explored_atomic;
using leat::test::explorer;
using leat::test::weak_acquire;
using leat::test::weak_release;

BOOST_AUTO_TEST_CASE(a_stop_request_is_sent_once_and_not_after_the_end) {
    handle_gate<> gate;
    BOOST_TEST(gate.ask());
    BOOST_TEST(!gate.ask());
    BOOST_TEST(!gate.arrive());
    BOOST_TEST(gate.end());
    handle_gate<> ended;
    BOOST_TEST(ended.end());
    BOOST_TEST(!ended.ask());
}

BOOST_AUTO_TEST_CASE(an_end_waits_for_the_request_under_way) {
    handle_gate<> gate;
    BOOST_TEST(gate.ask());
    BOOST_TEST(!gate.end());
    BOOST_TEST(gate.arrive());
}

BOOST_AUTO_TEST_CASE(the_later_of_end_and_letting_go_knows) {
    handle_gate<> first;
    BOOST_TEST(!first.let_go());
    BOOST_TEST(first.end());
    BOOST_TEST(first.let_go_before_end());
    handle_gate<> second;
    BOOST_TEST(second.end());
    BOOST_TEST(!second.let_go_before_end());
    BOOST_TEST(second.let_go());
}

namespace {

// A task and its handle: two threads may ask it to stop, the handle is then let go, and the task
// ends with an outcome that one of both is to look at.
template <template <class> class Atomic>
struct couple {
    handle_gate<Atomic> gate;
    explored_atomic<int> outcome{0};
    explored_atomic<int> taken{0};
    explored_atomic<int> sent{0};
    explored_atomic<int> shard_alive{1};
    int requests = 0;
    int arrivals = 0;
    int looks = 0;
    bool stale = false;
    bool used_dead = false;

    void ask() {
        if (!gate.ask()) return;
        ++requests;
        used_dead = used_dead || shard_alive.latest() == 0;
        sent.store(1, std::memory_order_release);
    }
    void hold() {
        ask();
        taken.store(1, std::memory_order_relaxed);
        if (gate.let_go()) {
            ++looks;
            stale = stale || outcome.load(std::memory_order_relaxed) == 0;
        }
    }
    void run() {
        if (sent.load(std::memory_order_acquire) != 0) arrive();
        outcome.store(1, std::memory_order_relaxed);
        if (!gate.end()) {
            while (sent.load(std::memory_order_acquire) == 0) {
            }
            arrive();
        }
        if (gate.let_go_before_end()) {
            ++looks;
            stale = stale || taken.load(std::memory_order_relaxed) == 0;
        }
        shard_alive.store(0, std::memory_order_release);
    }
    void arrive() {
        ++arrivals;
        static_cast<void>(gate.arrive());
    }
};

template <template <class> class Atomic>
std::string explore(bool two_ask) {
    explorer all{two_ask ? 3u : 8u};
    const std::uint64_t runs = all.run([two_ask] {
        auto one = std::make_shared<couple<Atomic>>();
        explorer::program program;
        program.threads.emplace_back([one] { one->run(); });
        program.threads.emplace_back([one] { one->hold(); });
        if (two_ask) program.threads.emplace_back([one] { one->ask(); });
        program.check = [one] {
            explorer& now = explorer::current();
            now.require(one->requests <= 1, "two requests were sent");
            now.require(one->arrivals == one->requests, "the end did not wait for a request");
            now.require(!one->used_dead, "a request was sent to a task that had ended");
            now.require(one->looks == 1, "the outcome was not looked at by one of both");
            now.require(!one->stale, "what was written before was not seen");
        };
        return program;
    });
    BOOST_TEST_MESSAGE(runs << " runs");
    return all.failure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_ends_a_task_under_a_request_or_hides_its_outcome) {
    BOOST_TEST(explore<explored_atomic>(false) == "");
    BOOST_TEST(explore<explored_atomic>(true) == "");
}

BOOST_AUTO_TEST_CASE(a_weaker_order_shows_a_stale_outcome) {
    BOOST_TEST(explore<weak_acquire::atomic>(false) != "");
    BOOST_TEST(explore<weak_release::atomic>(false) != "");
}

BOOST_AUTO_TEST_SUITE_END()
