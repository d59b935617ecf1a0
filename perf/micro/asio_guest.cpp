// The workload "asio-guest": a chunk through each of Asio's completion tokens.
#include "micro/asio_guest.hpp"

#include "common/clocks.hpp"
#include "common/pinned_thread.hpp"
#include "common/sink.hpp"

#include <leat/asio.hpp>
#include <leat/leat.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace leat::perf {

namespace {

namespace asio = boost::asio;

constexpr std::uint32_t page_bytes = 4096;

/// Calls run(count) with growing counts until it takes half of `seconds`; the ns for each.
template <class Run>
double ns_each(double seconds, Run run) {
    for (std::uint64_t count = std::uint64_t{1} << 12;; count *= 2) {
        const auto begin = clock::now();
        run(count);
        const double taken = seconds_between(begin, clock::now());
        if (taken >= seconds / 2) return taken * 1e9 / static_cast<double>(count);
    }
}

/// Trips from a context and back; it stops when the last has returned.
struct trips {
    asio::io_context& home;
    std::uint64_t left = 0;
    std::uint64_t travelling = 0;

    [[nodiscard]] bool begin_one() noexcept {
        if (left == 0) return false;
        --left;
        ++travelling;
        return true;
    }
    void end_one() {
        if (--travelling == 0 && left == 0) home.stop();
    }
};

/// Hits one after another, each asked for when the one before has come.
struct hit_chain {
    trips* counted;
    const chunk_manager* manager;
    chunk_config page;

    using executor_type = asio::io_context::executor_type;
    [[nodiscard]] executor_type get_executor() const noexcept {
        return counted->home.get_executor();
    }
    void begin() {
        if (counted->begin_one()) async_get_chunk(*manager, page, *this);
    }
    void operator()(boost::system::error_code failed, const slice& got) {
        bench::require(!failed, "a page, from an io_context");
        keep(first_word(got.data()));
        begin();
        counted->end_one();
    }
};

/// Posts to another context and back.
struct post_chain {
    trips* counted;
    asio::io_context* away;

    void begin() {
        if (!counted->begin_one()) return;
        asio::post(*away,
                   [self = *this]() mutable { asio::post(self.counted->home, std::move(self)); });
    }
    void operator()() {
        begin();
        counted->end_one();
    }
};

/// ns of a trip, with so many at once, on the calling thread.
template <class Chain>
double trip_ns(double seconds, unsigned at_once, Chain first) {
    trips& counted = *first.counted;
    const auto work = asio::make_work_guard(counted.home);
    return ns_each(seconds, [&](std::uint64_t count) {
        counted.home.restart();
        counted.left = count;
        for (unsigned i = 0; i < at_once; ++i) first.begin();
        counted.home.run();
    });
}

/// An io_context polled without a pause on a thread of its own, as a shard is.
class polled_context {
public:
    explicit polled_context(unsigned cpu) : thread_(cpu), runner_([this] { poll(); }) {}
    polled_context(const polled_context&) = delete;
    polled_context& operator=(const polled_context&) = delete;
    ~polled_context() {
        ending_ = true;
        runner_.join();
    }
    asio::io_context context{1};

private:
    void poll() {
        thread_.run([this] {
            const auto work = asio::make_work_guard(context);
            while (!ending_.load(std::memory_order_relaxed)) context.poll();
        });
    }
    std::atomic<bool> ending_{false};
    pinned_thread thread_;
    std::thread runner_;
};

asio::awaitable<double> hit_ns(const chunk_manager& manager, chunk_config page, double seconds) {
    std::uint64_t count = std::uint64_t{1} << 12;
    for (;; count *= 2) {
        const auto begin = clock::now();
        for (std::uint64_t n = 0; n < count; ++n) {
            const slice got = co_await async_get_chunk(manager, page, asio::use_awaitable);
            keep(first_word(got.data()));
        }
        const double taken = seconds_between(begin, clock::now());
        if (taken >= seconds / 2) co_return taken * 1e9 / static_cast<double>(count);
    }
}

/// On an io_context alone.
asio::awaitable<double> post_ns(double seconds) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    std::uint64_t count = std::uint64_t{1} << 12;
    for (;; count *= 2) {
        const auto begin = clock::now();
        for (std::uint64_t n = 0; n < count; ++n) co_await asio::post(here, asio::use_awaitable);
        const double taken = seconds_between(begin, clock::now());
        if (taken >= seconds / 2) co_return taken * 1e9 / static_cast<double>(count);
    }
}

task<double> task_post_ns(double seconds) {
    const shard_executor here = shard_executor::current();
    std::uint64_t count = std::uint64_t{1} << 12;
    for (;; count *= 2) {
        const auto begin = clock::now();
        for (std::uint64_t n = 0; n < count; ++n) co_await asio::post(here, use_task);
        const double taken = seconds_between(begin, clock::now());
        if (taken >= seconds / 2) co_return taken * 1e9 / static_cast<double>(count);
    }
}

task<chunk_config> cached_page(chunk_manager& manager, file& held, std::string path) {
    held = co_await manager.open(std::move(path));
    const chunk_config page{held, 0, page_bytes};
    // The whole chunk, so that nothing fills while hits are timed.
    const auto whole = static_cast<std::uint32_t>(std::min(held.size(), manager.chunk_size()));
    const chunk_config first{held, 0, whole};
    const slice filled = co_await manager.get_chunk(first);
    co_return page;
}

class asio_guest_bench {
public:
    explicit asio_guest_bench(bench& with)
        : bench_(with), engine_(with.engine_with(1, 64 * MiB)), manager_(engine_, file_source{}) {
        const std::vector<unsigned> cpus = allowed_cpus();
        guest_cpu_ = cpus.back();
    }
    void run();

private:
    void foreign(unsigned at_once, std::vector<contestant>& all);

    bench& bench_;
    engine engine_;
    chunk_manager manager_;
    unsigned guest_cpu_ = 0;
    file file_;
    chunk_config page_;
};

void asio_guest_bench::foreign(unsigned at_once, std::vector<contestant>& all) {
    const std::string hit = "foreign.hit." + std::to_string(at_once) + ".ns";
    all.push_back({hit, [this, hit, at_once] {
                       pinned_thread guest{guest_cpu_};
                       guest.run([&] {
                           asio::io_context home{1};
                           trips counted{home};
                           bench_.report().add(hit, trip_ns(bench_.seconds(), at_once,
                                                            hit_chain{&counted, &manager_, page_}));
                       });
                   }});
    const std::string post = "asio.foreign_post." + std::to_string(at_once) + ".ns";
    all.push_back({post, [this, post, at_once] {
                       polled_context away{bench_.first_cpu()};
                       pinned_thread guest{guest_cpu_};
                       guest.run([&] {
                           asio::io_context home{1};
                           trips counted{home};
                           bench_.report().add(post, trip_ns(bench_.seconds(), at_once,
                                                             post_chain{&counted, &away.context}));
                       });
                   }});
}

void asio_guest_bench::run() {
    if (guest_cpu_ == bench_.first_cpu())
        bench_.report().note("asio-guest needs two CPUs for its foreign figures, and there is one");
    page_ = engine_.run(cached_page(manager_, file_, bench_.target().path));
    std::vector<contestant> all{
        {"guest.hit",
         [this] {
             const shard_executor there{engine_.at(0)};
             bench_.report().add(
                 "guest.hit.ns",
                 asio::co_spawn(there, hit_ns(manager_, page_, bench_.seconds()), asio::use_future)
                     .get());
         }},
        {"guest.task_awaits_post",
         [this] {
             bench_.report().add("guest.task_awaits_post.ns",
                                 engine_.run(task_post_ns(bench_.seconds())));
         }},
        {"asio.post",
         [this] {
             pinned_thread rival{bench_.first_cpu()};
             rival.run([&] {
                 asio::io_context context{1};
                 auto measured =
                     asio::co_spawn(context, post_ns(bench_.seconds()), asio::use_future);
                 context.run();
                 bench_.report().add("asio.post.ns", measured.get());
             });
         }},
    };
    if (guest_cpu_ != bench_.first_cpu()) {
        foreign(1, all);
        foreign(64, all);
    }
    bench_.alternate("asio-guest", all);
    report& into = bench_.report();
    into.compare("guest.task_awaits_post/asio.post", "guest.task_awaits_post.ns", "asio.post.ns");
    into.compare("foreign.hit.64/asio.foreign_post.64", "foreign.hit.64.ns",
                 "asio.foreign_post.64.ns");
}

void run_asio_guest(bench& with) {
    asio_guest_bench{with}.run();
}

constexpr std::array definitions{
    figure_definition{"guest.hit.ns",
                      "an asio::awaitable on a shard awaits async_get_chunk of a page in memory: a "
                      "hit for code that is written for Asio"},
    figure_definition{"guest.task_awaits_post.ns",
                      "a task awaits a post to its own shard: what an operation of Asio costs a "
                      "coroutine of leat"},
    figure_definition{
        "asio.post.ns",
        "an asio::awaitable awaits a post to its own io_context: what a post costs by Asio alone"},
    figure_definition{"foreign.hit.{1,64}.ns",
                      "time over hits for an io_context on another CPU, so many outstanding: what "
                      "a program with a loop of its own pays for leat"},
    figure_definition{"asio.foreign_post.{1,64}.ns",
                      "time over posts to a polled io_context on another CPU and back, so many "
                      "outstanding: what the way costs by Asio alone"},
    figure_definition{"guest.task_awaits_post/asio.post",
                      "a task's post over Asio's: at most 1 if leat is no slower a host", false,
                      preference::less},
    figure_definition{"foreign.hit.64/asio.foreign_post.64",
                      "a foreign hit over a post there and back, 64 outstanding: at most 1 if the "
                      "way is all it costs",
                      false, preference::less},
};

}  // namespace

constexpr workload asio_guest_workload{
    "asio-guest", "hits for Asio's coroutines and io_contexts, beside plain posts", definitions,
    &run_asio_guest};

}  // namespace leat::perf
