// Units land beside readers, in every interleaving.
#include "weakened.hpp"

#include <leat/cache/detail/presence.hpp>
#include <leat/engine/detail/mailbox.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>

BOOST_AUTO_TEST_SUITE(presence_test)

using namespace leat;
using leat::test::explored_atomic;
using leat::test::explorer;
using leat::test::weak_acquire;
using leat::test::weak_release;

BOOST_AUTO_TEST_CASE(ranges_of_units_may_lie_in_several_words) {
    std::atomic<std::uint64_t> words[3]{};
    detail::land_units(words, 60, 70);
    BOOST_TEST(detail::units_landed(words, 60, 129));
    BOOST_TEST(detail::units_landed(words, 64, 64));
    BOOST_TEST(!detail::units_landed(words, 59, 61));
    BOOST_TEST(!detail::units_landed(words, 100, 130));
    BOOST_TEST(!detail::units_landed(words, 0, 0));
    detail::land_units(words, 0, 60);
    detail::land_units(words, 130, 62);
    BOOST_TEST(detail::units_landed(words, 0, 191));
}

namespace {

struct letter : detail::work {
    using detail::work::work;
    bool granted = false;
};

// An owner that fills two units, and a holder that wants the second: it serves itself if it sees
// the unit, and else asks the owner, who answers when the unit has landed.
template <template <class> class Atomic>
struct chunk_and_lease {
    Atomic<std::uint64_t> landed[1]{};
    explored_atomic<int> bytes[2];
    detail::mailbox<Atomic, 2> asked;
    detail::mailbox<Atomic, 2> answered;
    letter request;
    letter* waiter = nullptr;
    bool filled = false;
    bool served = false;
    bool fresh = true;

    void fill(unsigned unit) {
        bytes[unit].store(1, std::memory_order_relaxed);
        detail::land_units(landed, unit, 1);
        filled = unit == 1;
        if (filled && waiter != nullptr) answer(*std::exchange(waiter, nullptr));
    }
    void answer(letter& to) {
        answered.post(to);
        answered.flush();
    }
    void receive() {
        asked.consume([this](detail::work& item) {
            if (filled) {
                answer(static_cast<letter&>(item));
            } else {
                waiter = &static_cast<letter&>(item);
            }
        });
    }
    void serve() {
        served = true;
        fresh = bytes[1].load(std::memory_order_relaxed) == 1;
    }
    void own() {
        fill(0);
        receive();
        fill(1);
        receive();
    }
    void hold() {
        if (detail::units_landed(landed, 1, 1)) {
            serve();
            return;
        }
        asked.post(request);
        asked.flush();
        look();
    }
    void look() {
        answered.consume([this](detail::work&) { serve(); });
    }
};

// Explores it; what fails, or "".
template <template <class> class Atomic>
std::string explore() {
    explorer all{3};
    const std::uint64_t runs = all.run([] {
        auto both = std::make_shared<chunk_and_lease<Atomic>>();
        explorer::program program;
        program.threads.emplace_back([both] { both->own(); });
        program.threads.emplace_back([both] { both->hold(); });
        program.check = [both] {
            both->receive();
            both->look();
            explorer::current().require(both->served, "a waiter was forgotten");
            explorer::current().require(both->fresh, "bytes were served before they landed");
        };
        return program;
    });
    BOOST_TEST_MESSAGE(runs << " runs");
    return all.failure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_serves_bytes_before_they_landed_or_forgets_a_waiter) {
    BOOST_TEST(explore<explored_atomic>() == "");
}

BOOST_AUTO_TEST_CASE(without_release_or_acquire_bytes_are_served_before_they_landed) {
    BOOST_TEST(explore<weak_release::atomic>() != "");
    BOOST_TEST(explore<weak_acquire::atomic>() != "");
}

BOOST_AUTO_TEST_SUITE_END()
