// What a run has found: samples by figure, ratios of medians, series, histograms.
#pragma once

#include "common/histogram.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace leat::perf {

/// Collects what workloads measure. Figures and ratios keep the order in which they came.
class report {
public:
    /// Rounds of a figure that must be undisturbed for it to be trusted.
    static constexpr std::size_t least_rounds = 3;
    /// A figure that spreads further than this cannot be compared.
    static constexpr double widest_spread = 0.25;

    struct sample {
        double value;
        std::uint64_t order;
        bool disturbed;
    };
    struct figure {
        std::string name;
        std::vector<sample> samples;
    };
    struct ratio {
        std::string name;
        std::string over;   ///< the figure above the line
        std::string under;  ///< the figure below it
    };
    struct latencies {
        std::string name;
        std::uint64_t order;
        histogram ns;
    };
    struct summary {
        double median = 0;
        double spread = 0;
        std::size_t rounds = 0;  ///< of which these are
        bool disturbed = false;  ///< too few rounds had the machine to themselves
    };
    using points = std::vector<std::pair<double, double>>;

    /// One round's value of a figure.
    void add(const std::string& figure, double value);
    /// Names the ratio of two figures' medians.
    void compare(std::string name, std::string over, std::string under);
    void add_point(const std::string& series, double x, double y);
    /// Adds p50 and p99 to the figures NAME.p50_us and NAME.p99_us, and all to histogram NAME.
    void add_latencies(const std::string& name, const histogram& ns);
    /// A sentence for the reader, such as a rival that is missing; each once.
    void note(const std::string& sentence);

    /// Samples taken after this can be disturbed or forgotten together.
    [[nodiscard]] std::uint64_t mark() const noexcept { return order_; }
    void disturb_since(std::uint64_t mark) noexcept;
    void forget_since(std::uint64_t mark);

    [[nodiscard]] const std::vector<figure>& figures() const noexcept { return figures_; }
    [[nodiscard]] const std::vector<ratio>& ratios() const noexcept { return ratios_; }
    [[nodiscard]] const std::map<std::string, points>& series() const noexcept { return series_; }
    /// All rounds of each together.
    [[nodiscard]] std::map<std::string, histogram> histograms() const;
    [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

    /// Over the undisturbed rounds if there are enough of them, else over all.
    [[nodiscard]] static summary summarize(const figure& of);
    [[nodiscard]] std::optional<summary> find(const std::string& figure) const;
    /// The value, or nothing if a figure is missing or the comparison void.
    [[nodiscard]] std::optional<double> value_of(const ratio& of) const;
    /// Why the comparison is void; empty if it is not, or was not measured.
    [[nodiscard]] std::string fault_of(const ratio& of) const;
    /// Why the figure cannot be trusted; empty if it can.
    [[nodiscard]] static std::string fault_of(const figure& of);
    /// Whether anything cannot be trusted.
    [[nodiscard]] bool has_void() const;

private:
    std::vector<figure> figures_;
    std::vector<ratio> ratios_;
    std::map<std::string, points> series_;
    std::vector<latencies> latencies_;
    std::vector<std::string> notes_;
    std::uint64_t order_ = 0;
};

}  // namespace leat::perf
