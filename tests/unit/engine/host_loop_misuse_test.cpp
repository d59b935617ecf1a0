// What a host does wrong with its loops, and what it may do.
#include "engine_support.hpp"
#include "misuse.hpp"

#include <leat/engine/host_loop.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <thread>

BOOST_AUTO_TEST_SUITE(host_loop_misuse_test)

using namespace leat;
using leat::test::code_thrown_by;
using leat::test::dies_saying;
using leat::test::options_of;

namespace {

engine_options hosted_options(unsigned shards = 1) {
    engine_options options = options_of(shards);
    options.hosted = true;
    return options;
}

task<> call(std::function<void()> function) {
    function();
    co_return;
}

void rest(host_loop& loop) {
    while (loop.turn()) {
    }
}

/// Runs function() inside a turn of the loop.
void inside(engine& owner, host_loop& loop, std::function<void()> function) {
    owner.spawn_on(0, call(std::move(function)));
    rest(loop);
}

template <class Function>
void elsewhere(Function function) {
    std::thread{function}.join();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_shard_has_one_loop) {
    const char* const sentence = "a shard was opened twice";
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        host_loop first{owner};
        host_loop second{owner};
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        std::optional<host_loop> first{std::in_place, owner};
        first.reset();
        host_loop second{owner};
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        host_loop first{owner};
        elsewhere([&] { host_loop{owner}; });
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        host_loop first{owner};
        owner.at(0).open();
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{options_of(1)};
        owner.start();
        owner.at(0).open();
    }));
}

BOOST_AUTO_TEST_CASE(an_engine_with_threads_of_its_own_has_no_loops) {
    BOOST_TEST(dies_saying("whose shards have threads of their own", [] {
        engine owner{options_of(1)};
        host_loop loop{owner};
    }));
    BOOST_TEST(dies_saying("whose shards have threads of their own", [] {
        engine owner{options_of(1)};
        owner.start();
        host_loop loop{owner};
    }));
}

BOOST_AUTO_TEST_CASE(a_loop_belongs_to_its_thread) {
    const char* const sentence = "stepped by a thread that has not opened it";
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        host_loop loop{owner};
        elsewhere([&] { static_cast<void>(loop.turn()); });
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        host_loop loop{owner};
        elsewhere([&] { static_cast<void>(loop.next_deadline()); });
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        auto loop = std::make_unique<host_loop>(owner);
        elsewhere([&] { loop.reset(); });
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{options_of(1)};
        owner.start();
        owner.at(0).turn();
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        owner.at(0).turn();  // before it was opened
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        owner.start();
        owner.at(0).park();
    }));
}

BOOST_AUTO_TEST_CASE(a_turn_is_not_entered_from_inside_one) {
    const char* const sentence = "from inside its own turn";
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        host_loop loop{owner};
        inside(owner, loop, [&] { static_cast<void>(loop.turn()); });
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options(2)};
        host_loop loop{owner, 0};
        host_loop other{owner, 1};
        owner.spawn_on(1, call([&] { static_cast<void>(loop.turn()); }));
        inside(owner, loop, [&] { static_cast<void>(other.turn()); });
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        host_loop loop{owner};
        inside(owner, loop, [&] { owner.at(0).turn(); });
    }));
    BOOST_TEST(dies_saying(sentence, [] {
        engine owner{hosted_options()};
        std::optional<host_loop> loop{std::in_place, owner};
        inside(owner, *loop, [&] { loop.reset(); });
    }));
}

BOOST_AUTO_TEST_CASE(what_waits_for_the_loop_is_not_called_on_its_thread) {
    BOOST_TEST(dies_saying("on a thread that steps a shard of the engine", [] {
        engine owner{hosted_options()};
        host_loop loop{owner};
        owner.run(call([] {}));
    }));
    BOOST_TEST(dies_saying("engine::join was called on a shard", [] {
        engine owner{hosted_options()};
        host_loop loop{owner};
        inside(owner, loop, [&] {
            owner.stop();
            static_cast<void>(owner.join());
        });
    }));
}

BOOST_AUTO_TEST_CASE(an_engine_outlives_its_loops) {
    BOOST_TEST(dies_saying("destroyed before a host_loop of it", [] {
        auto owner = std::make_unique<engine>(hosted_options());
        host_loop loop{*owner};
        owner.reset();
    }));
    BOOST_TEST(dies_saying("destroyed on a shard of its own", [] {
        auto owner = std::make_unique<engine>(hosted_options());
        host_loop loop{*owner};
        inside(*owner, loop, [&] { owner.reset(); });
    }));
}

BOOST_AUTO_TEST_CASE(a_loop_that_has_finished_may_be_asked_and_destroyed_anywhere_and_later) {
    auto owner = std::make_unique<engine>(hosted_options());
    auto loop = std::make_unique<host_loop>(*owner);
    owner->stop();
    rest(*loop);
    BOOST_TEST(loop->finished());
    BOOST_TEST(!owner->join().code);
    owner.reset();
    bool turned = true;
    bool waits = false;
    elsewhere([&] {
        timespec left{};
        turned = loop->turn();
        waits = loop->time_left(left) == nullptr;
        loop.reset();
    });
    BOOST_TEST(!turned);
    BOOST_TEST(waits);
}

BOOST_AUTO_TEST_CASE(a_loop_whose_shard_join_has_stepped_to_its_end_has_finished) {
    engine owner{hosted_options()};
    host_loop loop{owner};
    rest(loop);
    owner.stop();
    BOOST_TEST(!owner.join().code);
    timespec left{};
    BOOST_TEST(loop.time_left(left) == nullptr);
    BOOST_TEST((loop.next_deadline() == io::time_point::max()));
    BOOST_TEST(loop.turn());  // it has just finished, as the host learns now
    BOOST_TEST(loop.finished());
    BOOST_TEST(!loop.turn());
}

BOOST_AUTO_TEST_CASE(a_stopped_engine_opens_no_loop_and_a_refused_one_may_be_tried_again) {
    engine owner{hosted_options()};
    int tries = 0;
    engine_options options = hosted_options();
    options.make_backend = [&tries](unsigned) -> std::unique_ptr<io::backend> {
        if (++tries == 1) throw std::bad_alloc();
        std::string note;
        return io::make_backend({}, note);
    };
    engine second{options};
    BOOST_CHECK_THROW(host_loop{second}, std::bad_alloc);
    host_loop loop{second};
    rest(loop);
    BOOST_TEST(tries == 2);
    owner.stop();
    BOOST_TEST(code_thrown_by([&] { host_loop{owner}; }) == errc::stopped);
}

BOOST_AUTO_TEST_SUITE_END()
