// What a run's parts share: time, chance, files, faults, and what has been done to them.
#pragma once

#include "plan.hpp"
#include "random.hpp"
#include "simulated_files.hpp"
#include "simulated_sockets.hpp"
#include "trace.hpp"

#include <leat/io/backend.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace leat::sim {

class world {
public:
    world(const plan& wanted, bool print);
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world();

    /// The one that runs, or nullptr.
    [[nodiscard]] static world* current() noexcept;

    [[nodiscard]] std::uint64_t now_ns() const noexcept { return now_; }
    [[nodiscard]] io::time_point now() const noexcept {
        return io::time_point{std::chrono::nanoseconds{now_}};
    }
    void advance_to(std::uint64_t time) noexcept { now_ = time; }
    [[nodiscard]] static std::uint64_t ns(io::time_point time) noexcept {
        return static_cast<std::uint64_t>(time.time_since_epoch().count());
    }

    /// Notes an event; see trace.
    void note(std::string_view what,
              std::uint64_t a = 0,
              std::uint64_t b = 0,
              std::uint64_t c = 0) noexcept {
        log.note(now_, running, what, a, b, c);
    }
    /// Where the run is, for a failure.
    [[nodiscard]] std::string place() const;

    /// Whether a fault of this kind strikes now.
    [[nodiscard]] bool strikes(fault kind) noexcept {
        return planned.faults.has(kind) && device.chance(planned.fault_permille);
    }
    /// Remembers that `error` (an errno) was given, for file `number` (0: any).
    void blame(int error, std::uint64_t number) { blamed_[{error, number}] = now_; }
    /// Whether `error` was given for file `number`, or for any, since `time`.
    [[nodiscard]] bool blamed(int error, std::uint64_t number, std::uint64_t time) const;

    const plan planned;
    random_stream schedule;
    random_stream device;
    trace log;
    simulated_files files;
    simulated_sockets sockets{*this};
    std::function<void(unsigned)>
        submitted;                   ///< a shard has submitted what it had, and ends its turn
    int running = -1;                ///< the shard that runs
    std::uint64_t progress = 0;      ///< what the actors have done
    unsigned stuck = 0;              ///< reads in flight that end only by cancellation
    bool device_died = false;        ///< a read is in flight that never ends
    std::uint64_t mapped_bytes = 0;  ///< by the code under test: address space
    std::uint64_t memory_bytes = 0;  ///< of them, that it may use

private:
    std::uint64_t now_ = 1'000'000'000;
    std::map<std::pair<int, std::uint64_t>, std::uint64_t> blamed_;
};

}  // namespace leat::sim
