// Stamps of uses read by another thread, in every interleaving.
#include "weakened.hpp"

#include <leat/cache/detail/use_stamp.hpp>
#include <leat/engine/detail/mailbox.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>

BOOST_AUTO_TEST_SUITE(use_stamp_test)

using namespace leat;
using leat::test::explored_atomic;
using leat::test::explorer;
using leat::test::weak_acquire;
using leat::test::weak_release;

BOOST_AUTO_TEST_CASE(the_latest_note_is_read) {
    detail::use_stamp<> used;
    BOOST_TEST(used.latest() == 0);
    used.note(5);
    used.note(7);
    BOOST_TEST(used.latest() == 7);
}

namespace {

struct message : detail::work {
    using detail::work::work;
    int generation = 0;
};

// An owner that grants a lease, revokes it unless it sees a use, and then uses the buffer for other
// bytes and grants those; a holder that hits while it may and gives back what is revoked.
template <template <class> class Atomic>
struct owner_and_holder {
    detail::use_stamp<Atomic> used;
    explored_atomic<int> bytes;
    detail::mailbox<Atomic, 2> to_holder;
    detail::mailbox<Atomic, 2> to_owner;
    message grants[2];
    message revoke;
    int granted = 0;  // holder's: the generation it may serve, 0 for none
    int hits = 0;
    bool revoking = false;
    bool wrong = false;

    void grant(int generation) {
        bytes.store(generation, std::memory_order_relaxed);
        grants[generation - 1].generation = generation;
        to_holder.post(grants[generation - 1]);
        to_holder.flush();
    }
    void own() {
        grant(1);
        if (used.latest() == 0) {
            revoking = true;
            to_holder.post(revoke);
            to_holder.flush();
        }
        receive();
    }
    void receive() {
        to_owner.consume([this](detail::work&) { grant(2); });
        to_holder.flush();  // what found no room before
    }
    void look() {
        to_holder.consume([this](detail::work& item) {
            if (&item == &revoke) {
                granted = 0;
                to_owner.post(item);
                to_owner.flush();
            } else {
                granted = static_cast<message&>(item).generation;
            }
        });
        if (granted == 0) return;
        used.note(++hits);
        wrong = wrong || bytes.load(std::memory_order_relaxed) != granted;
    }
};

// Explores it; what fails, or "".
template <template <class> class Atomic>
std::string explore() {
    explorer all{3};
    const std::uint64_t runs = all.run([] {
        auto both = std::make_shared<owner_and_holder<Atomic>>();
        explorer::program program;
        program.threads.emplace_back([both] { both->own(); });
        program.threads.emplace_back([both] {
            for (int i = 0; i < 3; ++i) both->look();
        });
        program.check = [both] {
            both->look();
            both->receive();
            both->look();
            explorer::current().require(!both->wrong, "a hit saw bytes of another grant");
            explorer::current().require(both->granted == (both->revoking ? 2 : 1),
                                        "a lease was lost");
        };
        return program;
    });
    BOOST_TEST_MESSAGE(runs << " runs");
    return all.failure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_stale_use_lets_a_hit_see_bytes_of_another_grant) {
    BOOST_TEST(explore<explored_atomic>() == "");
}

BOOST_AUTO_TEST_CASE(without_release_or_acquire_of_its_messages_it_would) {
    BOOST_TEST(explore<weak_release::atomic>() != "");
    BOOST_TEST(explore<weak_acquire::atomic>() != "");
}

BOOST_AUTO_TEST_SUITE_END()
