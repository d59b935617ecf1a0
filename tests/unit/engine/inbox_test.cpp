// Messages of many threads to one shard, in every interleaving.
#include "weakened.hpp"

#include <leat/engine/detail/doorbell.hpp>
#include <leat/engine/detail/inbox.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/unit_test.hpp>

#include <deque>
#include <memory>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(inbox_test)

using leat::detail::doorbell;
using leat::detail::inbox;
using leat::detail::work;
using leat::detail::work_queue;
using leat::test::explored_atomic;
using leat::test::explored_sleep;
using leat::test::explorer;
using leat::test::weak_acquire;
using leat::test::weak_order;

namespace {
struct letter : work {
    int from = 0;
    int number = 0;
};
}  // namespace

BOOST_AUTO_TEST_CASE(everything_is_taken_oldest_first_behind_what_the_queue_holds) {
    inbox<> box;
    work_queue queue;
    box.take(queue);
    BOOST_TEST(queue.empty());
    BOOST_TEST(box.empty());
    letter first;
    letter pushed[3];
    queue.push(first);
    for (letter& one : pushed) box.push(one);
    BOOST_TEST(!box.empty());
    box.take(queue);
    BOOST_TEST(box.empty());
    BOOST_TEST(queue.pop() == &first);
    for (letter& one : pushed) BOOST_TEST(queue.pop() == &one);
    BOOST_TEST(queue.pop() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_queue_keeps_order_through_splices_and_reuse) {
    work_queue one;
    work_queue other;
    letter items[4];
    one.splice(other);
    BOOST_TEST(one.empty());
    other.push(items[1]);
    other.push(items[2]);
    one.push(items[0]);
    one.splice(other);
    BOOST_TEST(other.empty());
    one.push(items[3]);
    for (letter& item : items) BOOST_TEST(one.pop() == &item);
    other.push(items[0]);
    BOOST_TEST(other.front() == &items[0]);
    BOOST_TEST(other.pop() == &items[0]);
    BOOST_TEST(other.empty());
}

BOOST_AUTO_TEST_CASE(several_threads_push_and_each_ones_order_is_kept) {
    constexpr int threads = 3;
    constexpr int count = 50'000;
    inbox<> box;
    std::vector<std::deque<letter>> post(threads);
    for (auto& letters : post) letters.resize(count);
    std::vector<std::thread> pushers;
    for (int from = 0; from < threads; ++from) {
        pushers.emplace_back([&box, &letters = post[static_cast<std::size_t>(from)], from] {
            for (int i = 0; i < count; ++i) {
                letter& one = letters[static_cast<std::size_t>(i)];
                one.from = from;
                one.number = i;
                box.push(one);
            }
        });
    }
    std::vector<int> next(threads, 0);
    int wrong = 0;
    for (int taken = 0; taken < threads * count;) {
        work_queue queue;
        box.take(queue);
        if (queue.empty()) std::this_thread::yield();
        while (work* const item = queue.pop()) {
            auto& one = static_cast<letter&>(*item);
            if (one.number != next[static_cast<std::size_t>(one.from)]++) ++wrong;
            ++taken;
        }
    }
    for (std::thread& one : pushers) one.join();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(box.empty());
}

namespace {

struct explored_letter : work {
    explored_atomic<int> payload{0};
};

template <template <class> class Atomic>
struct house {
    inbox<Atomic> box;
    doorbell<Atomic> bell{1};
    explored_sleep kernel;
    explored_letter post[2];
    int received = 0;
    int fresh = 0;

    void push(int which) {
        post[which].payload.store(1, std::memory_order_relaxed);
        box.push(post[which]);
        if (bell.claim_wake()) kernel.wake();
    }
    void serve(int expected) {
        while (true) {
            work_queue queue;
            box.take(queue);
            while (work* const item = queue.pop()) {
                ++received;
                fresh +=
                    static_cast<explored_letter&>(*item).payload.load(std::memory_order_relaxed);
            }
            if (received == expected) return;
            bell.park();
            if (box.empty() && !kernel.sleep()) return;
            bell.unpark();
        }
    }
};

// Explores it with so many pushers; what fails, or "".
template <template <class> class Atomic>
std::string explore(int pushers) {
    explorer all{pushers == 1 ? 8u : 2u};
    const std::uint64_t runs = all.run([pushers] {
        auto one = std::make_shared<house<Atomic>>();
        explorer::program program;
        program.threads.emplace_back([one, pushers] { one->serve(pushers); });
        for (int i = 0; i < pushers; ++i) program.threads.emplace_back([one, i] { one->push(i); });
        program.check = [one, pushers] {
            explorer::current().require(one->received == pushers, "a message was lost");
            explorer::current().require(one->fresh == pushers, "a stale message was seen");
        };
        return program;
    });
    BOOST_TEST_MESSAGE(pushers << " pushers: " << runs << " runs");
    return all.failure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_leaves_a_message_with_the_shard_asleep) {
    BOOST_TEST(explore<explored_atomic>(1) == "");
    BOOST_TEST(explore<explored_atomic>(2) == "");
}

BOOST_AUTO_TEST_CASE(a_weaker_order_loses_a_message_or_shows_a_stale_one) {
    BOOST_TEST(explore<weak_order::atomic>(1) != "");
    BOOST_TEST(explore<weak_acquire::atomic>(1) != "");
}

namespace {

// A shard that ends, and threads that push while the gate lets them in.
template <template <class> class Atomic>
struct ending_house {
    inbox<Atomic> box;
    explored_atomic<int> alive{1};
    explored_letter post[2];
    int received = 0;
    int fresh = 0;
    int turned_away = 0;
    bool used_dead = false;

    void push(int which) {
        if (!box.enter()) {
            ++turned_away;
            return;
        }
        post[which].payload.store(1, std::memory_order_relaxed);
        box.push(post[which]);
        used_dead = used_dead || alive.load(std::memory_order_relaxed) == 0;
        box.leave();
    }
    void end() {
        while (!box.close()) {
            while (box.occupied()) {
            }
        }
        work_queue queue;
        box.take(queue);
        while (work* const item = queue.pop()) {
            ++received;
            fresh += static_cast<explored_letter&>(*item).payload.load(std::memory_order_relaxed);
        }
        alive.store(0, std::memory_order_relaxed);
    }
};

template <template <class> class Atomic>
std::string explore_end(int pushers) {
    explorer all{pushers == 1 ? 8u : 2u};
    const std::uint64_t runs = all.run([pushers] {
        auto one = std::make_shared<ending_house<Atomic>>();
        explorer::program program;
        program.threads.emplace_back([one] { one->end(); });
        for (int i = 0; i < pushers; ++i) program.threads.emplace_back([one, i] { one->push(i); });
        program.check = [one, pushers] {
            explorer::current().require(one->received + one->turned_away == pushers,
                                        "a message was lost");
            explorer::current().require(one->fresh == one->received, "a stale message was seen");
            explorer::current().require(!one->used_dead, "a shard was used after its end");
        };
        return program;
    });
    BOOST_TEST_MESSAGE(pushers << " pushers: " << runs << " runs");
    return all.failure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_loses_a_message_that_the_gate_let_in) {
    BOOST_TEST(explore_end<explored_atomic>(1) == "");
    BOOST_TEST(explore_end<explored_atomic>(2) == "");
}

BOOST_AUTO_TEST_CASE(a_gate_without_acquire_loses_a_message) {
    BOOST_TEST(explore_end<weak_acquire::atomic>(1) != "");
}

BOOST_AUTO_TEST_SUITE_END()
