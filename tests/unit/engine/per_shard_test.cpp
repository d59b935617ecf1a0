// One object a shard, made and destroyed there.
#include "engine_support.hpp"
#include "misuse.hpp"

#include <leat/engine/per_shard.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>

BOOST_AUTO_TEST_SUITE(per_shard_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_thrown_by;
using leat::test::dies_saying;
using leat::test::options_of;

namespace {

/// Where objects were made and destroyed; -1 is no shard.
struct record {
    std::array<std::atomic<int>, 4> made{};
    std::array<std::atomic<int>, 4> destroyed{};
    std::atomic<int> elsewhere{0};
};

class local_record {
public:
    explicit local_record(record* of, int fails_on = -1) : of_(of), home_(here()) {
        if (home_ == fails_on) throw std::logic_error("not here");
        ++of_->made.at(static_cast<std::size_t>(home_));
    }
    local_record(const local_record&) = delete;
    local_record& operator=(const local_record&) = delete;
    ~local_record() {
        ++of_->destroyed.at(static_cast<std::size_t>(home_));
        if (here() != home_) ++of_->elsewhere;
    }
    [[nodiscard]] int home() const { return home_; }
    int count = 0;

private:
    static int here() {
        return shard::current() != nullptr ? static_cast<int>(shard::current()->index()) : -1;
    }
    record* of_;
    int home_;
};

task<> count_up(per_shard<local_record>& all, int times, std::atomic<int>& wrong) {
    for (int i = 0; i < times; ++i) {
        local_record& mine = all.local();
        if (mine.home() != static_cast<int>(this_shard().index())) ++wrong;
        ++mine.count;
        co_await leat::yield{};
    }
}

bool each(const std::array<std::atomic<int>, 4>& counts, int shards) {
    bool right = true;
    for (int i = 0; i < shards; ++i) right = right && counts.at(static_cast<std::size_t>(i)) == 1;
    return right;
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_is_made_used_and_destroyed_on_each_shard) {
    record seen;
    std::atomic<int> wrong{0};
    std::atomic<int> sum{0};
    engine owner{options_of(3)};
    {
        per_shard<local_record> all{owner, &seen};
        BOOST_TEST(each(seen.made, 3));
        auto count = [&](unsigned) -> task<> { co_await count_up(all, 100, wrong); };
        auto add = [&](unsigned) -> task<> {
            sum += all.local().count;
            co_return;
        };
        auto everywhere = [&]() -> task<> {
            co_await owner.run_on_each(count);
            co_await owner.run_on_each(add);
        };
        owner.run(everywhere());
    }
    BOOST_TEST(sum == 300);
    BOOST_TEST(wrong == 0);
    BOOST_TEST(each(seen.destroyed, 3));
    BOOST_TEST(seen.elsewhere == 0);
}

BOOST_AUTO_TEST_CASE(an_engine_that_ends_first_destroys_them_on_their_shards) {
    record seen;
    std::optional<per_shard<local_record>> all;
    {
        engine owner{options_of(2)};
        all.emplace(owner, &seen);
        owner.stop();
        owner.join();
        BOOST_TEST(each(seen.destroyed, 2));
    }
    all.reset();
    BOOST_TEST(each(seen.destroyed, 2));
    BOOST_TEST(seen.elsewhere == 0);
}

BOOST_AUTO_TEST_CASE(the_ends_of_both_may_meet) {
    for (int i = 0; i < 50; ++i) {
        record seen;
        engine owner{options_of(2)};
        {
            per_shard<local_record> all{owner, &seen};
            owner.stop();
        }
        BOOST_TEST(each(seen.destroyed, 2));
        BOOST_TEST(seen.elsewhere == 0);
    }
}

BOOST_AUTO_TEST_CASE(what_a_constructor_throws_undoes_the_others) {
    record seen;
    engine owner{options_of(3)};
    BOOST_CHECK_THROW((per_shard<local_record>{owner, &seen, 2}), std::logic_error);
    BOOST_TEST(each(seen.made, 2));
    BOOST_TEST(each(seen.destroyed, 2));
    BOOST_TEST(seen.made[2] == 0);
    owner.stop();
    BOOST_TEST(code_thrown_by([&] { per_shard<local_record> late{owner, &seen}; }) ==
               errc::stopped);
}

BOOST_AUTO_TEST_CASE(a_shard_that_is_given_up_keeps_its_own) {
    static record seen;  // for ever, too
    {
        engine_options options = options_of(1);
        options.stop_timeout = 10ms;
        engine owner{std::move(options)};
        per_shard<local_record> all{owner, &seen};
        auto stubborn = []() -> task<> {
            std::stop_token none;
            task<> inner = test::nap(1h);
            inner.set_stop(none);
            co_await std::move(inner);
        };
        auto running = owner.spawn_on(0, stubborn());
        while (owner.waiting(1, 10s).empty()) {
        }
        owner.stop();
        BOOST_TEST((owner.join().code == errc::timed_out));
    }
    BOOST_TEST(seen.destroyed[0] == 0);
}

BOOST_AUTO_TEST_CASE(mistakes_end_the_program_with_a_sentence) {
    BOOST_TEST(dies_saying("per_shard::local() was called outside the shards of its engine", [] {
        record seen;
        engine owner{options_of(1)};
        per_shard<local_record> all{owner, &seen};
        static_cast<void>(all.local());
    }));
    BOOST_TEST(dies_saying("per_shard::local() was called outside the shards of its engine", [] {
        record seen;
        engine owner{options_of(1)};
        engine other{options_of(1)};
        per_shard<local_record> all{owner, &seen};
        auto job = [&]() -> task<> {
            static_cast<void>(all.local());
            co_return;
        };
        other.run(job());
    }));
    BOOST_TEST(dies_saying("per_shard was made or destroyed on a shard", [] {
        record seen;
        engine owner{options_of(1)};
        auto job = [&]() -> task<> {
            per_shard<local_record> all{owner, &seen};
            co_return;
        };
        owner.run(job());
    }));
}

BOOST_AUTO_TEST_SUITE_END()
