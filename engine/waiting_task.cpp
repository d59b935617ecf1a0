// The sentence that tells what a task waits for.
#include <leat/engine/waiting_task.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>
#include <utility>

namespace leat {

std::string to_string(const waiting_task& one) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(one.age).count();
    std::string text = "shard " + std::to_string(one.shard);
    if (one.silent) return text + " has not answered for " + std::to_string(ms) + " ms";
    if (!one.name.empty()) text += ", \"" + one.name + '"';
    return text + ": " + to_string(one.awaits) + ", for " + std::to_string(ms) + " ms";
}

void detail::sort_oldest_first(std::vector<waiting_task>& all) {
    // By numbers, which makes equals stay as they stood: what stable_sort() is made of is
    // deprecated, as Clang says.
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key = [&](std::size_t number) {
        const waiting_task& one = all[number];
        return std::tuple{!one.silent, -one.age, one.shard, number};
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t left, std::size_t right) { return key(left) < key(right); });
    std::vector<waiting_task> sorted;
    sorted.reserve(all.size());
    for (const std::size_t number : order) sorted.push_back(std::move(all[number]));
    all.swap(sorted);
}

}  // namespace leat
