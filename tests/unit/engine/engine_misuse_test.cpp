// What is asked of an engine where it cannot be had: a sentence and the end, or an error.
#include "engine_support.hpp"
#include "misuse.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/host_loop.hpp>
#include <leat/engine/resume_on.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(engine_misuse_test)

using namespace leat;
using leat::test::code_thrown_by;
using leat::test::dies_saying;
using leat::test::options_of;

namespace {

task<> nothing() {
    co_return;
}

task<> run_here(engine& asked) {
    asked.run(nothing());
    co_return;
}

task<> join_here(engine& asked) {
    asked.stop();
    static_cast<void>(asked.join());
    co_return;
}

task<> spawn_here(engine& asked, unsigned shard) {
    asked.spawn_on(shard, nothing());
    co_return;
}

task<> move_to(unsigned shard) {
    co_await resume_on(shard);
}

}  // namespace

BOOST_AUTO_TEST_CASE(run_blocks_and_is_not_for_shards) {
    BOOST_TEST(dies_saying("engine::run was called on a shard", [] {
        engine owner{options_of(2)};
        owner.run(run_here(owner));
    }));
    BOOST_TEST(dies_saying("engine::run was called on a shard", [] {
        engine owner{options_of(1)};
        engine other{options_of(1)};
        owner.run(run_here(other));
    }));
}

BOOST_AUTO_TEST_CASE(join_blocks_and_is_not_for_shards) {
    BOOST_TEST(dies_saying("engine::join was called on a shard", [] {
        engine owner{options_of(2)};
        owner.run(join_here(owner));
    }));
    BOOST_TEST(dies_saying("engine::join was called on a shard", [] {
        engine owner{options_of(1)};
        engine other{options_of(1)};
        other.start();
        owner.run(join_here(other));
    }));
}

BOOST_AUTO_TEST_CASE(there_are_no_more_shards_than_there_are) {
    engine owner{options_of(2)};
    const auto invalid = [](auto call) { return code_thrown_by(call) == errc::invalid_option; };
    for (const unsigned none : {2u, 3u, 1'000'000u, ~0u}) {
        BOOST_TEST(invalid([&] { static_cast<void>(owner.at(none)); }));
        BOOST_TEST(invalid([&] { owner.spawn_on(none, nothing()); }));
        BOOST_TEST(invalid([&] { owner.run(spawn_here(owner, none)); }));
        BOOST_TEST(invalid([&] { owner.run(move_to(none)); }));
    }
    std::string sentence;
    try {
        owner.spawn_on(2, nothing());
    } catch (const system_error& refused) {
        sentence = refused.what();
    }
    BOOST_TEST(sentence == "there is no shard 2: this engine has 2, numbered from 0");
    owner.run(move_to(1));
    owner.spawn_on(1, nothing()).get();

    engine_options options = options_of(2);
    options.hosted = true;
    engine hosted{options};
    BOOST_TEST(invalid([&] { host_loop{hosted, 2}; }));
}

BOOST_AUTO_TEST_SUITE_END()
