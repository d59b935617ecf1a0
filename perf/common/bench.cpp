// Runs workloads in interleaved rounds and gathers what they measure.
#include "common/bench.hpp"

#include "common/machine_watch.hpp"

#include <spdlog/fmt/fmt.h>

#include <unistd.h>

#include <cstdio>
#include <stdexcept>

namespace leat::perf {

namespace {
// So much of the machine may be busy with something else: a shell, a timer, a log.
constexpr double tolerated_cpus = 0.1;
constexpr double warm_up_share = 0.25;
}  // namespace

void bench::alternate(std::string_view workload, std::span<const contestant> contestants) {
    const double full = options_.seconds > 0 ? options_.seconds : 0.25;
    seconds_ = full * warm_up_share;
    const std::uint64_t before = report_.mark();
    for (const contestant& one : contestants) {
        progress(fmt::format("{}: warming up {}", workload, one.name));
        one.measure();
    }
    report_.forget_since(before);
    seconds_ = full;
    // Short measurements are judged together with those that follow.
    machine_watch watch;
    std::uint64_t mark = report_.mark();
    const auto judge = [&] {
        if (watch.foreign_cpus() > tolerated_cpus) report_.disturb_since(mark);
        watch = machine_watch{};
        mark = report_.mark();
    };
    for (unsigned round = 1; round <= options_.rounds; ++round) {
        for (const contestant& one : contestants) {
            progress(
                fmt::format("{}: round {} of {}, {}", workload, round, options_.rounds, one.name));
            one.measure();
            if (watch.long_enough()) judge();
        }
    }
    judge();
    progress("");
}

void bench::progress(std::string_view text) const {
    static const bool terminal = ::isatty(STDERR_FILENO) == 1;
    if (!terminal) return;
    fmt::print(stderr, "\r{:.78}\x1b[K", text);
    std::fflush(stderr);
}

engine_options bench::engine_with(unsigned shards, std::uint64_t memory) const {
    engine_options result = options_.engine;
    if (result.shards == 0) result.shards = shards;
    if (result.memory == 0) result.memory = memory;
    // Pinned whatever their number: rivals run on the same CPUs.
    if (result.pin && result.cpus.empty() && result.shards <= allowed_cpus().size()) {
        result.cpus = allowed_cpus();
    }
    if (result.shards != 0 && result.cpus.size() > result.shards) result.cpus.resize(result.shards);
    return result;
}

unsigned bench::first_cpu() const {
    return options_.engine.cpus.empty() ? allowed_cpus().front() : options_.engine.cpus.front();
}

void bench::describe(const std::string& name, const std::string& value) {
    for (const auto& known : properties_) {
        if (known.first == name) return;
    }
    properties_.emplace_back(name, value);
}

void bench::require(bool same, std::string_view what) {
    if (!same) throw std::runtime_error(fmt::format("wrong bytes were read: {}", what));
}

}  // namespace leat::perf
