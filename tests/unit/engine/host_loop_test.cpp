// Shards inside poll loops, right and wrong.
#include "engine_support.hpp"

#include <leat/engine/file_io.hpp>
#include <leat/engine/host_loop.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(host_loop_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::both_backends;
using leat::test::code_of;
using leat::test::code_thrown_by;
using leat::test::nap;
using leat::test::options_of;

namespace {

engine_options hosted_options(unsigned shards, io::backend_kind kind) {
    engine_options options = options_of(shards, kind);
    options.hosted = true;
    return options;
}

/// Waits until one of the loops has something to do; false if nothing came for ten seconds.
bool wait_for(const std::vector<host_loop*>& loops) {
    std::vector<pollfd> waited;
    timespec shortest{10, 0};
    for (const host_loop* const loop : loops) {
        waited.push_back({loop->descriptor(), POLLIN, 0});
        timespec left{};
        const bool earlier = loop->time_left(left) != nullptr &&
                             (left.tv_sec < shortest.tv_sec ||
                              (left.tv_sec == shortest.tv_sec && left.tv_nsec < shortest.tv_nsec));
        if (earlier) shortest = left;
    }
    return ::ppoll(waited.data(), waited.size(), &shortest, nullptr) > 0 || shortest.tv_sec < 10;
}

/// Steps the loops until all have finished; returns how many turns that took, or 0 if they hung.
std::uint64_t step(const std::vector<host_loop*>& loops) {
    std::uint64_t turns = 0;
    for (;;) {
        bool finished = true;
        bool work = false;
        for (host_loop* const loop : loops) {
            if (loop->finished()) continue;
            work = loop->turn() || work;
            finished = loop->finished() && finished;
            ++turns;
        }
        if (finished) return turns;
        if (!work && !wait_for(loops)) return 0;
    }
}

/// Reads a file of this test's own; whether it is what was written.
task<bool> read_back(std::string path) {
    const io::file opened = co_await open_file(std::move(path), AT_FDCWD, false);
    const std::unique_ptr<std::byte, decltype(&std::free)> memory{
        static_cast<std::byte*>(std::aligned_alloc(65536, 65536)), &std::free};
    file_read_wait reading{opened, 0, {memory.get(), 65536}};
    const boost::system::result<std::size_t> got = co_await std::move(reading);
    co_return got && *got == 5000 && test::is_pattern({memory.get(), *got}, 1, 0);
}

task<unsigned> rounds_of_all(unsigned shards, unsigned rounds) {
    unsigned visits = 0;
    for (unsigned i = 0; i < rounds * shards; ++i) {
        co_await resume_on(i % shards);
        ++visits;
    }
    co_return visits;
}

task<> count_up(std::atomic<int>& counter) {
    ++counter;
    co_return;
}

}  // namespace

BOOST_DATA_TEST_CASE(a_poll_loop_runs_tasks_and_never_spins, both_backends, kind) {
    const test::leftovers before;
    const test::temporary_folder folder;
    const std::string path = folder.make("file", 5000);
    {
        engine owner{hosted_options(1, kind)};
        host_loop loop{owner};
        BOOST_TEST(loop.descriptor() >= 0);
        std::atomic<int> counter{0};
        constexpr int rounds = 100;
        bool read = false;
        std::thread foreign([&] {
            for (int i = 0; i < rounds; ++i) {
                owner.spawn_on(0, count_up(counter)).get();
                read = owner.run(read_back(path));
                owner.run(nap(200us));
            }
            owner.stop();
        });
        const std::uint64_t turns = step({&loop});
        foreign.join();
        BOOST_TEST(read);
        BOOST_TEST(counter == rounds);
        // Three tasks a round; each wakes the shard, the read and the nap several times.
        BOOST_TEST(turns > rounds);
        BOOST_TEST(turns < rounds * 100u);
        BOOST_TEST(loop.finished());
        BOOST_TEST(!loop.turn());
        BOOST_TEST((loop.next_deadline() == io::time_point::max()));
        BOOST_TEST(!owner.join().code);
        BOOST_TEST(owner.roots() == 0);
    }
    BOOST_TEST(before.none());
}

namespace {

task<> stop_after(engine& owner, std::string path) {
    static_cast<void>(co_await read_back(std::move(path)));
    owner.stop();
}

}  // namespace

// Nobody wakes the loop once the last task has stopped the engine.
BOOST_DATA_TEST_CASE(a_loop_that_only_looks_before_it_waits_is_left, both_backends, kind) {
    const test::temporary_folder folder;
    engine owner{hosted_options(1, kind)};
    host_loop loop{owner};
    auto stopping = owner.spawn_on(0, stop_after(owner, folder.make("file", 5000)));
    while (!loop.finished()) {
        if (loop.turn()) continue;
        BOOST_REQUIRE(wait_for({&loop}));
    }
    BOOST_TEST(!loop.turn());
    BOOST_TEST(!owner.join().code);
    stopping.get();
}

BOOST_DATA_TEST_CASE(an_idle_loop_takes_no_turns, both_backends, kind) {
    engine owner{hosted_options(1, kind)};
    host_loop loop{owner};
    int turns = 0;
    const auto settle = [&] {
        while (loop.turn()) BOOST_TEST_REQUIRE(++turns < 20);
    };
    settle();
    pollfd waited{loop.descriptor(), POLLIN, 0};
    BOOST_TEST(::poll(&waited, 1, 0) == 0);
    timespec left{};
    BOOST_TEST(loop.time_left(left) == nullptr);
    BOOST_TEST((loop.next_deadline() == io::time_point::max()));

    auto sleeping = owner.spawn_on(0, nap(1h));
    BOOST_TEST(::poll(&waited, 1, 0) == 1);
    settle();
    BOOST_TEST(::poll(&waited, 1, 20) == 0);
    BOOST_TEST(loop.time_left(left) == &left);
    BOOST_TEST(left.tv_sec > 3590);
    BOOST_TEST((loop.next_deadline() > owner.at(0).now() + 59min));

    // As early as there is: only that turn is seen in which it begins.
    auto hurried = owner.spawn_on(0, nap(std::chrono::hours::min()));
    loop.turn();
    BOOST_TEST(loop.time_left(left) == &left);
    BOOST_TEST(left.tv_sec == 0);
    BOOST_TEST(left.tv_nsec == 0);
    settle();
    hurried.get();

    std::thread([&] { owner.stop(); }).join();
    BOOST_TEST(::poll(&waited, 1, 0) == 1);
    settle();
    BOOST_TEST(loop.finished());
    BOOST_TEST(code_thrown_by([&] { sleeping.get(); }) == errc::stopped);
}

BOOST_DATA_TEST_CASE(one_thread_has_several_loops, both_backends, kind) {
    const test::leftovers before;
    {
        engine owner{hosted_options(3, kind)};
        host_loop first{owner, 0};
        host_loop second{owner, 1};
        host_loop third{owner, 2};
        unsigned visits = 0;
        std::thread foreign([&] {
            visits = owner.run(rounds_of_all(3, 300));
            owner.stop();
        });
        const std::uint64_t turns = step({&first, &second, &third});
        foreign.join();
        BOOST_TEST(visits == 900u);
        BOOST_TEST(turns > 0u);
        BOOST_TEST(turns < 900u * 30);
    }
    BOOST_TEST(before.none());
}

BOOST_DATA_TEST_CASE(messages_from_many_threads_wake_it, both_backends, kind) {
    engine owner{hosted_options(1, kind)};
    host_loop loop{owner};
    std::atomic<int> counter{0};
    std::vector<std::thread> others;
    std::atomic<int> ended{0};
    for (int i = 0; i < 4; ++i) {
        others.emplace_back([&] {
            for (int round = 0; round < 1000; ++round) {
                owner.spawn_on(0, count_up(counter));
                if (round % 8 == 0) std::this_thread::yield();
            }
            if (++ended == 4) owner.stop();
        });
    }
    BOOST_TEST(step({&loop}) != 0u);
    for (std::thread& other : others) other.join();
    BOOST_TEST(counter == 4000);
}

BOOST_AUTO_TEST_CASE(a_loop_left_early_is_finished_by_join) {
    const test::leftovers before;
    {
        engine owner{hosted_options(1, io::backend_kind::automatic)};
        auto sleeping = owner.spawn_on(0, nap(1h));
        {
            host_loop loop{owner};
            while (loop.turn()) {
            }
        }
        owner.stop();
        BOOST_TEST(!owner.join().code);
        BOOST_TEST(code_thrown_by([&] { sleeping.get(); }) == errc::stopped);
    }
    BOOST_TEST(before.none());
}

namespace {

/// Serves nothing, and after a few runs not even that.
class broken_backend final : public io::backend {
public:
    void submit(io::operation&) noexcept override {}
    void cancel(io::operation&) noexcept override {}
    std::size_t run(io::time_point) override {
        if (++runs_ > 3) throw std::runtime_error("no more");
        return 0;
    }
    void wake() noexcept override {}
    [[nodiscard]] io::time_point now() const noexcept override { return io::clock::now(); }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return 0; }
    [[nodiscard]] std::string owed() const override { return ""; }
    [[nodiscard]] io::backend_statistics statistics() const override { return {}; }

private:
    int runs_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_backend_that_fails_for_good_ends_the_loop_and_the_engine) {
    engine_options options = hosted_options(1, io::backend_kind::automatic);
    options.make_backend = [](unsigned) { return std::make_unique<broken_backend>(); };
    engine owner{options};
    host_loop loop{owner};
    BOOST_TEST(loop.descriptor() == -1);
    for (int i = 0; i < 3; ++i) BOOST_TEST(!loop.turn());
    BOOST_TEST(!loop.finished());
    BOOST_TEST(loop.turn());
    BOOST_TEST(loop.finished());
    BOOST_TEST(!loop.turn());
    BOOST_TEST(owner.stopping());
    const stop_report report = owner.join();
    BOOST_TEST(report.code == errc::timed_out);
    BOOST_TEST(report.owed == "shard 0: no more");
}

namespace {

/// Bytes of the segment that begins there that have been touched.
std::size_t touched(const io::buffer_arena& arena, std::byte* memory) {
    std::vector<unsigned char> pages(arena.segment_bytes() / 4096);
    if (::mincore(memory, arena.segment_bytes(), pages.data()) != 0) return 0;
    std::size_t count = 0;
    for (const unsigned char page : pages) count += page & 1U;
    return count * 4096;
}

}  // namespace

// Who is to be served in a turn does not wait until all of a segment has been cleared.
BOOST_AUTO_TEST_CASE(a_turn_touches_a_huge_page_of_memory_at_most) {
    engine_options options = hosted_options(1, io::backend_kind::uring);
    options.chunk_size = 10 * MiB;
    options.memory = 40 * MiB;
    engine owner{std::move(options)};
    host_loop loop{owner};
    loop.turn();
    io::buffer_arena& arena = *owner.at(0).arena();
    std::byte* const memory = arena.allocate(4096);
    std::size_t turns = 0;
    for (std::size_t before = 0; arena.unprepared(); ++turns) {
        BOOST_TEST_REQUIRE(turns < 100U);
        BOOST_TEST(loop.turn());
        const std::size_t now = touched(arena, memory);
        BOOST_TEST(now - before <= io::buffer_arena::most_touched_at_once);
        before = now;
    }
    const io::arena_statistics found = arena.statistics();
    BOOST_TEST((found.registered_bytes == found.mapped_bytes || found.registration_failures != 0));
    BOOST_TEST((turns >= 5U || found.hugetlb_segments != 0));
    owner.stop();
    while (!loop.finished()) loop.turn();
    static_cast<void>(owner.join());
}

BOOST_AUTO_TEST_SUITE_END()
