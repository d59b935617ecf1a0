// Who goes on next: fibers, and virtual time.
#include "scheduler.hpp"

#include "allocations.hpp"
#include "verdict.hpp"

#include <algorithm>

namespace leat::sim {

namespace {
constexpr std::uint64_t longest_step_ns = 4'000;
constexpr std::uint64_t longest_freeze_ns = 10'000'000;
}  // namespace

void scheduler::add(shard& of, std::function<void()> loop) {
    sleepers_.push_back(std::make_unique<sleeper>(of, std::move(loop)));
}

void scheduler::at(std::uint64_t time, std::function<void()> happen) {
    events_.emplace(std::max(time, all_.now_ns()), std::move(happen));
}

void scheduler::give_way() {
    sleepers_[static_cast<unsigned>(all_.running)]->body.suspend();
}

void scheduler::sleep(std::uint64_t time) {
    sleeper& self = *sleepers_[static_cast<unsigned>(all_.running)];
    self.sleeping = true;
    self.until = time;
    self.body.suspend();
    self.sleeping = self.woken = false;
}

bool scheduler::runnable(const sleeper& one) const noexcept {
    if (one.body.ended() || one.frozen_until > all_.now_ns()) return false;
    return !one.sleeping || one.woken || one.until <= all_.now_ns();
}

bool scheduler::ended() const noexcept {
    return std::all_of(sleepers_.begin(), sleepers_.end(),
                       [](const auto& one) { return one->body.ended(); });
}

void scheduler::resume(unsigned index) {
    sleeper& chosen = *sleepers_[index];
    all_.running = static_cast<int>(index);
    detail::current_shard = chosen.current;
    {
        const allocations_fail_here under_test;
        chosen.body.resume();
    }
    chosen.current = std::exchange(detail::current_shard, nullptr);
    all_.running = -1;
}

bool scheduler::step() {
    while (!events_.empty() && events_.begin()->first <= all_.now_ns()) {
        const auto next = events_.extract(events_.begin());
        next.mapped()();
    }
    candidates_.clear();
    for (unsigned index = 0; index < sleepers_.size(); ++index) {
        if (runnable(*sleepers_[index])) candidates_.push_back(index);
    }
    if (candidates_.empty()) return pass_time();
    const unsigned index = candidates_[all_.schedule.below(candidates_.size())];
    if (all_.planned.faults.has(fault::frozen_shards) && all_.schedule.chance(8)) {
        sleepers_[index]->frozen_until = all_.now_ns() + all_.schedule.below(longest_freeze_ns);
        all_.note("frozen", index);
        return true;
    }
    all_.advance_to(all_.now_ns() + all_.schedule.below(longest_step_ns));
    resume(index);
    return true;
}

// All sleep: on to the next event.
bool scheduler::pass_time() {
    if (all_.schedule.chance(250)) {
        probe();
        // Shards settle some things only after a number of turns.
        if (std::any_of(sleepers_.begin(), sleepers_.end(),
                        [this](const auto& one) { return runnable(*one); }))
            return true;
    }
    std::uint64_t next = events_.empty() ? never : events_.begin()->first;
    for (const auto& one : sleepers_) {
        if (one->body.ended()) continue;
        const bool frozen = one->frozen_until > all_.now_ns();
        next = std::min(next, frozen ? one->frozen_until : one->until);
    }
    if (next == never) return false;
    all_.advance_to(std::max(next, all_.now_ns()));
    return true;
}

// A sleeping shard that is resumed all the same must find nothing to do: else somebody should have
// woken it.
void scheduler::probe() {
    const auto index = static_cast<unsigned>(all_.schedule.below(sleepers_.size()));
    sleeper& asleep = *sleepers_[index];
    if (asleep.body.ended() || asleep.frozen_until > all_.now_ns()) return;
    const std::uint64_t progress = all_.progress;
    const std::uint64_t received = asleep.of.statistics().messages_received;
    all_.note("probe", index);
    // Time stands still, and a shard that spins would wait for it for ever.
    for (int turns = 0; turns < 8 && (turns == 0 || !asleep.sleeping); ++turns) {
        if (asleep.body.ended() || all_.progress != progress) break;
        resume(index);
    }
    if (all_.progress != progress || asleep.of.statistics().messages_received != received) {
        fail("shard " + std::to_string(index) +
             " slept though it had work: a wake-up was lost, or never sent");
    }
}

}  // namespace leat::sim
