// What a figure means, told beside the code that measures it.
#pragma once

#include <cstdint>
#include <string_view>

namespace leat::perf {

/// What is better of a figure: less time and more of a rate, where nothing else is said.
enum class preference : std::uint8_t { by_unit, more, less };

/// The line of meaning of some figures or ratios.
struct figure_definition {
    /// Their names: {a,b} stands for each of them, * for any letters but a dot and a slash.
    std::string_view names;
    /// One line, "what is measured: why it matters".
    std::string_view meaning;
    /// Nothing is timed: the figure repeats.
    bool counted = false;
    preference better = preference::by_unit;

    [[nodiscard]] bool defines(std::string_view figure) const;
};

}  // namespace leat::perf
