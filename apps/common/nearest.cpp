// Compares names letter by letter.
#include "common/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace leat::apps {

// Wagner and Fischer.
std::size_t distance(std::string_view one, std::string_view other) {
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < one.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < other.size(); ++j) {
            const std::size_t changed = diagonal + (one[i] == other[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::string nearest_option(const CLI::App& app, std::string_view name) {
    std::string best;
    std::size_t most = name.size();
    for (const CLI::Option* const option : app.get_options()) {
        for (const std::string& known : option->get_lnames()) {
            const std::size_t far = distance(name, known);
            if (far >= most) continue;
            best = known;
            most = far;
        }
    }
    return best;
}

}  // namespace leat::apps
