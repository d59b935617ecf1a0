// One run of one seed from its beginning to its end.
#include "run.hpp"

#include "allocations.hpp"
#include "scheduler.hpp"
#include "simulated_backend.hpp"
#include "verdict.hpp"
#include "workload.hpp"

#include <leat/engine/engine.hpp>

#include <algorithm>
#include <memory>
#include <optional>

namespace leat::sim {

namespace {

constexpr std::uint64_t most_steps = 3'000'000;
constexpr std::uint64_t stop_patience_ns = 600'000'000;

engine_options options_of(const plan& wanted, world& all, scheduler& by) {
    engine_options options;
    options.hosted = true;
    options.pin = false;
    options.shards = wanted.shards;
    options.memory = wanted.shards * wanted.memory;
    options.chunk_size = std::max(wanted.chunk_size, wanted.upper_chunk_size);
    options.policy = cache_policies[wanted.seed % cache_policies.size()];
    options.spin = std::chrono::microseconds{wanted.seed % 3 == 0 ? 5 : 0};
    options.stop_timeout = std::chrono::milliseconds{5'000};
    options.huge_pages = false;
    options.make_backend = [&all, &by](unsigned shard) -> std::unique_ptr<io::backend> {
        return std::make_unique<simulated_backend>(all, by, shard);
    };
    return options;
}

class simulation {
public:
    simulation(const plan& wanted, bool print)
        : all_(wanted, print),
          by_(all_),
          engine_(std::make_unique<engine>(options_of(wanted, all_, by_))) {}

    run_summary run() {
        for (unsigned index = 0; index < engine_->shards(); ++index) {
            shard& one = engine_->at(index);
            one.open();
            by_.add(one, [&one] { one.run(); });
        }
        load_ = std::make_unique<workload>(all_, by_, *engine_);
        load_->begin();
        until_over();
        if (!engine_->stopping()) look();
        stop();
        destroy();
        return {all_.log.hash(), all_.log.events(), all_.now_ns()};
    }

private:
    void step_or(const char* what) {
        require(++steps_ < most_steps, "the run does not come to an end");
        if (!by_.step()) fail(what);
        require(all_.memory_bytes <= engine_->options().memory, "more memory is mapped than given");
    }

    // The actors' time.
    void until_over() {
        while (!load_->over() && !engine_->stopping()) {
            require(++steps_ < most_steps, "the run does not come to an end");
            if (by_.step()) continue;
            const bool in_vain = all_.stuck != 0 || all_.sockets.waits_in_vain();
            if (!in_vain && !load_->over()) fail("nothing happens, and somebody waits");
            // So late that whoever had a time limit, and waits all the same, is found out.
            all_.advance_to(all_.now_ns() + 1'000'000'000);
            engine_->stop();
        }
    }

    // What is left to do in the background is done; then nothing may be counted any more.
    void look() {
        while (by_.step()) require(++steps_ < most_steps, "the run does not come to an end");
        set_failing_allocations(0, 0);
        load_->begin_last_look();
        while (!load_->last_look_taken() && !engine_->stopping())
            step_or("statistics are never given");
    }

    void stop() {
        const std::uint64_t begun = all_.now_ns();
        all_.note("stop");
        engine_->stop();
        while (!by_.ended()) step_or("the engine does not stop");
        if (!all_.device_died) {
            require(all_.now_ns() - begun < stop_patience_ns, "the engine takes long to stop");
            load_->check_ended();
        }
    }

    void destroy() {
        const stop_report report = engine_->join();
        if (report.code) {
            require(all_.device_died, "the engine gave something up");
            return;
        }
        require(report.held == load_->held(), "the engine reports other slices than there are");
        if (all_.planned.seed % 2 == 0) load_->drop_slices();
        engine_.reset();
        if (all_.planned.seed % 2 != 0) load_->drop_slices();
        load_->drop_managers();
        require(all_.files.open_descriptors() == 0, "a descriptor was not closed");
        require(all_.sockets.open_descriptors() == 0, "a socket was not closed");
        require(all_.mapped_bytes == 0, "memory is mapped when all is gone");
        require(detail::frame_pool::live() == frames_, "a coroutine's frame was not freed");
    }

    world all_;
    scheduler by_;
    std::unique_ptr<engine> engine_;
    std::unique_ptr<workload> load_;
    const std::int64_t frames_ = detail::frame_pool::live();
    std::uint64_t steps_ = 0;
};

}  // namespace

run_summary run_plan(const plan& wanted, bool print) {
    set_failing_allocations(wanted.seed, wanted.allocation_one_in);
    const std::int64_t blocks = live_allocations();
    run_summary summary;
    {
        auto run = std::make_unique<simulation>(wanted, print);
        summary = run->run();
        // What an engine has given up refers to all of it.
        if (world::current()->device_died) static_cast<void>(run.release());
    }
    if (world::current() == nullptr) require(live_allocations() == blocks, "memory was not freed");
    return summary;
}

}  // namespace leat::sim
