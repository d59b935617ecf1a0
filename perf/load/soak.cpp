// The workload "soak": many tasks under faults, and what is left when they have ended.
#include "load/soak.hpp"

#include "common/clocks.hpp"
#include "common/resident_memory.hpp"
#include "load/faulty_source.hpp"
#include "load/soak_load.hpp"

#include <leat/leat.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace leat::perf {

namespace {

constexpr std::uint64_t budget = 64 * MiB;
constexpr double most_growth = 0.02;
constexpr std::chrono::milliseconds pin_deadline{200};
constexpr std::chrono::seconds patience{10};

/// What must be as before when all tasks have ended.
struct leftovers {
    std::vector<std::pair<std::string, std::int64_t>> counts;

    void add(std::string name, std::int64_t count) { counts.emplace_back(std::move(name), count); }
    [[nodiscard]] std::int64_t sum() const {
        std::int64_t all = 0;
        for (const auto& one : counts) all += std::abs(one.second);
        return all;
    }
    [[nodiscard]] std::string text() const {
        std::string all;
        for (const auto& [name, count] : counts) {
            if (count != 0) all += fmt::format("{}{} {}", all.empty() ? "" : ", ", count, name);
        }
        return all;
    }
};

std::int64_t open_descriptors() {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return std::distance(begin(all), end(all));
}

task<cache_statistics> statistics_of(chunk_manager& manager) {
    const cache_statistics now = co_await manager.statistics();
    co_return now;
}

task<std::int64_t> operations_in_flight() {
    std::int64_t sum = 0;
    engine& owner = this_shard().engine();
    for (unsigned shard = 0; shard < owner.shards(); ++shard) {
        co_await resume_on(shard);
        sum += static_cast<std::int64_t>(this_shard().backend().in_flight());
    }
    co_return sum;
}

task<> load_all(engine& owner, soak_load& load) {
    const auto one = [&load](unsigned) { return load.run(); };
    co_await owner.run_on_each(one);
}

/// Pins chunks until every shard's memory is full of them: all other chunks have to go, and with
/// them their leases.
class pinned_memory {
public:
    pinned_memory(chunk_manager& manager, unsigned shards) : manager_(manager), held_(shards) {}

    [[nodiscard]] task<> fill() {
        opened_ = co_await manager_.open("0");
        const auto on_shard = [this](unsigned shard) { return fill_shard(shard); };
        co_await this_shard().engine().run_on_each(on_shard);
    }
    [[nodiscard]] task<> drop() {
        const auto on_shard = [this](unsigned shard) { return drop_shard(shard); };
        co_await this_shard().engine().run_on_each(on_shard);
        opened_ = file{};
    }
    [[nodiscard]] std::int64_t chunks() const {
        std::size_t sum = 0;
        for (const auto& one : held_) sum += one.size();
        return static_cast<std::int64_t>(sum);
    }

private:
    task<> fill_shard(unsigned shard) {
        for (std::uint64_t at = 0; at < opened_.size(); at += manager_.chunk_size()) {
            const chunk_config wanted{opened_, at, 4096};
            if (manager_.owner(wanted) != shard) continue;
            result<slice> got = co_await as_result(manager_.get_chunk(wanted));
            if (!got) co_return;  // errc::all_pinned: full
            held_[shard].push_back(std::move(*got));
        }
    }
    task<> drop_shard(unsigned shard) {
        held_[shard].clear();
        co_return;
    }

    chunk_manager& manager_;
    file opened_;
    std::vector<std::vector<slice>> held_;
};

/// The engine that is soaked, and what was counted before.
class soak {
public:
    explicit soak(bench& with)
        : with_(with),
          descriptors_(open_descriptors()),
          frames_(detail::frame_pool::live()),
          engine_(std::in_place, with.engine_with(0, budget)),
          manager_(std::in_place,
                   *engine_,
                   faulty_source{dice_, with.target().path},
                   manager_options{soak_load::chunk_bytes, pin_deadline}) {}

    void run() {
        full_ = fill_and_drop();
        in_flight_ = engine_->run(operations_in_flight());
        load_for(duration_of(with_.options().minutes * 60));
        judge_memory();
        look_inside();
        look_outside();
        report& into = with_.report();
        into.add("soak.faults", static_cast<double>(dice_.faults()));
        into.add("soak.left", static_cast<double>(left_.sum()));
        if (left_.sum() != 0) with_.fail("soak: left behind: " + left_.text());
        with_.progress("");
    }

private:
    void load_for(clock::duration time) {
        soak_load load{*engine_, *manager_, with_.target().path, with_.target().size};
        const auto begin = clock::now();
        dice_.strike(true);
        spawned<void> running = engine_->spawn_on(0, load_all(*engine_, load));
        while (clock::now() - begin < time && !load.ending()) {
            std::this_thread::sleep_for(std::min<clock::duration>(time, std::chrono::seconds{1}));
            const double minutes = seconds_between(begin, clock::now()) / 60;
            samples_.push_back(static_cast<double>(resident_bytes()) / static_cast<double>(MiB));
            with_.report().add_point("soak.rss_mib", minutes, samples_.back());
            with_.progress(
                fmt::format("soak: {:.1f} of {:.1f} min, {} requests, {} errors, {} "
                            "faults, {:.1f} MiB",
                            minutes, with_.options().minutes, load.requests(), load.errors(),
                            dice_.faults(), samples_.back()));
        }
        load.end();
        running.get();
        load.settle();
        dice_.strike(false);
        with_.report().add("soak.requests", static_cast<double>(load.requests()));
        with_.report().add("soak.errors", static_cast<double>(load.errors()));
        if (!load.failure().empty()) with_.fail("soak: " + load.failure());
    }

    // The first fifth warms up.
    void judge_memory() {
        const std::size_t fifth = std::max<std::size_t>(samples_.size() / 5, 1);
        const auto median_from = [&](std::size_t first) {
            std::vector<double> some(samples_.begin() + static_cast<std::ptrdiff_t>(first),
                                     samples_.begin() + static_cast<std::ptrdiff_t>(first + fifth));
            const auto middle = some.begin() + static_cast<std::ptrdiff_t>(fifth / 2);
            std::nth_element(some.begin(), middle, some.end());
            return *middle;
        };
        const double start = median_from(std::min(fifth, samples_.size() - fifth));
        const double end = median_from(samples_.size() - fifth);
        with_.report().add("soak.rss_mib_start", start);
        with_.report().add("soak.rss_mib_end", end);
        if (end > start * (1 + most_growth))
            with_.fail(
                fmt::format("soak: resident memory grew from {:.1f} to {:.1f} MiB", start, end));
    }

    // How many chunks can be pinned at once: of a new version, of which no shard has a lease.
    std::int64_t fill_and_drop() {
        dice_.change(0);
        pinned_memory all{*manager_, engine_->shards()};
        engine_->run(all.fill());
        leases_ = engine_->run(statistics_of(*manager_)).leases;
        const std::int64_t pinned = all.chunks();
        engine_->run(all.drop());
        return pinned;
    }

    void look_inside() {
        settle();
        left_.add("buffers that cannot be had again", full_ - fill_and_drop());
        left_.add("leases of chunks that are gone", static_cast<std::int64_t>(leases_));
        const cache_statistics now = settle();
        left_.add("pins", static_cast<std::int64_t>(now.pins));
        left_.add("pinned bytes", static_cast<std::int64_t>(now.pinned_bytes));
        left_.add("referred bytes", static_cast<std::int64_t>(now.referred_bytes));
        left_.add("requests that wait", static_cast<std::int64_t>(now.waiting));
        left_.add("chunks that fill", static_cast<std::int64_t>(now.filling_chunks));
        left_.add("operations in flight", engine_->run(operations_in_flight()) - in_flight_);
        left_.add("tasks", tasks());
    }

    // A task's end is seen a little after its outcome, and the rest of a chunk is read after its
    // demand.
    cache_statistics settle() {
        const auto until = clock::now() + patience;
        for (;;) {
            const cache_statistics now = engine_->run(statistics_of(*manager_));
            const bool idle = now.filling_chunks == 0 && now.waiting == 0 && now.pins == 0;
            if ((idle && tasks() == 0) || clock::now() > until) return now;
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }
    [[nodiscard]] std::int64_t tasks() const {
        const auto until = clock::now() + std::chrono::milliseconds{100};
        while (engine_->roots() != 0 && clock::now() < until) std::this_thread::yield();
        return engine_->roots();
    }

    void look_outside() {
        engine_->stop();
        const stop_report ended = engine_->join();
        left_.add("slices", static_cast<std::int64_t>(ended.held));
        left_.add("shards that did not end: " + ended.owed, ended.code ? 1 : 0);
        manager_.reset();
        engine_.reset();
        left_.add("frames", detail::frame_pool::live() - frames_);
        left_.add("descriptors", open_descriptors() - descriptors_);
    }

    bench& with_;
    fault_dice dice_;
    std::int64_t descriptors_;
    std::int64_t frames_;
    std::optional<engine> engine_;
    std::optional<chunk_manager> manager_;
    std::int64_t full_ = 0;
    std::uint64_t leases_ = 0;
    std::int64_t in_flight_ = 0;
    std::vector<double> samples_;
    leftovers left_;
};

void run_soak(bench& with) {
    soak one{with};
    one.run();
}

constexpr std::array definitions{
    figure_definition{"soak.requests", "requests that the tasks have made: how much was tried"},
    figure_definition{
        "soak.errors",
        "requests that failed, as they must where a fault strikes: that faults were felt"},
    figure_definition{"soak.faults",
                      "reads of the source that failed, were short, late or of another version: "
                      "how much went wrong on purpose"},
    figure_definition{"soak.left",
                      "pins, buffers, leases, tasks, frames and descriptors that are not as "
                      "before, summed: 0 if nothing leaks",
                      true, preference::less},
    figure_definition{"soak.rss_mib_{start,end}",
                      "resident MiB, the medians of the second and of the last fifth of the run: "
                      "equal if memory does not grow",
                      false, preference::less},
};

}  // namespace

constexpr workload soak_workload{
    "soak", "many tasks under faults for --minutes, and what they leave behind", definitions,
    &run_soak, false};

}  // namespace leat::perf
