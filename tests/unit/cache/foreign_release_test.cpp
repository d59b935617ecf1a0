// Pins given up on other threads, in every interleaving.
#include "weakened.hpp"

#include <leat/cache/detail/foreign_release.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(foreign_release_test)

using leat::detail::foreign_release;
using leat::test::explored_atomic;
using leat::test::explorer;
using leat::test::weak_acquire;

namespace {
struct node {
    node* foreign_next = nullptr;
    int settled = 0;
};
}  // namespace

BOOST_AUTO_TEST_CASE(what_is_pushed_is_settled_by_the_home_until_it_closes) {
    foreign_release<node> list;
    node nodes[4];
    int wakes = 0;
    const auto wake = [&] { ++wakes; };
    const auto settle = [](node& one) { ++one.settled; };
    BOOST_TEST(list.empty());
    BOOST_TEST(list.push(nodes[0], wake));
    BOOST_TEST(list.push(nodes[1], wake));
    BOOST_TEST(!list.empty());
    list.take(settle);
    BOOST_TEST(list.empty());
    BOOST_TEST(list.push(nodes[2], wake));
    list.close(settle);
    BOOST_TEST(wakes == 3);
    BOOST_TEST(!list.push(nodes[3], wake));
    BOOST_TEST(wakes == 3);
    for (int i = 0; i < 3; ++i) BOOST_TEST(nodes[i].settled == 1);
    BOOST_TEST(nodes[3].settled == 0);
}

BOOST_AUTO_TEST_CASE(with_threads_each_node_is_settled_exactly_once) {
    constexpr int count = 20'000;
    foreign_release<node> list;
    std::vector<node> nodes(2 * count);
    std::vector<std::thread> threads;
    for (int from = 0; from < 2; ++from) {
        threads.emplace_back([&, from] {
            for (int i = 0; i < count; ++i) {
                node& one = nodes[static_cast<std::size_t>(from * count + i)];
                if (!list.push(one, [] {})) ++one.settled;
            }
        });
    }
    int taken = 0;
    const auto settle = [&](node& one) {
        ++one.settled;
        ++taken;
    };
    while (taken < count) {
        list.take(settle);
        std::this_thread::yield();
    }
    list.close(settle);
    for (std::thread& one : threads) one.join();
    int wrong = 0;
    for (const node& one : nodes) wrong += one.settled != 1;
    BOOST_TEST(wrong == 0);
}

namespace {

struct explored_node {
    explored_node* foreign_next = nullptr;
    explored_atomic<int> payload{0};
    int settled = 0;
    bool fresh = true;
};

template <template <class> class Atomic>
struct home {
    foreign_release<explored_node, Atomic> list;
    explored_node nodes[2];
    explored_atomic<int> alive{1};  // what wake() needs
    bool woken_in_vain = false;

    void drop(explored_node& one) {
        one.payload.store(1, std::memory_order_relaxed);
        const bool taken = list.push(one, [this] {
            woken_in_vain = woken_in_vain || alive.load(std::memory_order_relaxed) == 0;
        });
        if (!taken) ++one.settled;
    }
    void live() {
        const auto settle = [](explored_node& one) {
            ++one.settled;
            one.fresh = one.payload.load(std::memory_order_relaxed) == 1;
        };
        list.take(settle);
        list.close(settle);
        alive.store(0, std::memory_order_relaxed);
    }
};

// Explores it with so many droppers; what fails, or "".
template <template <class> class Atomic>
std::string explore(int droppers) {
    explorer all{droppers == 1 ? 4u : 1u};
    const std::uint64_t runs = all.run([droppers] {
        auto one = std::make_shared<home<Atomic>>();
        explorer::program program;
        program.threads.emplace_back([one] { one->live(); });
        for (int i = 0; i < droppers; ++i)
            program.threads.emplace_back([one, i] { one->drop(one->nodes[i]); });
        program.check = [one, droppers] {
            for (int i = 0; i < droppers; ++i) {
                explorer::current().require(one->nodes[i].settled == 1, "settled not once");
                explorer::current().require(one->nodes[i].fresh, "a stale node was settled");
            }
            explorer::current().require(!one->woken_in_vain, "woken after close");
        };
        return program;
    });
    BOOST_TEST_MESSAGE(droppers << " droppers: " << runs << " runs");
    return all.failure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_settles_a_node_twice_or_never_or_wakes_the_dead) {
    BOOST_TEST(explore<explored_atomic>(1) == "");
    BOOST_TEST(explore<explored_atomic>(2) == "");
}

BOOST_AUTO_TEST_CASE(without_acquire_a_stale_node_is_settled) {
    BOOST_TEST(explore<weak_acquire::atomic>(1) != "");
}

BOOST_AUTO_TEST_SUITE_END()
