// Matches names with patterns.
#include "common/figure_definition.hpp"

#include <algorithm>
#include <cstddef>

namespace leat::perf {

namespace {

bool matches(std::string_view pattern, std::string_view name) {
    while (!pattern.empty() && pattern.front() != '{' && pattern.front() != '*') {
        if (name.empty() || name.front() != pattern.front()) return false;
        pattern.remove_prefix(1);
        name.remove_prefix(1);
    }
    if (pattern.empty()) return name.empty();
    if (pattern.front() == '*') {
        const std::size_t most = std::min(name.find_first_of("./"), name.size());
        for (std::size_t taken = 1; taken <= most; ++taken) {
            if (matches(pattern.substr(1), name.substr(taken))) return true;
        }
        return false;
    }
    const std::size_t close = pattern.find('}');
    const std::string_view rest = pattern.substr(close + 1);
    std::string_view choices = pattern.substr(1, close - 1);
    for (;;) {
        const std::size_t comma = choices.find(',');
        const std::string_view choice = choices.substr(0, comma);
        if (name.starts_with(choice) && matches(rest, name.substr(choice.size()))) return true;
        if (comma == std::string_view::npos) return false;
        choices.remove_prefix(comma + 1);
    }
}

}  // namespace

bool figure_definition::defines(std::string_view figure) const {
    return matches(names, figure);
}

}  // namespace leat::perf
