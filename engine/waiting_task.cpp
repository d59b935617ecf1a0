// The sentence that tells what a task waits for.
#include <leat/engine/waiting_task.hpp>

#include <algorithm>
#include <tuple>

namespace leat {

std::string to_string(const waiting_task& one) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(one.age).count();
    std::string text = "shard " + std::to_string(one.shard);
    if (one.silent) return text + " has not answered for " + std::to_string(ms) + " ms";
    if (!one.name.empty()) text += ", \"" + one.name + '"';
    return text + ": " + to_string(one.awaits) + ", for " + std::to_string(ms) + " ms";
}

void detail::sort_oldest_first(std::vector<waiting_task>& all) {
    const auto key = [](const waiting_task& one) {
        return std::tuple{!one.silent, -one.age, one.shard};
    };
    std::stable_sort(all.begin(), all.end(),
                     [&](const auto& left, const auto& right) { return key(left) < key(right); });
}

}  // namespace leat
