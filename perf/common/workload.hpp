// What leat-bench can be asked for.
#pragma once

#include "common/bench.hpp"
#include "common/figure_definition.hpp"

#include <span>
#include <string>
#include <string_view>

namespace leat::perf {

struct workload {
    std::string_view name;
    std::string_view measures;  ///< one sentence
    std::span<const figure_definition> figures;
    void (*run)(bench& with);
    bool in_all = true;  ///< false: runs only when it is named

    /// Nullptr if the figure, or ratio, is none of its own.
    [[nodiscard]] const figure_definition* find(std::string_view figure) const;
};

/// Every one, in the order in which `all` runs those that are in it.
[[nodiscard]] std::span<const workload* const> workloads() noexcept;
[[nodiscard]] const workload* find_workload(std::string_view name) noexcept;

/// The workload that measures a figure or ratio; nullptr if none does.
[[nodiscard]] const workload* workload_of(std::string_view figure);
[[nodiscard]] const figure_definition* find_definition(std::string_view figure);

/// The workloads that measure these again, each behind a blank, as words of a command; those of
/// figures that are counted are left out: they repeat.
[[nodiscard]] std::string workloads_of(std::span<const std::string> figures);

}  // namespace leat::perf
