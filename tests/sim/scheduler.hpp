// Which shard runs, and how time passes.
#pragma once

#include "fiber.hpp"
#include "world.hpp"

#include <leat/engine/shard.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace leat::sim {

/// Runs the loops of shards as fibers of one thread. A loop gives way where it asks its backend for
/// completions; which goes on is a matter of the seed. Time passes a little with every step and,
/// when all shards sleep, up to the next event; nothing else makes it pass.
class scheduler {
public:
    explicit scheduler(world& all) : all_(all) {}
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    /// Adds the loop of the next shard.
    void add(shard& of, std::function<void()> loop);
    /// Calls `happen` outside all shards, as a foreign thread would. From anywhere.
    void at(std::uint64_t time, std::function<void()> happen);

    /// The running shard lets others go on.
    void give_way();
    /// The running shard sleeps until `time`, or until it is woken.
    void sleep(std::uint64_t time);
    void wake(unsigned index) noexcept { sleepers_[index]->woken = true; }
    /// Whether a shard runs, or will without anything else happening.
    [[nodiscard]] bool awake(unsigned index) const noexcept {
        const sleeper& one = *sleepers_[index];
        return !one.sleeping || one.woken || one.body.ended();
    }

    /// Lets something happen. Returns false if nothing ever will.
    bool step();
    /// Whether every loop has returned.
    [[nodiscard]] bool ended() const noexcept;

private:
    struct sleeper {
        sleeper(shard& of_, std::function<void()> loop) : of(of_), body(std::move(loop)) {}
        shard& of;
        fiber body;
        shard* current = nullptr;  ///< shard::current() of it while it does not run
        bool sleeping = false;
        bool woken = false;
        std::uint64_t until = 0;
        std::uint64_t frozen_until = 0;
    };
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    [[nodiscard]] bool runnable(const sleeper& one) const noexcept;
    void resume(unsigned index);
    bool pass_time();
    void probe();

    world& all_;
    std::vector<std::unique_ptr<sleeper>> sleepers_;
    std::multimap<std::uint64_t, std::function<void()>> events_;
    std::vector<unsigned> candidates_;
};

}  // namespace leat::sim
