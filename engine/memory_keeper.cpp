// Looks at the memory pressure once a second.
#include "memory_keeper.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/shard.hpp>

#include <algorithm>
#include <chrono>
#include <exception>

namespace leat::detail {

namespace {
constexpr std::chrono::seconds pause{1};
constexpr unsigned calm_seconds = 10;
}  // namespace

memory_keeper::memory_keeper(shard& on) : shard_(on), next_(&second_passed) {
    next_.of = this;
    if (pressure_.told()) {
        shard_.add_timer(next_, shard_.after(pause));
    } else {
        shard_.engine().report_once(
            event::level::warning,
            "memory_pressure is on, but the kernel tells of no pressure here: neither "
            "/proc/pressure/memory nor the control group's memory.pressure can be read");
    }
}

memory_keeper::~memory_keeper() {
    shard_.remove_timer(next_);
}

std::uint64_t memory_keeper::after_a_second(std::uint64_t given,
                                            std::uint64_t now,
                                            bool pressure,
                                            unsigned& calm) noexcept {
    calm = pressure ? 0 : calm + 1;
    if (pressure) return std::min(now, std::max(given / 4, now - now / 8));
    return calm > calm_seconds ? std::min(given, now + given / 16) : now;
}

void memory_keeper::second_passed(work& item) noexcept {
    static_cast<look&>(static_cast<timer&>(item)).of->look_again();
}

void memory_keeper::look_again() noexcept {
    leat::engine& of = shard_.engine();
    try {
        const std::lock_guard lock{of.budget_};
        const std::uint64_t now = of.memory();
        const bool risen = pressure_.risen(std::chrono::microseconds{pause}.count());
        const std::uint64_t least = of.least_memory();
        const std::uint64_t next =
            std::max(least, after_a_second(of.memory_given(), now, risen, calm_));
        if (next != now) of.adjust_memory(next);
    } catch (const std::exception&) {  // what cannot be read now may be the next time
    }
    shard_.add_timer(next_, shard_.after(pause));
}

}  // namespace leat::detail
