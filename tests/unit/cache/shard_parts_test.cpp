// The invariants of a shard's parts: each is noticed when it is broken.
#include "shard/shard_parts.hpp"

#include "pattern.hpp"
#include "scripted_source.hpp"
#include "small_engine.hpp"
#include "stepped_shards.hpp"

#include <leat/cache/detail/manager_access.hpp>
#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <string_view>
#include <utility>

BOOST_AUTO_TEST_SUITE(shard_parts_test)

using namespace leat;
using namespace leat::literals;
using leat::test::script;
using leat::test::scripted_source;

namespace {

std::string_view said(const char* fault) {
    return fault == nullptr ? "" : fault;
}

/// Two shards stepped by hand; the second holds a lease of a chunk of the first, and no slice.
struct stepped {
    stepped() {
        source->size = 64 * 64_KiB;
        test::start_both(owner);
        complete(1, get_remote());
    }
    static engine_options options() {
        engine_options made = test::small_engine(2, 512_KiB, 64_KiB);  // four chunks a shard
        made.hosted = true;
        return made;
    }
    template <class T>
    T complete(unsigned shard, task<T> job) {
        spawned<T> running = owner.spawn_on(shard, std::move(job));
        while (owner.roots() != 0) test::turn_both(owner);
        test::turn_both(owner);  // what nobody waits for is read, too
        return running.get();
    }
    task<> get_remote() {
        from = co_await manager.open("any");
        wanted = {from, 0, 100};
        while (manager.owner(wanted) != 0) wanted.offset += 64_KiB;
        (void)co_await manager.get_chunk(wanted);
    }
    detail::shard_cache& cache(unsigned shard) {
        return detail::manager_access::cache(manager)->at(shard);
    }
    detail::chunk& chunk() {
        return static_cast<detail::chunk&>(*cache(0).find(wanted.file.number, index()));
    }
    detail::lease& lease() {
        return static_cast<detail::lease&>(*cache(1).find(wanted.file.number, index()));
    }
    detail::fill_queue& queue() { return detail::manager_access::core(manager).fills[0]; }
    [[nodiscard]] detail::piece_number index() const {
        return detail::piece_number::chunk(wanted.offset / 64_KiB);
    }

    std::shared_ptr<script> source = std::make_shared<script>();
    engine owner{options()};
    chunk_manager manager{owner, scripted_source{source}};
    file from;
    chunk_config wanted;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_is_right_is_not_called_wrong, stepped) {
    BOOST_TEST(said(cache(0).fault()) == "");
    BOOST_TEST(said(cache(1).fault()) == "");
}

BOOST_FIXTURE_TEST_CASE(broken_invariants_of_the_chunk_store_are_noticed, stepped) {
    detail::chunk& one = chunk();
    cache(0).table().erase(one);
    BOOST_TEST(said(cache(0).fault()) == "a chunk is not in the table, or a doomed one is");
    cache(0).table().insert(one);

    const detail::piece_number piece = one.piece;
    cache(0).table().erase(one);
    one.piece = detail::piece_number::fragment({0, 0});
    cache(0).table().insert(one);
    BOOST_TEST(said(cache(0).fault()) == "fragments are counted wrongly");
    cache(0).table().erase(one);
    one.piece = piece;
    cache(0).table().insert(one);
    BOOST_TEST(said(cache(0).fault()) == "");

    detail::lease::owner_part& holder = one.holders.front();
    one.holders.clear();
    one.keep = detail::retention::gone_when_idle;
    BOOST_TEST(said(cache(0).fault()) == "a chunk is there that nobody retains and nothing keeps");
    one.keep = detail::retention::normal;
    one.holders.push_front(holder);

    cache(0).parts().chunks.policy().erase(one);
    BOOST_TEST(said(cache(0).fault()) == "a chunk is set aside that nothing will bring back");
    cache(0).parts().chunks.policy().insert(one);

    detail::file_record* const file = std::exchange(one.file, nullptr);
    BOOST_TEST(said(cache(0).fault()) == "a chunk in use has no file or no buffer");
    one.file = file;
    BOOST_TEST(said(cache(0).fault()) == "");
}

BOOST_FIXTURE_TEST_CASE(broken_invariants_of_the_leases_held_are_noticed, stepped) {
    detail::lease& held = lease();
    cache(1).table().erase(held);
    const char* const out_of_table = "a lease is not in the table, or one on its way back is";
    BOOST_TEST(said(cache(1).fault()) == out_of_table);

    const auto presence = std::exchange(held.presence, nullptr);
    const auto ready_length = std::exchange(held.ready_length, 0);
    held.state = detail::lease::home_state::returning;
    held.retired = true;
    BOOST_TEST(said(cache(1).fault()) == "");

    held.state = detail::lease::home_state::unused;
    detail::file_record* const file = std::exchange(held.file, nullptr);
    BOOST_TEST(said(cache(1).fault()) == "leases are counted wrongly");
    held.file = file;
    held.retired = false;
    held.state = detail::lease::home_state::granted;
    held.presence = presence;
    held.ready_length = ready_length;
    cache(1).table().insert(held);
    BOOST_TEST(said(cache(1).fault()) == "");
}

BOOST_FIXTURE_TEST_CASE(entries_that_are_not_taken_out_of_the_budget_are_noticed, stepped) {
    BOOST_TEST(said(cache(0).fault()) == "");
    detail::shard_memory& memory = cache(0).parts().memory;
    constexpr std::uint64_t counted = 8;
    memory.give_back(counted);
    BOOST_TEST(said(cache(0).fault()) == "memory for entries is not taken out of the budget");
    memory.take_anyway(counted);
    BOOST_TEST(said(cache(0).fault()) == "");
}

BOOST_FIXTURE_TEST_CASE(broken_invariants_of_fills_are_noticed, stepped) {
    detail::chunk& one = chunk();
    BOOST_TEST(cache(0).parts().chunks.fill_count() == 0u);
    detail::fill_state fill{one};
    one.fill = &fill;
    BOOST_TEST(said(cache(0).fault()) == "a chunk has a fill of which nothing is under way");
    fill.in_hand = true;
    BOOST_TEST(said(cache(0).fault()) == "a chunk has a fill of which nothing is under way");
    fill.in_hand = false;
    fill.distrusted = 1;
    BOOST_TEST(said(cache(0).fault()) == "a fill is of no chunk");
    one.fill = nullptr;
    BOOST_TEST(said(cache(0).fault()) == "");
    // The same as one that counts.
    BOOST_REQUIRE(cache(0).parts().chunks.reserve_fill());
    BOOST_REQUIRE(cache(0).parts().chunks.start_fill(one));
    one.fill->rank = detail::fill_rank::rest;
    BOOST_TEST(said(cache(0).fault()) == "a chunk has a rank but is in no fill queue");
    one.fill->rank = detail::fill_rank::none;
    one.fill->reads = 1;
    BOOST_TEST(said(cache(0).fault()) ==
               "a chunk has more reads in flight than its fill queue counts");
    detail::read_turns& turns = queue().line.turns;
    const detail::aged_reads::begun age = turns.begin(detail::read_turn::alone, 64_KiB);
    BOOST_TEST(said(cache(0).fault()) == "");
    turns.end(age, true);
    // As one that hangs does.
    detail::aged_reads& pieces = queue().line.pieces;
    const detail::aged_reads::begun piece = pieces.begin({.all = 1});
    while (pieces.counted().all != 0) queue().line.grow_older(1_GiB);
    BOOST_TEST(said(cache(0).fault()) == "");
    pieces.end(piece, true);
    one.fill->reads = 0;
    cache(0).parts().chunks.end_fill(one);

    // The rest of a chunk waits while four small demands are in flight; not that of one in which
    // somebody goes on.
    turns.set_bounds({.at_once = 16, .walk_part = 2});
    turns.fit(1_GiB);
    std::array<detail::aged_reads::begun, 4> small;
    for (auto& each : small) each = turns.begin(detail::read_turn::alone, 64_KiB, 1, true);
    std::uint64_t offset = wanted.offset + 128_KiB;
    while (manager.owner({from, offset, 100}) != 0) offset += 64_KiB;
    auto get_local = [](const chunk_manager& of, chunk_config config) -> task<> {
        (void)co_await of.get_chunk(config);
    };
    complete(0, get_local(manager, {from, offset, 100}));
    auto& resting = queue().of(detail::fill_rank::rest);
    BOOST_REQUIRE(!resting.empty());
    BOOST_TEST(cache(0).parts().chunks.fill_count() == 1u);
    detail::fill_state& rest = resting.front();
    rest.rank = detail::fill_rank::ahead;
    BOOST_TEST(said(cache(0).fault()) == "a chunk is in a fill queue of another rank than its own");
    rest.rank = detail::fill_rank::rest;
    resting.pop_front();
    BOOST_TEST(said(cache(0).fault()) == "a fill queue without chunks is listed");
    resting.push_front(rest);
    rest.reads = small.size();
    BOOST_TEST(said(cache(0).fault()) == "");
    --rest.reads;
    BOOST_TEST(said(cache(0).fault()) ==
               "a fill queue counts more reads in flight than its chunks have");
    rest.reads = 0;
    for (const auto& each : small) turns.end(each, true);
}

BOOST_FIXTURE_TEST_CASE(broken_invariants_of_requests_in_line_are_noticed, stepped) {
    auto pin_all = [](stepped& with) -> task<std::vector<slice>> {
        std::vector<slice> pins;
        for (std::uint64_t at = 0; pins.size() < 4; at += 64_KiB) {
            const chunk_config config{with.from, at, 100};
            if (with.manager.owner(config) == 0)
                pins.push_back(co_await with.manager.get_chunk(config));
        }
        co_return pins;
    };
    const std::vector<slice> pins = complete(0, pin_all(*this));
    struct waiting : detail::chunk_request {
        bool ended = false;
    } waiter;
    waiter.done = [](detail::chunk_request& self) noexcept {
        static_cast<waiting&>(self).ended = true;
    };
    waiter.size = 100;
    std::uint64_t offset = 63 * 64_KiB;
    while (manager.owner({from, offset, 100}) != 0) offset -= 64_KiB;
    auto ask = [](stepped& with, waiting& of, std::uint64_t at) -> task<bool> {
        co_return detail::shard_cache::current().request(
            of, with.wanted.file.number, at, detail::manager_access::core(with.manager));
    };
    BOOST_REQUIRE(complete(0, ask(*this, waiter, offset)));
    BOOST_REQUIRE(!waiter.ended);
    BOOST_TEST(said(cache(0).fault()) == "");

    waiter.waits = detail::chunk_request::place::units;
    BOOST_TEST(said(cache(0).fault()) == "a request waits for a buffer and does not know it");
    waiter.waits = detail::chunk_request::place::buffer;
    waiter.owner = &cache(1);
    BOOST_TEST(said(cache(0).fault()) == "a request waits for a buffer of another shard");
    waiter.owner = &cache(0);
    detail::chunk read{1_MiB};
    detail::fill_state over{read};
    waiter.behind = &over;
    BOOST_TEST(said(cache(0).fault()) == "a request waits for a read that is over");
    waiter.behind = nullptr;
    waiter.patience = detail::patience::brief;
    BOOST_TEST(said(cache(0).fault()) == "requests that wait briefly are counted wrongly");
    waiter.patience = detail::patience::deadline;
    BOOST_TEST((waiter.limit == detail::chunk_request::time_limit::runs));
    waiter.limit = detail::chunk_request::time_limit::over;
    BOOST_TEST(said(cache(0).fault()) == "requests past their deadlines are counted wrongly");
    waiter.limit = detail::chunk_request::time_limit::runs;

    auto cancel = [](detail::chunk_request& of) -> task<> {
        detail::shard_cache::current().cancel(of);
        co_return;
    };
    complete(0, cancel(waiter));
    BOOST_TEST(waiter.ended);

    waiter.ended = false;
    waiter.cancelled = false;
    detail::read_turns& turns = queue().line.turns;
    detail::aged_reads::begun age;
    while (!turns.full()) age = turns.begin(detail::read_turn::alone, 64_KiB);
    // One has them all.
    detail::chunk& read_from = chunk();
    BOOST_REQUIRE(cache(0).parts().chunks.reserve_fill());
    BOOST_REQUIRE(cache(0).parts().chunks.start_fill(read_from));
    read_from.fill->reads = turns.in_flight();
    BOOST_REQUIRE(complete(0, ask(*this, waiter, offset)));
    BOOST_TEST(said(cache(0).fault()) == "");
    turns.end(age, true);
    --read_from.fill->reads;
    BOOST_TEST(said(cache(0).fault()) == "a request waits for a turn that it could have");
    static_cast<void>(turns.begin(detail::read_turn::alone, 64_KiB));
    ++read_from.fill->reads;
    const std::uint64_t index = std::exchange(waiter.index, wanted.offset / 64_KiB);
    BOOST_TEST(said(cache(0).fault()) == "a request waits for a turn though its bytes are there");
    waiter.index = index;
    complete(0, cancel(waiter));
    BOOST_TEST(waiter.ended);
    while (turns.in_flight() != 0) turns.end(age, true);
    read_from.fill->reads = 0;
    cache(0).parts().chunks.end_fill(read_from);
}

BOOST_AUTO_TEST_SUITE_END()
