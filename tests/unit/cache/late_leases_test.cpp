// What becomes of those who want room while another shard, which holds leases, makes no turn.
#include "cache_support.hpp"
#include "fragments.hpp"
#include "small_engine.hpp"
#include "stepped_shards.hpp"
#include "two_shards.hpp"

#include <leat/cache/detail/manager_access.hpp>
#include <leat/cache/detail/shared_cache.hpp>
#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(late_leases_test)

using namespace leat;
using namespace leat::literals;
using leat::test::code_of;
using leat::test::get;
using leat::test::present;
using leat::test::scripted_source;
using leat::test::small_engine;

namespace {

/// Two shards stepped by hand. The second holds leases of some of what the first owns, which has
/// no room for more.
struct two_stepped {
    two_stepped(std::uint64_t memory, std::uint64_t chunk_size, std::uint64_t lowered_to = 0)
        : owner(hosted(memory, chunk_size, lowered_to)),
          manager(owner, scripted_source{source}, {.pin_deadline = time_span::max()}) {
        test::start_both(owner);
        from = complete(0, open(manager));
    }
    static engine_options hosted(std::uint64_t memory,
                                 std::uint64_t chunk_size,
                                 std::uint64_t lowered_to) {
        engine_options made = small_engine(2, memory, chunk_size);
        made.most_memory = lowered_to != 0 ? made.memory : 0;
        made.policy = cache_policy::fifo;
        made.hosted = true;
        return made;
    }
    ~two_stepped() {
        owner.stop();
        while (!owner.at(0).finished() || !owner.at(1).finished()) turn_both();
        static_cast<void>(owner.join());
    }
    static task<file> open(chunk_manager& of) { co_return co_await of.open("any"); }
    void turn_both() { test::turn_both(owner); }
    template <class T>
    T complete(unsigned shard, task<T> job) {
        return test::complete(owner, shard, std::move(job));
    }
    /// The next that the first shard owns.
    [[nodiscard]] chunk_config next(std::uint64_t apart, std::uint64_t size) {
        chunk_config found{from, 0, static_cast<std::uint32_t>(size)};
        do {
            found.offset = std::exchange(next_, next_ + apart);
        } while (manager.owner(found) != 0);
        return found;
    }
    [[nodiscard]] std::uint64_t leases() { return complete(0, manager.statistics()).leases; }
    /// Loads it by a lease that stays: for a fragment that is the second one.
    void load_by_lease(const chunk_config& config) {
        const std::uint64_t before = leases();
        complete(1, get(manager, config));
        if (config.size == manager.chunk_size()) return;
        while (leases() > before) turn_both();
        complete(1, get(manager, config));
    }
    /// `count` pieces, of which one in `leased_of` is leased.
    void load(std::uint64_t count, std::uint64_t leased_of) {
        for (std::uint64_t i = 0; i < count; ++i) {
            const chunk_config wanted = next(128_KiB, 64_KiB);
            if (i % leased_of == 0) {
                load_by_lease(wanted);
            } else {
                complete(0, get(manager, wanted));
            }
        }
    }

    std::shared_ptr<test::script> source = test::fragments::script_with(16_GiB);
    engine owner;
    chunk_manager manager;
    file from;

private:
    std::uint64_t next_ = 0;
};

/// The answers of those who ask at once, while only the first shard makes turns.
struct answers {
    std::uint64_t well = 0;
    std::uint64_t failed = 0;
};
task<> ask(const chunk_manager& manager, chunk_config config, answers& all) {
    const boost::system::error_code code = co_await code_of(manager, config);
    ++(code ? all.failed : all.well);
}

}  // namespace

namespace {

constexpr std::uint64_t apart = 128_KiB;

/// Requests for pieces that are not there, of all sizes, while only the first shard makes turns.
answers ask_for_new(two_stepped& of, std::uint64_t count) {
    answers all;
    std::vector<spawned<void>> asking;
    for (std::uint64_t i = 0; i < count; ++i) {
        const chunk_config wanted = of.next(apart, 4_KiB << i % 5);
        asking.push_back(of.owner.spawn_on(0, ask(of.manager, wanted, all)));
    }
    for (int turns = 0; turns < 2000 && all.well + all.failed != count; ++turns)
        of.owner.at(0).turn();
    const answers found = all;
    while (of.owner.roots() != 0) of.turn_both();
    BOOST_TEST(all.well == count);
    return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_wants_room_does_not_wait_for_a_turn_of_another_shard) {
    two_stepped of{64_MiB, 1_MiB};
    of.load(1200, 16);  // more than there is room for
    BOOST_TEST(ask_for_new(of, 200).well == 200U);
}

BOOST_AUTO_TEST_CASE(nor_does_he_while_the_memory_is_lowered) {
    two_stepped of{128_MiB, 1_MiB, 32_MiB};
    of.load(1200, 16);
    of.owner.set_memory(32_MiB);
    BOOST_TEST(ask_for_new(of, 200).well == 200U);
}

BOOST_AUTO_TEST_CASE(of_few_chunks_none_goes_before_one_that_is_older_and_leased) {
    // Eight chunks a shard, of which the four oldest are leased.
    two_stepped of{1_MiB, 64_KiB};
    std::vector<chunk_config> all;
    for (std::uint64_t i = 0; i < 8; ++i) {
        all.push_back(of.next(64_KiB, 64_KiB));
        if (i < 4) {
            of.load_by_lease(all.back());
        } else {
            of.complete(0, get(of.manager, all.back()));
        }
    }
    BOOST_TEST(ask_for_new(of, 1).well == 0U);
    for (std::uint64_t i = 4; i < 8; ++i)
        BOOST_TEST(of.complete(0, present(of.manager, all[i])), "chunk " << i);
}

namespace {

/// A request that nobody waits for, as a stream makes it.
struct ahead : detail::chunk_request {
    ahead() {
        done = [](detail::chunk_request& over) noexcept {
            auto& self = static_cast<ahead&>(over);
            if (self.pinned != nullptr) const slice let_go{*self.pinned, self.in, self.size};
            self.ended = true;
        };
        size = window = static_cast<std::uint32_t>(64_KiB);
        patience = detail::patience::brief;
        asked_ahead = true;
    }
    bool ended = false;
};

task<bool> begin(const chunk_manager& manager, chunk_config wanted, ahead& one) {
    co_return detail::shard_cache::current().request(one, wanted.file.number, wanted.offset,
                                                     detail::manager_access::core(manager));
}

}  // namespace

// What is read ahead evicts less than what somebody waits for.
BOOST_AUTO_TEST_CASE(who_asks_behind_one_ahead_that_is_sent_away_is_looked_at) {
    two_stepped of{16_MiB, 1_MiB};
    const auto next = [&] { return of.next(1_MiB, 64_KiB); };
    std::vector<slice> pins;
    for (;;) {
        chunk_config wanted = next();
        wanted.hint = hint::no_wait;
        slice got = of.complete(0, test::get_or_none(of.manager, wanted));
        if (!got) break;
        pins.push_back(std::move(got));
    }
    pins.resize(pins.size() - 2);
    of.turn_both();
    // One of the two places is another shard's, as it turns out; in the other is what waits for a
    // reader.
    const chunk_config leased = next();
    of.load_by_lease(leased);
    ahead waits_for_reader;
    BOOST_TEST(of.complete(0, begin(of.manager, next(), waits_for_reader)));
    while (!waits_for_reader.ended) of.turn_both();
    BOOST_TEST(!waits_for_reader.code);
    const slice held = of.complete(1, get(of.manager, leased));
    ahead finds_none;
    BOOST_TEST(of.complete(0, begin(of.manager, next(), finds_none)));
    answers all;
    spawned<void> demand = of.owner.spawn_on(0, ask(of.manager, next(), all));
    for (int turns = 0; turns < 2000 && all.well + all.failed == 0; ++turns) of.turn_both();
    BOOST_TEST(finds_none.ended);
    BOOST_TEST(all.well == 1U);
    pins.clear();
    while (of.owner.roots() != 0) of.turn_both();
    demand.get();
}

BOOST_AUTO_TEST_SUITE_END()
