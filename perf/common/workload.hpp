// What leat-bench can be asked for.
#pragma once

#include "common/bench.hpp"

#include <span>
#include <string_view>

namespace leat::perf {

struct workload {
    std::string_view name;
    std::string_view measures;  ///< one sentence
    std::string_view figures;   ///< their names, separated by spaces; {a,b} stands for each
    void (*run)(bench& with);
    bool in_all = true;  ///< false: runs only when it is named
};

/// Every one, in the order in which `all` runs those that are in it.
[[nodiscard]] std::span<const workload> workloads() noexcept;
[[nodiscard]] const workload* find_workload(std::string_view name) noexcept;

}  // namespace leat::perf
