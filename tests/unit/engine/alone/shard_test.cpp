// What one turn does.
#include "engine_support.hpp"

#include <leat/engine/shard.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <deque>
#include <memory>
#include <new>
#include <string>
#include <thread>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_A_SANITIZER  // which brings its own allocator
#endif
#endif
#ifndef UNDER_A_SANITIZER
namespace {
bool mailboxes_fail = false;
}
// Mailboxes are the only over-aligned objects that are made without exceptions.
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    const auto align = static_cast<std::size_t>(alignment);
    return mailboxes_fail ? nullptr : std::aligned_alloc(align, (size + align - 1) / align * align);
}
#endif

using namespace leat;
using namespace std::chrono_literals;
using leat::test::both_backends;
using leat::test::call;
using leat::test::options_of;

namespace {

/// Shards of an engine that is not started: this thread steps them.
struct stepped {
    explicit stepped(unsigned shards, io::backend_kind kind = io::backend_kind::automatic)
        : stepped(options_of(shards, kind)) {}
    explicit stepped(const engine_options& options) : owner(options) {
        for (unsigned i = 0; i < owner.shards(); ++i) owner.at(i).open();
    }
    engine owner;
    shard& operator[](unsigned index) { return owner.at(index); }
    void on(unsigned index, std::function<void()> function) {
        call item{std::move(function)};
        owner.at(index).schedule(item);
        owner.at(index).turn();
    }
};

/// Numbered messages that note their number where they arrive.
struct letters {
    explicit letters(int count) {
        for (int i = 0; i < count; ++i) {
            items.emplace_back([this, i] {
                in_order = in_order && i == arrived;
                ++arrived;
            });
        }
    }
    call& operator[](int i) { return items[static_cast<std::size_t>(i)]; }
    std::deque<call> items;
    int arrived = 0;
    bool in_order = true;
};

}  // namespace

// What was ready runs, what that has woken does not.
BOOST_DATA_TEST_CASE(what_is_to_be_submitted_soon_goes_before_what_is_woken, both_backends, kind) {
    for (const bool soon : {false, true}) {
        stepped all{1, kind};
        std::string order;
        call woken{[&] { order += 'w'; }};
        call first{[&] {
            order += '1';
            if (soon) all[0].submit_soon();
            all[0].schedule(woken);
        }};
        call second{[&] { order += '2'; }};
        all[0].schedule(first);
        all[0].schedule(second);
        BOOST_TEST(all[0].turn());
        BOOST_TEST(order == (soon ? "12" : "12w"));
        if (soon) all[0].park();  // there is something to do
        BOOST_TEST(all[0].turn() == soon);
        BOOST_TEST(order == "12w");
    }
}

BOOST_DATA_TEST_CASE(a_turn_runs_what_is_ready_in_order_and_never_waits, both_backends, kind) {
    stepped all{1, kind};
    BOOST_TEST(!all[0].turn());
    letters post{3};
    for (int i = 0; i < 2; ++i) all[0].schedule(post[i]);
    all[0].send(0, post[2]);
    BOOST_TEST(post.arrived == 0);
    BOOST_TEST(all[0].turn());
    BOOST_TEST(post.arrived == 3);
    BOOST_TEST(post.in_order);
    BOOST_TEST(!all[0].turn());
    BOOST_TEST(all[0].statistics().parks == 0u);
}

BOOST_AUTO_TEST_CASE(the_current_shard_is_the_one_whose_turn_it_is) {
    stepped all{2};
    BOOST_TEST(shard::current() == nullptr);
    shard* inside = nullptr;
    shard* nested = nullptr;
    shard* after = nullptr;
    all.on(1, [&] {
        inside = shard::current();
        all.on(0, [&] { nested = &this_shard(); });
        after = shard::current();
    });
    BOOST_TEST(inside == &all[1]);
    BOOST_TEST(nested == &all[0]);
    BOOST_TEST(after == &all[1]);
    BOOST_TEST(shard::current() == nullptr);
    BOOST_TEST(all[1].index() == 1u);
    BOOST_TEST(&all[1].engine() == &all.owner);
}

BOOST_AUTO_TEST_CASE(one_turn_takes_no_more_ready_work_than_its_budget) {
    stepped all{1};
    letters post{600};
    for (int i = 0; i < 600; ++i) all[0].schedule(post[i]);
    all[0].turn();
    BOOST_TEST(post.arrived == 256);
    all[0].turn();
    all[0].turn();
    BOOST_TEST(post.arrived == 600);
    BOOST_TEST(post.in_order);
    int runs = 0;
    call endless{[&] {
        ++runs;
        all[0].schedule(endless);
    }};
    all[0].schedule(endless);
    for (int i = 0; i < 3; ++i) all[0].turn();
    BOOST_TEST(runs == 3 * 256);
}

BOOST_AUTO_TEST_CASE(hits_are_budgeted_by_the_turn_and_counted) {
    stepped all{1};
    all[0].turn();
    int spent = 1;
    while (all[0].spend_hit()) ++spent;
    BOOST_TEST(spent == 1024);
    BOOST_TEST(all[0].hits() == 1024u);
    all[0].turn();
    BOOST_TEST(all[0].spend_hit());
    BOOST_TEST(all[0].hits() == 1025u);
}

BOOST_AUTO_TEST_CASE(messages_arrive_in_the_order_of_each_pair) {
    stepped all{3};
    letters from_zero{500};
    letters from_two{500};
    for (int round = 0; round < 100; ++round) {
        for (int i = 0; i < 5; ++i) all[0].send(1, from_zero[round * 5 + i]);
        for (int i = 0; i < 5; ++i) all[2].send(1, from_two[round * 5 + i]);
        all[static_cast<unsigned>(round % 3)].turn();
    }
    for (const unsigned index : {0u, 2u, 1u}) all[index].turn();
    BOOST_TEST(from_zero.arrived == 500);
    BOOST_TEST(from_two.arrived == 500);
    BOOST_TEST(from_zero.in_order);
    BOOST_TEST(from_two.in_order);
    BOOST_TEST(all[0].statistics().messages_sent == 500u);
    BOOST_TEST(all[1].statistics().messages_received == 1000u);
    BOOST_TEST(all[0].statistics().mailbox_overflows == 0u);
}

BOOST_AUTO_TEST_CASE(a_full_mailbox_blocks_nobody_and_keeps_order) {
    stepped all{2};
    constexpr int count = 3000;
    letters post{count};
    for (int i = 0; i < count - 1; ++i) all[0].send(1, post[i]);
    all[0].turn();
    BOOST_TEST(all[0].statistics().mailbox_overflows == count - 1 - 512);
    // It parks only for a moment: there is more to send.
    all[0].park();
    all[1].turn();
    BOOST_TEST(post.arrived == 512);
    all[0].send(1, post[count - 1]);
    int turns = 0;
    for (; post.arrived < count && turns < 100; ++turns) {
        all[0].turn();
        all[1].turn();
    }
    BOOST_TEST(turns == 5);
    BOOST_TEST(post.in_order);
}

#ifndef UNDER_A_SANITIZER
BOOST_AUTO_TEST_CASE(without_memory_for_a_mailbox_messages_arrive_all_the_same) {
    stepped all{2};
    letters post{1000};
    mailboxes_fail = true;
    for (int i = 0; i < 500; ++i) all[0].send(1, post[i]);
    mailboxes_fail = false;
    for (int i = 500; i < 1000; ++i) all[0].send(1, post[i]);
    for (int i = 0; i < 4; ++i) {
        all[0].turn();
        all[1].turn();
    }
    BOOST_TEST(post.arrived == 1000);
    BOOST_TEST(post.in_order);
}
#endif

BOOST_DATA_TEST_CASE(timers_run_when_their_time_has_come_and_end_a_park, both_backends, kind) {
    stepped all{1, kind};
    struct alarm_clock : detail::timer {
        explicit alarm_clock(int& runs_) : detail::timer(&ring), runs(runs_) {}
        static void ring(detail::work& item) noexcept { ++static_cast<alarm_clock&>(item).runs; }
        int& runs;
    };
    int runs = 0;
    int never = 0;
    alarm_clock soon{runs};
    alarm_clock removed{never};
    alarm_clock late{never};
    const io::time_point begin = all[0].now();
    all[0].add_timer(late, begin + 1h);
    all[0].add_timer(removed, begin + 1ms);
    all[0].add_timer(soon, begin + 2ms);
    all[0].remove_timer(removed);
    while (runs == 0) {
        BOOST_TEST_REQUIRE((all[0].turn_time() < soon.deadline || all[0].turn_number() < 3));
        all[0].turn();
        if (runs == 0) all[0].park();
    }
    BOOST_TEST((all[0].turn_time() >= soon.deadline));
    BOOST_TEST(runs == 1);
    BOOST_TEST(never == 0);
    all[0].park(all[0].now());  // the limit ends it
    all[0].remove_timer(late);
    BOOST_TEST((all[0].after(std::chrono::nanoseconds::max()) == io::time_point::max()));
    BOOST_TEST((all[0].after(1h) > all[0].now()));
    BOOST_TEST((all[0].after(-1h) < all[0].now()));
}

BOOST_DATA_TEST_CASE(a_shard_with_something_to_do_does_not_park, both_backends, kind) {
    stepped all{2, kind};
    letters post{3};
    all[0].schedule(post[0]);
    all[0].park();
    all[0].turn();
    all[0].send_from_outside(post[1]);
    all[0].park();
    all[0].turn();
    all[1].send(0, post[2]);
    all[1].turn();
    all[0].park();
    all[0].turn();
    BOOST_TEST(post.arrived == 3);
    BOOST_TEST(all[0].statistics().parks == 0u);
    all.owner.stop();
    all[0].park();
    BOOST_TEST(!all[0].stopping());
    BOOST_TEST(all[0].statistics().parks == 0u);
    all[0].turn();
    BOOST_TEST(all[0].stopping());
    BOOST_TEST(!all[1].stopping());
}

namespace {
void check_wake_ups(io::backend_kind kind) {
    constexpr int rounds = 200;
    std::deque<letters> posts;
    for (int round = 0; round < rounds; ++round) posts.emplace_back(1);
    engine owner{options_of(2, kind)};  // not started: two threads of the test step its shards
    shard& parked = owner.at(0);
    parked.open();
    std::atomic<int> begun{-1};
    std::thread other([&] {
        shard& sending = owner.at(1);
        sending.open();
        for (int round = 0; round < rounds; ++round) {
            while (begun < round) std::this_thread::yield();
            detail::work& letter = posts[static_cast<std::size_t>(round)][0];
            if (round % 2 == 0) {
                parked.send_from_outside(letter);
            } else {
                sending.send(0, letter);
                sending.turn();
            }
        }
    });
    for (int round = 0; round < rounds; ++round) {
        begun = round;
        while (posts[static_cast<std::size_t>(round)].arrived == 0) {
            parked.park();
            parked.turn();
        }
    }
    other.join();
    std::atomic<bool> returned{false};
    std::thread nudging([&] {
        while (!returned) parked.nudge();
    });
    parked.park();
    returned = true;
    nudging.join();
}
}  // namespace

BOOST_DATA_TEST_CASE(a_parked_shard_is_woken_by_messages_and_nudges, both_backends, kind) {
    check_wake_ups(kind);
}

BOOST_AUTO_TEST_CASE(an_extension_works_before_each_submit_and_keeps_the_shard_awake) {
    stepped all{1};
    struct state {
        int turns = 0;
        bool pending = false;
        std::size_t done = 0;
    } counts;
    const shard::extension extra{
        &counts,
        [](void* mine) noexcept {
            ++static_cast<state*>(mine)->turns;
            return static_cast<state*>(mine)->done;
        },
        [](void* mine) noexcept { return static_cast<state*>(mine)->pending; }};
    all[0].attach(extra);
    BOOST_TEST(all[0].cache_state() == &counts);
    BOOST_TEST(!all[0].turn());
    counts.done = 1;
    BOOST_TEST(all[0].turn());  // it is work
    BOOST_TEST(counts.turns == 2);
    counts.done = 0;
    counts.pending = true;
    all[0].park();
    BOOST_TEST(all[0].statistics().parks == 0u);
    counts.pending = false;
    all[0].park(all[0].now());
    BOOST_TEST(all[0].statistics().parks == 1u);
}

BOOST_AUTO_TEST_CASE(holds_count_as_one_root) {
    stepped all{2};
    all[0].hold();
    all[0].hold();
    all[1].hold();
    BOOST_TEST(all.owner.roots() == 2);
    all[0].unhold();
    BOOST_TEST(all.owner.roots() == 2);
    all[0].unhold();
    all[1].unhold();
    BOOST_TEST(all.owner.roots() == 0);
}

BOOST_AUTO_TEST_CASE(long_turns_are_counted_and_reported) {
    std::vector<std::string> said;
    engine_options options = options_of(1);
    options.stall = 0ms;
    options.on_event = [&](const event& one) { said.push_back(one.text); };
    stepped all{options};
    all[0].turn();  // nothing done
    BOOST_TEST(all[0].statistics().stalls == 0u);
    all.on(0, [] { std::this_thread::sleep_for(50ms); });
    BOOST_TEST(all[0].statistics().stalls == 1u);
    BOOST_TEST((all[0].statistics().longest_turn >= 50ms));
    BOOST_TEST_REQUIRE(!said.empty());
    BOOST_TEST(said.back().find("shard 0") != std::string::npos);
    BOOST_TEST(said.back().find("ran longest: a coroutine or handler at ") != std::string::npos);
}

namespace {
task<std::uint64_t> turns_while_asleep() {
    co_await leat::sleep(5ms);
    const std::uint64_t before = this_shard().turn_number();
    const std::uint64_t parks = this_shard().statistics().parks;
    co_await leat::sleep(60ms);
    if (this_shard().statistics().parks == parks) co_return 1000;
    co_return this_shard().turn_number() - before;
}
}  // namespace

BOOST_DATA_TEST_CASE(an_idle_shard_takes_no_turns, both_backends, kind) {
    engine_options options = options_of(2, kind);
    options.spin = 0us;
    engine owner{options};
    BOOST_TEST(owner.spawn_on(1, turns_while_asleep()).get() < 10u);
}
