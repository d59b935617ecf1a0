// Handlers whose context ends before they are called.
#include "weakened.hpp"

#include <leat/cache/asio/detail/handler_slots.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_handler_slots_test)

using leat::detail::basic_handler_slots;
using leat::detail::waiting_handler;
using leat::test::explored_atomic;
using leat::test::explorer;
using leat::test::weak_acquire;
using leat::test::weak_release;

namespace {

struct counting_handler final : waiting_handler {
    void abandon() noexcept override { ++abandoned; }
    int abandoned = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_nobody_has_taken_is_abandoned_and_each_ends_once) {
    using slots = leat::detail::handler_slots;
    slots* const table = slots::make();
    std::vector<counting_handler> handlers(200);  // more than a block has room for
    std::vector<slots::slot> places(handlers.size());
    slots::slot hint;
    for (std::size_t i = 0; i < handlers.size(); ++i) {
        hint = places[i] = table->claim(handlers[i], hint);
    }
    for (std::size_t i = 0; i < handlers.size(); i += 3) {
        BOOST_TEST(table->take(places[i], handlers[i]));
        slots::free(places[i]);
    }
    for (std::size_t i = 0; i < 30; i += 3) places[i] = table->claim(handlers[i], {});
    table->close();
    for (std::size_t i = 0; i < handlers.size(); ++i) {
        const bool left = i % 3 != 0 || i < 30;
        BOOST_TEST(handlers[i].abandoned == (left ? 1 : 0));
        if (left) BOOST_TEST(!table->take(places[i], handlers[i]));
    }
}

namespace {

/// A context that ends while a shard completes a request whose handler waits for it.
template <template <class> class Atomic>
struct ending {
    using slots = basic_handler_slots<Atomic>;
    using word = explored_atomic<int>;

    struct request : waiting_handler {
        void abandon() noexcept override {
            explorer::current().require(alive.load(std::memory_order_relaxed) == 1,
                                        "a handler is destroyed in memory that is free");
            destroyed.store(1, std::memory_order_relaxed);
        }
        word alive{1};
        word destroyed{0};
        typename slots::slot place;
        bool handed_over = false;
    };

    /// What a shard does.
    void complete() {
        while (asked.load(std::memory_order_acquire) == 0) {
        }
        request& one = only;
        one.handed_over = table->take(one.place, one);
        if (one.handed_over) {
            explorer::current().require(context.load(std::memory_order_relaxed) == 1,
                                        "a handler goes to a context that is gone");
            posted.store(1, std::memory_order_relaxed);
            slots::free(one.place);
        } else {
            explorer::current().require(one.destroyed.load(std::memory_order_relaxed) == 1,
                                        "memory is freed with its handler in it");
        }
        one.alive.store(0, std::memory_order_relaxed);
    }
    /// What a program does that asks and then destroys the context.
    void ask_and_close() {
        only.place = table->claim(only, {});
        asked.store(1, std::memory_order_release);
        table->close();
        if (only.handed_over) {
            explorer::current().require(posted.load(std::memory_order_relaxed) == 1,
                                        "what was handed over is not seen");
        }
        context.store(0, std::memory_order_relaxed);
    }

    slots* table = slots::make();
    word context{1};
    word posted{0};
    word asked{0};
    request only;
};

// What fails, or "".
template <template <class> class Atomic>
std::string explore() {
    explorer all{2};
    const std::uint64_t runs = all.run([] {
        auto one = std::make_shared<ending<Atomic>>();
        explorer::program program;
        program.threads.emplace_back([one] { one->ask_and_close(); });
        program.threads.emplace_back([one] { one->complete(); });
        program.check = [one] {
            const auto& request = one->only;
            const bool destroyed = request.destroyed.latest() == 1;
            explorer::current().require(destroyed != request.handed_over, "both, or neither");
        };
        return program;
    });
    BOOST_TEST_MESSAGE(runs << " runs");
    return all.failure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_frees_a_handler_that_is_being_destroyed) {
    BOOST_TEST(explore<explored_atomic>() == "");
}

BOOST_AUTO_TEST_CASE(weaker_orders_are_found) {
    BOOST_TEST(explore<weak_release::atomic>() != "");
    BOOST_TEST(explore<weak_acquire::atomic>() != "");
}

BOOST_AUTO_TEST_SUITE_END()
