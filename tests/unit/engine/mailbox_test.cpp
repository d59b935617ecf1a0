// Messages from one shard to another, in every interleaving.
#include "weakened.hpp"

#include <leat/engine/detail/mailbox.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/unit_test.hpp>

#include <deque>
#include <memory>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(mailbox_test)

using leat::detail::mailbox;
using leat::detail::work;
using leat::test::explored_atomic;
using leat::test::explorer;
using leat::test::weak_acquire;
using leat::test::weak_release;

namespace {

struct letter : work {
    int number = 0;
};

std::deque<letter> letters(int count) {
    std::deque<letter> made(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) made[static_cast<std::size_t>(i)].number = i;
    return made;
}

template <class Mailbox>
std::vector<int> read(Mailbox& box) {
    std::vector<int> numbers;
    box.consume([&](work& item) { numbers.push_back(static_cast<letter&>(item).number); });
    return numbers;
}

const std::vector<int> none;

}  // namespace

BOOST_AUTO_TEST_CASE(messages_are_seen_after_flush_in_order) {
    mailbox<std::atomic, 4> box;
    auto post = letters(3);
    BOOST_TEST(!box.flush());
    box.post(post[0]);
    box.post(post[1]);
    BOOST_TEST(read(box) == none);
    BOOST_TEST(box.flush());
    BOOST_TEST(!box.flush());
    box.post(post[2]);
    BOOST_TEST(read(box) == (std::vector<int>{0, 1}));
    BOOST_TEST(read(box) == none);
    BOOST_TEST(box.flush());
    BOOST_TEST(read(box) == (std::vector<int>{2}));
    BOOST_TEST(box.posted() == 3u);
    BOOST_TEST(box.overflows() == 0u);
}

BOOST_AUTO_TEST_CASE(what_finds_no_room_waits_in_order) {
    mailbox<std::atomic, 4> box;
    auto post = letters(11);
    for (int i = 0; i < 10; ++i) box.post(post[static_cast<std::size_t>(i)]);
    BOOST_TEST(box.congested());
    BOOST_TEST(box.overflows() == 6u);
    BOOST_TEST(box.flush());
    BOOST_TEST(!box.flush());
    BOOST_TEST(read(box) == (std::vector<int>{0, 1, 2, 3}));
    // There is room again, but the newest must not go past those that wait.
    box.post(post[10]);
    BOOST_TEST(box.overflows() == 7u);
    BOOST_TEST(box.flush());
    BOOST_TEST(read(box) == (std::vector<int>{4, 5, 6, 7}));
    BOOST_TEST(box.congested());
    BOOST_TEST(box.flush());
    BOOST_TEST(!box.congested());
    BOOST_TEST(read(box) == (std::vector<int>{8, 9, 10}));
    BOOST_TEST(!box.flush());
}

BOOST_AUTO_TEST_CASE(it_wraps_around_many_times) {
    mailbox<std::atomic, 4> box;
    auto post = letters(3);
    for (int round = 0; round < 1000; ++round) {
        for (letter& one : post) box.post(one);
        BOOST_TEST_REQUIRE(box.flush());
        BOOST_TEST_REQUIRE(read(box) == (std::vector<int>{0, 1, 2}));
    }
    BOOST_TEST(box.overflows() == 0u);
}

BOOST_AUTO_TEST_CASE(a_message_may_be_posted_again_from_inside_its_run) {
    mailbox<std::atomic, 2> there;
    mailbox<std::atomic, 2> back;
    letter ball;
    there.post(ball);
    for (int i = 0; i < 10; ++i) {
        there.flush();
        BOOST_TEST_REQUIRE(there.consume([&](work& item) { back.post(item); }) == 1u);
        back.flush();
        BOOST_TEST_REQUIRE(back.consume([&](work& item) { there.post(item); }) == 1u);
    }
}

BOOST_AUTO_TEST_CASE(two_threads_pass_everything_in_order) {
    constexpr int count = 200'000;
    mailbox<std::atomic, 64> box;
    auto post = letters(count);
    bool in_order = true;
    std::thread consumer([&] {
        int next = 0;
        while (next < count) {
            const auto got = box.consume([&](work& item) {
                in_order = in_order && static_cast<letter&>(item).number == next;
                ++next;
            });
            if (got == 0) std::this_thread::yield();
        }
    });
    for (int i = 0; i < count; ++i) {
        box.post(post[static_cast<std::size_t>(i)]);
        if (i % 7 == 0) box.flush();
    }
    while (box.flush() || box.congested()) std::this_thread::yield();
    consumer.join();
    BOOST_TEST(in_order);
}

namespace {

struct explored_letter : work {
    int number = 0;
    explored_atomic<int> payload{0};
};

template <template <class> class Atomic>
struct pair_of_threads {
    mailbox<Atomic, 2> box;
    explored_letter post[4];
    int next = 0;
    bool in_order = true;
    bool fresh = true;

    void produce() {
        for (int i = 0; i < 4; ++i) {
            post[i].number = i;
            post[i].payload.store(1, std::memory_order_relaxed);
            box.post(post[i]);
            box.flush();
        }
    }
    void consume() {
        box.consume([this](work& item) {
            auto& one = static_cast<explored_letter&>(item);
            in_order = in_order && one.number == next;
            fresh = fresh && one.payload.load(std::memory_order_relaxed) == 1;
            ++next;
        });
    }
};

// Explores it; what fails, or "".
template <template <class> class Atomic>
std::string explore() {
    explorer all{3};
    const std::uint64_t runs = all.run([] {
        auto both = std::make_shared<pair_of_threads<Atomic>>();
        explorer::program program;
        program.threads.emplace_back([both] { both->produce(); });
        program.threads.emplace_back([both] {
            for (int i = 0; i < 3; ++i) both->consume();
        });
        program.check = [both] {
            for (int i = 0; i < 3; ++i) {
                both->consume();
                both->box.flush();
            }
            explorer::current().require(both->next == 4, "a message was lost");
            explorer::current().require(both->in_order, "messages were reordered");
            explorer::current().require(both->fresh, "a stale message was seen");
        };
        return program;
    });
    BOOST_TEST_MESSAGE(runs << " runs");
    return all.failure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_loses_reorders_or_overwrites_a_message) {
    BOOST_TEST(explore<explored_atomic>() == "");
}

BOOST_AUTO_TEST_CASE(without_release_or_acquire_a_message_is_seen_before_it_is_written) {
    BOOST_TEST(explore<weak_release::atomic>() != "");
    BOOST_TEST(explore<weak_acquire::atomic>() != "");
}

BOOST_AUTO_TEST_SUITE_END()
