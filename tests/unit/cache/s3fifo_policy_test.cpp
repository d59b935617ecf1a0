// A short queue and a long one.
#include "policy_support.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(s3fifo_policy_test)

using namespace leat;

namespace {
constexpr std::uint64_t ten = 10 * test::letters::piece;
}

// Room for ten: one in the short queue, nine remembered.
BOOST_AUTO_TEST_CASE(two_uses_in_the_short_queue_lead_to_the_long_one) {
    test::letters all{detail::make_s3fifo_policy(ten), 10};
    BOOST_TEST(all.use("abcdefghij") == "");
    BOOST_TEST(all.use("aab") == "");
    // a goes over, b, used once, goes; then those that came after.
    BOOST_TEST(all.use("klm") == "bcd");
    BOOST_TEST(all.at('a').there);
    // b is remembered, and comes to the long queue.
    BOOST_TEST(all.use("b") == "e");
    // As soon as the short one has less than its share the long one gives: a first, which was not
    // used there.
    BOOST_TEST(all.drain() == "fghijklmab");
}

BOOST_AUTO_TEST_CASE(each_use_saves_from_one_eviction_from_the_long_queue_at_most_three) {
    test::letters all{detail::make_s3fifo_policy(ten), 10};
    BOOST_TEST(all.use("abcdefghij") == "");
    BOOST_TEST(all.use("klmnopqrst") == "abcdefghij");
    // Three of those remembered come back, to the long queue.
    BOOST_TEST(all.use("jih") == "klm");
    BOOST_TEST(all.use("jjjjjjjih") == "");
    BOOST_TEST(static_cast<int>(all.at('j').reuses) == 3);
    // In the long queue j goes round three times, i and h once.
    BOOST_TEST(all.drain() == "nopqrstihj");
}

// S3-FIFO/E.

BOOST_AUTO_TEST_CASE(one_visit_leads_to_the_long_queue_and_other_uses_save_for_a_round) {
    test::letters all{detail::make_s3fifo_e_policy(ten), 10};
    // Until the memory is full there is room in the long queue: a in the short one, b to j not.
    BOOST_TEST(all.use("abcdefghij") == "");
    BOOST_TEST(static_cast<int>(all.at('a').queue) == 0);
    BOOST_TEST(static_cast<int>(all.at('b').queue) == 1);
    BOOST_TEST(all.use("k") == "a");
    // A visit.
    BOOST_TEST(all.use("k") == "");
    // k goes over, and b, the oldest there, goes in place of it.
    BOOST_TEST(all.use("l") == "b");
    BOOST_TEST(static_cast<int>(all.at('k').queue) == 1);
    // A use that is no visit: l stays in the short queue, and c goes.
    all.at('l').last_use = ++all.now;
    BOOST_TEST(all.use("m") == "c");
    BOOST_TEST(static_cast<int>(all.at('l').queue) == 0);
    // Nobody uses it any more.
    BOOST_TEST(all.use("no") == "lm");
}

BOOST_AUTO_TEST_CASE(what_leaves_the_short_queue_too_early_makes_it_longer) {
    test::letters all{detail::make_s3fifo_e_policy(ten), 10};
    BOOST_TEST(all.use("abcdefghij") == "");
    BOOST_TEST(all.use("klm") == "akl");
    // a comes again: the short queue should now have three. It has one: the long one gives.
    BOOST_TEST(all.use("a") == "b");
    BOOST_TEST(all.use("no") == "cd");
    BOOST_TEST(all.use("p") == "m");
    // b comes again, which the long queue has given: the short one should have fewer.
    BOOST_TEST(all.use("b") == "n");
    BOOST_TEST(all.use("q") == "o");
}

namespace {

/// So many letters, from `first` on.
std::string letters_from(char first, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += static_cast<char>(first + i);
    return all;
}

}  // namespace

// As where a file that is much longer than the memory is read again and again.
BOOST_AUTO_TEST_CASE(a_part_of_a_long_loop_stays_whatever_was_before) {
    test::letters all{detail::make_s3fifo_e_policy(ten), 10};
    const std::string loop = letters_from(61, 60);
    // Each comes twice, a little later, and never again: the short queue becomes long.
    for (char one = 1; one <= 60; ++one) {
        all.use(letters_from(one, 1));
        if (one > 3) all.use(letters_from(static_cast<char>(one - 3), 1));
    }
    for (int lap = 0; lap < 12; ++lap) all.use(loop);
    // It is short again, and the long one has what the loop brings, and two of those before.
    for (int lap = 0; lap < 3; ++lap) BOOST_TEST(all.use(loop).size() <= loop.size() - 7);
}

BOOST_AUTO_TEST_CASE(what_is_used_stays_while_a_long_loop_passes_and_what_is_not_goes) {
    test::letters all{detail::make_s3fifo_e_policy(ten), 10};
    const std::string hot = letters_from(1, 6);
    const std::string loop = letters_from(61, 60);
    all.use(hot + letters_from(7, 4));
    for (int lap = 0; lap < 20; ++lap) {
        const std::size_t gone = all.use(loop).size();
        // The long queue has three that nobody uses, behind those that are.
        if (lap >= 14) BOOST_TEST(gone <= loop.size() - 3);
        // Nobody but the loop comes for a while: nearly as long as it takes.
        if (lap % 3 == 2) BOOST_TEST(all.use(hot).size() <= 1u);
    }
}

BOOST_AUTO_TEST_CASE(a_search_meets_all_while_a_long_loop_passes) {
    test::letters all{detail::make_s3fifo_e_policy(ten), 10};
    all.use(letters_from(1, 10) + letters_from(61, 24));
    // Three of the long queue have been looked at since there was something to do about it, and are
    // behind the others. That of the short one, and the next, cannot go.
    BOOST_TEST(static_cast<int>(all.at(84).queue) == 0);
    all.at(84).said = all.at(5).said = detail::verdict::pass;
    BOOST_TEST(all.evict() == 6);
}

BOOST_AUTO_TEST_CASE(a_chunk_that_was_set_aside_comes_back_to_its_own_queue) {
    test::letters all{detail::make_s3fifo_e_policy(ten), 10};
    BOOST_TEST(all.use("abcdefghij") == "");
    all.at('a').said = all.at('b').said = detail::verdict::set_aside;
    BOOST_TEST(all.evict() == 'c');
    all.at('a').said = all.at('b').said = detail::verdict::evict;
    all.policy->put_back(all.at('b'));
    all.policy->put_back(all.at('a'));
    BOOST_TEST(static_cast<int>(all.at('a').queue) == 0);
    BOOST_TEST(all.drain() == "adefghijb");
}

// As what is read ahead of a stream is outside of the policy until it has been used.
BOOST_AUTO_TEST_CASE(what_comes_back_finds_the_room_that_there_was_when_it_came) {
    test::letters all{detail::make_s3fifo_e_policy(ten), 10};
    for (const char one : std::string{"abcdefghij"}) {
        BOOST_TEST(all.use(std::string(1, one)) == "");
        all.policy->erase(all.at(one));
    }
    for (const char one : std::string{"abcdefghij"}) {
        BOOST_TEST(static_cast<int>(all.at(one).queue) == 0);
        all.policy->put_back(all.at(one));
        BOOST_TEST(static_cast<int>(all.at(one).queue) == (one == 'a' ? 0 : 1));
    }
    // Once the long queue has been full, the short one gives what comes after.
    BOOST_TEST(all.use("klm") == "akl");
    all.policy->erase(all.at('m'));
    all.policy->put_back(all.at('m'));
    BOOST_TEST(static_cast<int>(all.at('m').queue) == 0);
}

BOOST_AUTO_TEST_CASE(a_search_for_many_meets_once_what_it_passes) {
    for (const bool by_visits : {false, true}) {
        test::letters all{
            by_visits ? detail::make_s3fifo_e_policy(ten) : detail::make_s3fifo_policy(ten), 10};
        BOOST_TEST(all.use("abcdefghij") == "");
        for (const char one : {'a', 'b', 'c', 'e'}) all.at(one).said = detail::verdict::pass;
        all.asked = 0;
        const std::string gone = all.evict_many(4);
        BOOST_TEST(gone == "dfgh");
        BOOST_TEST(all.asked == 8u);
        BOOST_TEST(all.evict_many(4) == "ij");
        BOOST_TEST(all.evict_many(1) == "");
        all.at('b').said = detail::verdict::stop;
        all.at('a').said = detail::verdict::evict;
        BOOST_TEST(all.evict_many(2) == "a");
    }
}

BOOST_AUTO_TEST_CASE(searches_of_one_kind_skip_what_is_of_another_but_for_each_seventeenth) {
    constexpr unsigned room = 120;
    test::letters all{detail::make_s3fifo_e_policy(room * test::letters::piece), room};
    std::string text;
    for (char one = 1; one <= static_cast<char>(room); ++one) text += one;
    BOOST_TEST(all.use(text) == "");
    for (char one = 1; one <= 70; ++one) all.at(one).said = detail::verdict::other;
    const auto asked = [&](std::uint64_t kind) {
        all.asked = 0;
        BOOST_TEST(all.evict_many(1, kind).size() == 1u);
        return all.asked;
    };
    BOOST_TEST(asked(7) == 71u);  // so it is worth skipping
    BOOST_TEST(asked(7) == 71u);
    for (int i = 0; i < 16; ++i) {
        BOOST_TEST(asked(7) == 1u);
        if (i == 8) BOOST_TEST(asked(8) == 71u);
    }
    BOOST_TEST(asked(7) == 71u);
    // What comes later is met.
    BOOST_TEST(all.evict_many(100, 7).size() == 30u);
    BOOST_TEST(all.evict_many(1, 7) == "");
    BOOST_TEST(all.use("\x7e\x7f") == "");
    BOOST_TEST(all.evict_many(3, 7) == "\x7e\x7f");
    // And nothing is skipped for ever.
    for (char one = 1; one <= 70; ++one) all.at(one).said = detail::verdict::evict;
    BOOST_TEST(all.evict_many(100, 7).size() == 70u);
}

BOOST_AUTO_TEST_SUITE_END()
