// A stop request and the end of a wait meet, in every interleaving.
#include "engine_support.hpp"

#include <leat/engine/detail/suspension.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/spawned.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

BOOST_AUTO_TEST_SUITE(suspension_test)

using namespace leat;
using leat::test::call;
using leat::test::options_of;

namespace {

/// Ends when a foreign thread says so; counts what happens to it.
class foreign_wait final : public detail::suspension {
public:
    foreign_wait() : ended_([this] { finish(); }) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        suspend(coroutine, &asked);
        listen();
        waiting.store(true, std::memory_order_release);
    }
    void await_resume() noexcept { ++resumed; }

    /// Foreign thread, once `waiting`.
    void end() { home().send_from_outside(ended_); }

    std::atomic<bool> waiting{false};
    int resumed = 0;
    int stops = 0;
    bool stopped_late = false;

private:
    static void asked(detail::suspension& self) noexcept {
        auto& mine = static_cast<foreign_wait&>(self);
        ++mine.stops;
        mine.stopped_late = mine.stopped_late || mine.resumed != 0;
    }
    call ended_;
};

task<> wait_for(foreign_wait& what) {
    co_await what;
}

task<> stoppable(foreign_wait& what, const std::stop_token& token) {
    task<> inner = wait_for(what);
    inner.set_stop(token);
    co_await std::move(inner);
}

void spin_until(const std::atomic<bool>& flag) {
    while (!flag.load(std::memory_order_acquire)) std::this_thread::yield();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_stop_request_races_with_the_end_and_it_resumes_exactly_once) {
    const test::leftovers before;
    int resumed = 0;
    int stops = 0;
    bool late = false;
    constexpr int rounds = 1500;
    {
        engine owner{options_of(2)};
        owner.start();
        for (int i = 0; i < rounds; ++i) {
            foreign_wait waited;
            std::stop_source source;
            const std::stop_token token = source.get_token();
            auto running = owner.spawn_on(static_cast<unsigned>(i % 2), stoppable(waited, token));
            std::thread stopper([&] {
                if (i % 3 == 0) spin_until(waited.waiting);
                source.request_stop();
            });
            spin_until(waited.waiting);
            if (i % 5 == 0) std::this_thread::yield();
            waited.end();
            running.get();
            stopper.join();
            resumed += waited.resumed == 1;
            stops += waited.stops;
            late = late || waited.stops > 1 || waited.stopped_late;
        }
    }
    BOOST_TEST(resumed == rounds);
    BOOST_TEST(stops <= rounds);
    BOOST_TEST(stops > 0);
    BOOST_TEST(!late);
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(without_a_token_or_a_request_only_the_end_resumes) {
    engine owner{options_of(1)};
    foreign_wait waited;
    auto running = owner.spawn_on(0, wait_for(waited));
    spin_until(waited.waiting);
    waited.end();
    running.get();
    BOOST_TEST(waited.resumed == 1);
    BOOST_TEST(waited.stops == 0);
}

BOOST_AUTO_TEST_CASE(a_stop_request_alone_asks_once_and_does_not_resume) {
    engine owner{options_of(1)};
    foreign_wait waited;
    auto running = owner.spawn_on(0, wait_for(waited));
    spin_until(waited.waiting);
    owner.stop();
    // The engine takes no new roots now: look from inside.
    struct watch : detail::work {
        explicit watch(foreign_wait& of_) : detail::work(&look), of(of_) {}
        static void look(detail::work& item) noexcept {
            auto& self = static_cast<watch&>(item);
            if (self.of.stops == 0) {
                shard::current()->schedule(self);
            } else {
                self.seen.store(true, std::memory_order_release);
            }
        }
        foreign_wait& of;
        std::atomic<bool> seen{false};
    } watching{waited};
    owner.send_from_outside(0, watching);
    spin_until(watching.seen);
    BOOST_TEST(waited.resumed == 0);
    waited.end();
    running.get();
    BOOST_TEST(waited.resumed == 1);
    BOOST_TEST(waited.stops == 1);
    BOOST_TEST((waited.stop_reason() == errc::stopped));
}

BOOST_AUTO_TEST_SUITE_END()
