// Every allocation of the process: counted, and failed on demand.
#pragma once

#include <cstdint>

namespace leat::sim {

/// From now on, in code that allocations_fail_here encloses, one allocation in `one_in` fails;
/// 0: none. Decided by `seed` and the order of the allocations alone.
void set_failing_allocations(std::uint64_t seed, unsigned one_in) noexcept;

/// Allocations that were failed so far.
[[nodiscard]] std::uint64_t failed_allocations() noexcept;

/// Blocks of operator new and aligned_alloc that are alive.
[[nodiscard]] std::int64_t live_allocations() noexcept;

/// While it lives, allocations may fail: the code under test runs.
class allocations_fail_here {
public:
    allocations_fail_here() noexcept;
    allocations_fail_here(const allocations_fail_here&) = delete;
    allocations_fail_here& operator=(const allocations_fail_here&) = delete;
    ~allocations_fail_here();

private:
    bool before_;
};

/// While it lives, none fails: the simulation's own code runs.
class allocations_succeed {
public:
    allocations_succeed() noexcept;
    allocations_succeed(const allocations_succeed&) = delete;
    allocations_succeed& operator=(const allocations_succeed&) = delete;
    ~allocations_succeed();

private:
    bool before_;
};

}  // namespace leat::sim
