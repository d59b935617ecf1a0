// The list of what leat-bench can measure.
#include "common/workload.hpp"
#include "compare/asio.hpp"
#include "compare/designs.hpp"
#include "load/crowd.hpp"
#include "load/device.hpp"
#include "load/fanin.hpp"
#include "load/loaded.hpp"
#include "load/memory.hpp"
#include "load/miss.hpp"
#include "load/mixed.hpp"
#include "load/scan.hpp"
#include "load/soak.hpp"
#include "micro/asio_guest.hpp"
#include "micro/hit.hpp"
#include "micro/messages.hpp"
#include "micro/remote.hpp"
#include "micro/send.hpp"
#include "patterns/patterns.hpp"

#include <algorithm>
#include <array>

namespace leat::perf {

namespace {

constexpr std::array all{
    &hit_workload,      &remote_workload, &miss_workload,     &loaded_workload,     &scan_workload,
    &crowd_workload,    &fanin_workload,  &messages_workload, &asio_guest_workload, &send_workload,
    &mixed_workload,    &memory_workload, &designs_workload,  &device_workload,     &asio_workload,
    &patterns_workload, &soak_workload,
};

}  // namespace

const figure_definition* workload::find(std::string_view figure) const {
    const auto found =
        std::find_if(figures.begin(), figures.end(),
                     [&](const figure_definition& one) { return one.defines(figure); });
    return found != figures.end() ? &*found : nullptr;
}

std::span<const workload* const> workloads() noexcept {
    return all;
}

const workload* find_workload(std::string_view name) noexcept {
    for (const workload* const one : all) {
        if (one->name == name) return one;
    }
    return nullptr;
}

const workload* workload_of(std::string_view figure) {
    for (const workload* const one : all) {
        if (one->find(figure) != nullptr) return one;
    }
    return nullptr;
}

const figure_definition* find_definition(std::string_view figure) {
    const workload* const of = workload_of(figure);
    return of != nullptr ? of->find(figure) : nullptr;
}

std::string workloads_of(std::span<const std::string> figures) {
    std::string words;
    for (const workload* const one : all) {
        const bool wanted = std::any_of(figures.begin(), figures.end(), [&](const auto& figure) {
            const figure_definition* const known = one->find(figure);
            return known != nullptr && !known->counted;
        });
        if (wanted) words += ' ' + std::string{one->name};
    }
    return words;
}

}  // namespace leat::perf
