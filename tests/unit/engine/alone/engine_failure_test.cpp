// How an engine ends when something does not: tasks, coroutines, backends, the start itself.
#include "engine_support.hpp"

#include <leat/engine/sleep.hpp>

#include <boost/test/unit_test.hpp>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_thrown_by;
using leat::test::options_of;

namespace {

task<> nothing() {
    co_return;
}

/// Never resumes whoever awaits it.
struct never {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) const noexcept {
        kept.push_back(caller);
        ++waiting;
    }
    void await_resume() const noexcept {}
    // Leak checkers find the frames here.
    inline static std::vector<std::coroutine_handle<>>& kept =
        *new std::vector<std::coroutine_handle<>>;
    inline static std::atomic<int> waiting{0};
};

task<> stuck() {
    co_await never{};
}

void spin_until(const std::atomic<bool>& flag) {
    while (!flag) std::this_thread::yield();
}

/// Changes a limit of this process as long as it lives.
class limited {
public:
    limited(__rlimit_resource_t what, rlim_t value) : what_(what) {
        ::getrlimit(what_, &before_);
        rlimit lower = before_;
        lower.rlim_cur = value;
        ::setrlimit(what_, &lower);
    }
    limited(const limited&) = delete;
    limited& operator=(const limited&) = delete;
    ~limited() { ::setrlimit(what_, &before_); }

private:
    __rlimit_resource_t what_;
    rlimit before_{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_task_that_never_ends_is_given_up_at_the_deadline_and_named) {
    std::vector<std::string> said;
    engine_options options = options_of(2);
    options.stop_timeout = 20ms;
    options.on_event = [&](const event& one) { said.push_back(one.text); };
    {
        engine owner{options};
        owner.start();
        never::waiting = 0;
        std::thread stopper([&] {
            while (never::waiting == 0) std::this_thread::yield();
            owner.stop();
        });
        // The thread that waits for it gets an error rather than wait for ever.
        BOOST_TEST(code_thrown_by([&] { owner.run(stuck()); }) == errc::stopped);
        stopper.join();
        const stop_report report = owner.join();
        BOOST_TEST(report.code == errc::timed_out);
        BOOST_TEST(report.owed == "1 tasks have not ended");
    }
    BOOST_TEST_REQUIRE(said.size() == 1u);
    BOOST_TEST(said[0].find("1 tasks") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stop_timeout_without_limit_waits_for_the_task) {
    std::atomic<bool> release{false};
    engine_options options = options_of(1);
    options.stop_timeout = std::chrono::seconds::max();
    auto stubborn = [&]() -> task<> {
        while (!release) co_await leat::yield{};
    };
    engine owner{options};
    const auto running = owner.spawn_on(0, stubborn());
    owner.stop();
    BOOST_TEST((owner.stop_deadline() == io::time_point::max()));
    std::thread releaser([&] { release = true; });
    BOOST_TEST(!owner.join().code);
    releaser.join();
}

BOOST_AUTO_TEST_CASE(a_coroutine_that_does_not_return_is_reported_and_then_waited_for) {
    std::atomic<bool> release{false};
    std::atomic<bool> blocked{false};
    std::atomic<bool> finished{false};
    engine_options options = options_of(2);
    options.stop_timeout = 0ms;
    auto block = [&]() -> task<> {
        blocked = true;
        spin_until(release);
        finished = true;
        co_return;
    };
    std::thread releaser;
    {
        engine owner{options};
        owner.spawn_on(1, block());
        spin_until(blocked);
        owner.stop();
        const stop_report report = owner.join();
        BOOST_TEST(report.code == errc::timed_out);
        BOOST_TEST(report.owed.find("has not returned") != std::string::npos);
        BOOST_TEST(!finished);
        releaser = std::thread([&] {
            std::this_thread::sleep_for(10ms);
            release = true;
        });
    }
    BOOST_TEST(finished);
    releaser.join();
}

BOOST_AUTO_TEST_CASE(a_backend_that_fails_for_good_ends_the_engine) {
    std::mutex mutex;
    std::string said;
    engine_options options = options_of(1, io::backend_kind::thread);
    options.stop_timeout = 0ms;
    options.spin = 0us;
    options.on_event = [&](const event& one) {
        const std::lock_guard lock{mutex};
        said += one.text + "\n";
    };
    engine owner{options};
    // Without its epoll descriptor the backend cannot wait any more.
    owner.run([]() -> task<> {
        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
            std::error_code failure;
            const std::string target = std::filesystem::read_symlink(entry.path(), failure);
            if (target == "anon_inode:[eventpoll]") {
                ::close(std::atoi(entry.path().filename().c_str()));
            }
        }
        co_return;
    }());
    while (!owner.stopping()) {
        static_cast<void>(code_thrown_by([&] { owner.run(nothing()); }));
    }
    const stop_report report = owner.join();
    BOOST_TEST(report.code == errc::timed_out);
    BOOST_TEST(report.owed.find("epoll") != std::string::npos);
    const std::lock_guard lock{mutex};
    BOOST_TEST(said.find("shard 0 serves no more") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_descriptors_the_start_fails_and_says_so) {
    const test::leftovers before;
    {
        engine owner{options_of(4)};
        {
            const limited few{RLIMIT_NOFILE, static_cast<rlim_t>(before.descriptors + 2)};
            const auto code = code_thrown_by([&] { owner.start(); });
            BOOST_TEST((code == system_error_code(EMFILE) || code == errc::no_backend));
        }
        BOOST_TEST(code_thrown_by([&] { owner.start(); }) == errc::stopped);
        BOOST_TEST(!owner.join().code);
    }
    BOOST_TEST(before.none());
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_A_SANITIZER  // which needs the address space itself
#endif
#endif
#ifndef UNDER_A_SANITIZER
BOOST_AUTO_TEST_CASE(without_memory_for_threads_the_start_fails_and_says_so) {
    const test::leftovers before;
    {
        engine owner{options_of(64, io::backend_kind::uring)};
        {
            // Room for a few stacks, not for all.
            pthread_attr_t usual;
            ::pthread_getattr_default_np(&usual);
            pthread_attr_t large;
            ::pthread_attr_init(&large);
            ::pthread_attr_setstacksize(&large, std::size_t{1} << 30);
            ::pthread_setattr_default_np(&large);
            const limited memory{RLIMIT_AS, rlim_t{5} << 30};
            BOOST_TEST(code_thrown_by([&] { owner.start(); }) == system_error_code(EAGAIN));
            ::pthread_setattr_default_np(&usual);
        }
        BOOST_TEST(code_thrown_by([&] { owner.start(); }) == errc::stopped);
    }
    BOOST_TEST(before.none());
}
#endif
