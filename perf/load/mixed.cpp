// The workload "mixed": hits and misses in an open loop.
#include "load/mixed.hpp"

#include "common/figure.hpp"
#include "load/cold_chunks.hpp"
#include "load/cold_engine.hpp"

#include <leat/engine/sleep.hpp>

#include <array>
#include <vector>

namespace leat::perf {

namespace {

constexpr std::uint64_t memory_chunks = 64;
constexpr std::uint64_t hot_chunks = 4;
constexpr unsigned closed_loops = 32;
constexpr unsigned one_miss_in = 16;
// A control that stalls longer than this says that the machine did.
constexpr double stalled_p99_us = 50;
constexpr double stalled_p999_us = 250;

/// Chooses requests: mostly pages of a few hot chunks, at times a page of any other.
class mixture {
public:
    mixture(file_id file, std::uint64_t bytes, std::uint64_t chunk)
        : file_(file), hot_(hot_chunks * chunk), cold_(bytes - hot_), random_(11) {}
    [[nodiscard]] bool next_is_hit() noexcept { return random_.below(one_miss_in) != 0; }
    [[nodiscard]] chunk_config hit() noexcept { return page_in(0, hot_); }
    [[nodiscard]] chunk_config miss() noexcept { return page_in(hot_, cold_); }

private:
    [[nodiscard]] chunk_config page_in(std::uint64_t begin, std::uint64_t length) noexcept {
        return {file_, begin + random_.below(length / page_bytes) * page_bytes, page_bytes};
    }
    file_id file_;
    std::uint64_t hot_;
    std::uint64_t cold_;
    random_words random_;
};

task<> touch_hot(const chunk_manager& manager, file_id file, std::uint64_t chunk) {
    for (std::uint64_t i = 0; i < hot_chunks; ++i) {
        const chunk_config whole{file, i * chunk, static_cast<std::uint32_t>(chunk)};
        const slice held = co_await manager.get_chunk(whole);
        keep(first_word(held.data()));
    }
}

task<> closed_loop(const chunk_manager& manager,
                   mixture& mix,
                   clock::time_point end,
                   std::uint64_t& count) {
    while (clock::now() < end) {
        const chunk_config wanted = mix.next_is_hit() ? mix.hit() : mix.miss();
        const slice held = co_await manager.get_chunk(wanted);
        keep(first_word(held.data()));
        ++count;
    }
}

task<double> closed_rate(const chunk_manager& manager, mixture& mix, double seconds) {
    std::uint64_t count = 0;
    const auto begin = clock::now();
    scope all;
    for (unsigned i = 0; i < closed_loops; ++i)
        all.spawn(closed_loop(manager, mix, later(begin, duration_of(seconds)), count));
    co_await all.join();
    co_return static_cast<double>(count) / seconds_between(begin, clock::now());
}

task<> one_request(const chunk_manager& manager,
                   chunk_config wanted,
                   clock::time_point intended,
                   histogram* ns) {
    const slice held = co_await manager.get_chunk(wanted);
    keep(first_word(held.data()));
    if (ns != nullptr) ns->add(ns_between(intended, clock::now()));
}

// Starts each request when it is due, or as soon after as the shard comes to it.
task<> open_loop(
    const chunk_manager& manager, mixture& mix, double rate, double seconds, histogram& hits) {
    const auto begin = clock::now();
    const auto interval = 1e9 / rate;
    const auto total = static_cast<std::uint64_t>(rate * seconds);
    scope all;
    for (std::uint64_t i = 0; i < total;) {
        const auto due = begin + std::chrono::nanoseconds{
                                     static_cast<std::int64_t>(static_cast<double>(i) * interval)};
        if (clock::now() < due) {
            co_await yield{};
            continue;
        }
        const bool hit = mix.next_is_hit();
        const chunk_config wanted = hit ? mix.hit() : mix.miss();
        all.spawn(one_request(manager, wanted, due, hit ? &hits : nullptr));
        ++i;
    }
    co_await all.join();
}

// The same clockwork with nothing to do: what is late here, the machine was late with.
task<> control_loop(double rate, double seconds, histogram& late) {
    const auto begin = clock::now();
    const auto interval = 1e9 / rate;
    const auto total = static_cast<std::uint64_t>(rate * seconds);
    for (std::uint64_t i = 0; i < total;) {
        const auto due = begin + std::chrono::nanoseconds{
                                     static_cast<std::int64_t>(static_cast<double>(i) * interval)};
        const auto now = clock::now();
        if (now < due) {
            co_await yield{};
            continue;
        }
        late.add(ns_between(due, now));
        ++i;
    }
}

void run_mixed(bench& with) {
    cold_engine cold{with, memory_chunks * with.options().engine.chunk_size};
    const chunk_manager& manager = cold.manager();
    mixture mix{cold.file(), cold.usable_bytes(), cold.chunk_size()};
    report& into = with.report();
    const auto measure = [&] {
        cold.engine().run(touch_hot(manager, cold.file(), cold.chunk_size()));
        const double rate = cold.engine().run(closed_rate(manager, mix, with.seconds())) / 2;
        cold.settle();
        const std::uint64_t mark = into.mark();
        histogram late;
        cold.engine().run(control_loop(rate, 2 * with.seconds(), late));
        histogram hits;
        cold.engine().run(open_loop(manager, mix, rate, 4 * with.seconds(), hits));
        cold.settle();
        into.add("mixed.rate.ops_per_s", rate);
        into.add_latencies("mixed.hit", hits);
        into.add("mixed.hit.p999_us", to_us(hits.percentile(99.9)));
        into.add("mixed.control.p99_us", to_us(late.percentile(99)));
        into.add("mixed.control.p999_us", to_us(late.percentile(99.9)));
        const bool stalled = to_us(late.percentile(99)) > stalled_p99_us ||
                             to_us(late.percentile(99.9)) > stalled_p999_us;
        if (stalled) into.disturb_since(mark);
    };
    const std::vector<contestant> all{{"mixed", measure}};
    with.alternate("mixed", all);
    cold.verify();
}

constexpr std::array definitions{
    figure_definition{"mixed.hit.{p50,p99,p999}_us",
                      "hits beside one miss in 16, at half the rate that is possible, from the "
                      "moment each was due: whether misses hold up hits"},
    figure_definition{"mixed.control.{p99,p999}_us",
                      "how late the clock that starts these hits is with nothing to do: what of "
                      "their times the machine is to blame for"},
    figure_definition{"mixed.rate.ops_per_s",
                      "requests begun a second while those hits are timed, half of what 32 closed "
                      "loops reach: the load that they bear"},
};

}  // namespace

constexpr workload mixed_workload{
    "mixed", "hits beside misses on one shard, open loop, from the intended start", definitions,
    &run_mixed};

}  // namespace leat::perf
