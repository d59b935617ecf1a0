// Engines in a process that forks, and in one that ends where it should not.
#include "engine_support.hpp"
#include "misuse.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/host_loop.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

BOOST_AUTO_TEST_SUITE(process_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::both_backends;
using leat::test::dies_saying;
using leat::test::nap;
using leat::test::options_of;

namespace {

// Waiting for what never ends is ended by the alarm.
constexpr unsigned patience_s = 20;

/// The exit status of a child process that calls function(), or -1 if it ended by a signal. What it
/// writes to standard error is appended to `said`.
template <class Function>
int status_of(Function function, std::string* said = nullptr) {
    int ends[2] = {-1, -1};
    if (said != nullptr && ::pipe(ends) != 0) return -1;
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(patience_s);
        if (said != nullptr) {
            ::dup2(ends[1], STDERR_FILENO);
            ::close(ends[1]);
        }
        function();
        std::_Exit(0);
    }
    if (said != nullptr) {
        ::close(ends[1]);
        char part[512];
        for (ssize_t got = 0; (got = ::read(ends[0], part, sizeof part)) > 0;)
            said->append(part, static_cast<std::size_t>(got));
        ::close(ends[0]);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

engine_options patient(unsigned shards, io::backend_kind kind) {
    engine_options options = options_of(shards, kind);
    options.stop_timeout = 1h;  // longer than the alarm
    return options;
}

task<int> seven() {
    co_return 7;
}

task<> exit_here(int status) {
    std::exit(status);
    co_return;
}

task<int> status_of_a_fork(int status) {
    co_return status_of([status] { std::exit(status); });
}

task<> go_on_in_a_fork(bool awaiting) {
    if (::fork() == 0) {
        ::alarm(patience_s);
        if (awaiting) co_await leat::yield{};
        co_return;  // to the parent's loop
    }
    int status = 0;
    ::wait(&status);
    // Ends as the child did.
    if (WIFSIGNALED(status)) ::kill(::getpid(), WTERMSIG(status));
}

task<> delete_here(std::unique_ptr<engine>& owner) {
    owner.reset();
    co_return;
}

}  // namespace

BOOST_DATA_TEST_CASE(exit_in_a_coroutine_ends_the_process_with_that_status, both_backends, kind) {
    const auto job = [kind](int status) {
        static engine owner{patient(2, kind)};
        owner.spawn_on(1, nap(1h));
        owner.run(exit_here(status));
    };
    std::string said;
    BOOST_TEST(status_of([&] { job(3); }, &said) == 3);
    BOOST_TEST(said.find("leat: an engine was destroyed on a shard of its own") == 0u);
    BOOST_TEST(status_of([&] { job(0); }, &said) == 0);
}

BOOST_DATA_TEST_CASE(an_engine_that_its_own_shard_deletes_ends_the_process, both_backends, kind) {
    BOOST_TEST(dies_saying("destroyed on a shard of its own", [kind] {
        auto owner = std::make_unique<engine>(patient(1, kind));
        owner->run(delete_here(owner));
    }));
}

BOOST_DATA_TEST_CASE(a_forked_child_exits_without_waiting_for_the_parents_shards,
                     both_backends,
                     kind) {
    const int status = status_of([kind] {
        static engine owner{patient(2, kind)};
        owner.spawn_on(1, nap(1h));
        // Somebody waits in the engine, as only the parent sees.
        std::thread{[] { static_cast<void>(owner.join()); }}.detach();
        std::this_thread::sleep_for(20ms);
        if (status_of([] { std::exit(5); }) != 5) std::_Exit(1);
        if (status_of([] { static_cast<void>(owner.join()); }) != 0) std::_Exit(2);
        if (status_of([] { owner.stop(); }) != 0 || owner.stopping()) std::_Exit(3);
        if (owner.run(status_of_a_fork(6)) != 6) std::_Exit(4);
        std::_Exit(owner.run(seven()));
    });
    BOOST_TEST(status == 7);
}

BOOST_DATA_TEST_CASE(an_inherited_engine_is_not_used, both_backends, kind) {
    const std::string sentence = "used in a forked child";
    const auto in_fork = [kind](auto use) {
        return [kind, use] {
            engine owner{patient(1, kind)};
            owner.start();
            if (::fork() == 0) {
                ::alarm(patience_s);
                use(owner);
            }
            int status = 0;
            ::wait(&status);
            if (WIFSIGNALED(status)) ::kill(::getpid(), WTERMSIG(status));
        };
    };
    BOOST_TEST(dies_saying(sentence, in_fork([](engine& owner) { owner.run(seven()); })));
    BOOST_TEST(dies_saying(sentence, in_fork([](engine& owner) { owner.spawn_on(0, seven()); })));
    BOOST_TEST(dies_saying(sentence, in_fork([](engine& owner) { owner.start(); })));
    for (const bool awaiting : {false, true}) {
        BOOST_TEST(dies_saying(sentence, [kind, awaiting] {
            engine owner{patient(1, kind)};
            owner.run(go_on_in_a_fork(awaiting));
        }));
    }
}

BOOST_DATA_TEST_CASE(a_forked_child_may_have_engines_of_its_own, both_backends, kind) {
    const int status = status_of([kind] {
        engine parents{patient(1, kind)};
        engine unused{patient(1, kind)};
        parents.start();
        const int in_child = status_of([&] {
            engine own{patient(1, kind)};
            const int sum = own.run(seven()) + unused.run(seven());
            unused.stop();
            if (unused.join().code) std::_Exit(1);
            // Nor is the child's own the grandchild's.
            if (status_of([&] { own.stop(); }) != 0 || own.stopping()) std::_Exit(2);
            std::_Exit(sum);
        });
        std::_Exit(in_child + parents.run(seven()) + unused.run(seven()));
    });
    BOOST_TEST(status == 28);
}

BOOST_AUTO_TEST_CASE(a_forked_child_lets_go_of_a_host_loop) {
    const int status = status_of([] {
        engine_options options = options_of(1);
        options.hosted = true;
        static engine owner{options};
        static host_loop loop{owner};
        while (loop.turn()) {
        }
        std::_Exit(status_of([] { std::exit(5); }));
    });
    BOOST_TEST(status == 5);
}

BOOST_AUTO_TEST_SUITE_END()
