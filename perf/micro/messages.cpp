// The workload "messages": round trips between two shards.
#include "micro/messages.hpp"

#include "common/clocks.hpp"
#include "common/figure.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/resumption.hpp>
#include <leat/engine/sleep.hpp>

#include <array>
#include <deque>
#include <string>
#include <vector>

namespace leat::perf {

namespace {

/// Sends messages from this shard to another and back until so many round trips are done.
class round_trips {
public:
    round_trips(unsigned outstanding, std::uint64_t count, unsigned away)
        : left_to_send_(count), away_(away) {
        for (unsigned i = 0; i < outstanding; ++i) pings_.emplace_back(*this);
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) noexcept {
        done_.coroutine = coroutine;
        home_ = this_shard().index();
        for (ping& one : pings_) send(one);
    }
    void await_resume() const noexcept {}

private:
    struct ping : detail::work {
        explicit ping(round_trips& owner_) noexcept : owner(owner_) {}
        round_trips& owner;
    };
    void send(ping& one) noexcept {
        --left_to_send_;
        ++travelling_;
        one.run = &arrived;
        this_shard().send(away_, one);
    }
    static void arrived(detail::work& item) noexcept {
        item.run = &returned;
        this_shard().send(static_cast<ping&>(item).owner.home_, item);
    }
    static void returned(detail::work& item) noexcept {
        ping& one = static_cast<ping&>(item);
        round_trips& self = one.owner;
        --self.travelling_;
        if (self.left_to_send_ > 0) {
            self.send(one);
        } else if (self.travelling_ == 0) {
            this_shard().schedule(self.done_);
        }
    }

    std::deque<ping> pings_;
    std::uint64_t left_to_send_;
    std::uint64_t travelling_ = 0;
    unsigned home_ = 0;
    unsigned away_;
    resumption done_;
};

task<double> polling_ns(unsigned outstanding, double seconds) {
    std::uint64_t count = std::uint64_t{1} << 12;
    for (;;) {
        round_trips trips{outstanding, count, 1};
        const auto begin = clock::now();
        co_await trips;
        const double taken = seconds_between(begin, clock::now());
        if (taken >= seconds / 2) co_return taken * 1e9 / static_cast<double>(count);
        count *= 2;
    }
}

task<double> parked_us(double seconds) {
    constexpr std::chrono::milliseconds until_parked{1};
    histogram ns;
    const auto end = later(clock::now(), duration_of(seconds));
    while (clock::now() < end) {
        co_await sleep(until_parked);
        round_trips trip{1, 1, 1};
        const auto begin = clock::now();
        co_await trip;
        ns.add(ns_between(begin, clock::now()));
    }
    co_return to_us(ns.percentile(50));
}

void run_messages(bench& with) {
    engine_options options = with.engine_with(0, 0);
    if (options.shards == 0) options.shards = static_cast<unsigned>(allowed_cpus().size());
    if (options.shards < 2) {
        with.report().note("messages need two shards, and there is one CPU");
        return;
    }
    engine shards{options};
    std::vector<contestant> all;
    for (const unsigned outstanding : {1U, 16U, 64U}) {
        const std::string figure = "messages." + std::to_string(outstanding) + ".ns";
        all.push_back({figure, [&, figure, outstanding] {
                           with.report().add(figure,
                                             shards.run(polling_ns(outstanding, with.seconds())));
                       }});
    }
    all.push_back(
        {"messages.parked_us",
         [&] { with.report().add("messages.parked_us", shards.run(parked_us(with.seconds()))); }});
    with.alternate("messages", all);
}

constexpr std::array definitions{
    figure_definition{"messages.{1,16,64}.ns",
                      "time over round trips between two polling shards, so many outstanding: what "
                      "work for another core costs, alone and in batches"},
    figure_definition{
        "messages.parked_us",
        "one round trip to a shard that sleeps: what waking a core costs here, and --spin avoids"},
};

}  // namespace

constexpr workload messages_workload{
    "messages", "round trips between two shards that poll, and to one that is parked", definitions,
    &run_messages};

}  // namespace leat::perf
