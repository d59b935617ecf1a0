// One run of leat-bench: the options, the file, the report, and the rounds.
#pragma once

#include "common/bench_options.hpp"
#include "common/machine.hpp"
#include "common/report.hpp"
#include "common/target_file.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::perf {

/// One of those that alternate: measures once and adds to the report.
struct contestant {
    std::string name;
    std::function<void()> measure;
};

/// What a workload is given.
class bench {
public:
    bench(bench_options options, target_file target)
        : options_(std::move(options)), target_(std::move(target)) {}

    [[nodiscard]] const bench_options& options() const noexcept { return options_; }
    [[nodiscard]] const target_file& target() const noexcept { return target_; }
    [[nodiscard]] perf::report& report() noexcept { return report_; }

    /// Runs a short round that does not count and then the rounds: in each, all contestants, one
    /// after the other. What was measured while others used the CPUs is marked as disturbed.
    void alternate(std::string_view workload, std::span<const contestant> contestants);

    /// How long the present measurement is to last.
    [[nodiscard]] double seconds() const noexcept { return seconds_; }
    /// Tells on the terminal what is being done.
    void progress(std::string_view text) const;

    /// The engine's options for a workload: those given, with `shards` and `memory` (bytes) where
    /// none are.
    [[nodiscard]] engine_options engine_with(unsigned shards, std::uint64_t memory) const;
    /// The CPU of shard 0.
    [[nodiscard]] unsigned first_cpu() const;

    /// Adds to the machine's description what only a workload knows; each name once.
    void describe(const std::string& name, const std::string& value);
    [[nodiscard]] const machine_description& properties() const noexcept { return properties_; }

    /// Ends a run that served wrong bytes: throws std::runtime_error unless `same`.
    static void require(bool same, std::string_view what);

    /// Tells, at the end, of something that must not be; the run then fails.
    void fail(std::string sentence) { failures_.push_back(std::move(sentence)); }
    [[nodiscard]] const std::vector<std::string>& failures() const noexcept { return failures_; }

private:
    bench_options options_;
    target_file target_;
    perf::report report_;
    machine_description properties_;
    std::vector<std::string> failures_;
    double seconds_ = 0;
};

}  // namespace leat::perf
