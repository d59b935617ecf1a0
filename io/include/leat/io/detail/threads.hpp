// The threads that leat makes: which signals they take, and on which CPUs they run.
#pragma once

#include <sched.h>

#include <csignal>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

namespace leat::detail {

/// As sched_getaffinity(2) for the calling thread, which is told as 0; tests put one of their own
/// in its place.
using affinity_reader = int (*)(pid_t thread, std::size_t bytes, cpu_set_t* mask) noexcept;

/// The CPUs that `read` tells, in ascending order, however many the kernel knows of. CPU 0 if it
/// tells none.
[[nodiscard]] std::vector<unsigned> cpus_told_by(affinity_reader read);

/// A mask of these CPUs, for sched_setaffinity(2); as long as the highest needs.
[[nodiscard]] std::vector<cpu_set_t> mask_of(const std::vector<unsigned>& cpus);

/// The CPUs on which the calling thread may run or, if pin_thread() has pinned it, might before:
/// what is the process's, not the shard's. At least one, in ascending order.
[[nodiscard]] std::vector<unsigned> usable_cpus();

/// Keeps the calling thread on one CPU from now on. Returns 0 or an errno.
[[nodiscard]] int pin_thread(unsigned cpu);

/// Blocks all signals of the calling thread, and of those it starts meanwhile, but for those by
/// which the CPU or the kernel tells of a fault of the thread itself: their handlers run there or
/// nowhere.
class signals_blocked {
public:
    signals_blocked() noexcept;
    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;
    ~signals_blocked();

private:
    sigset_t before_;
};

/// The CPUs of usable_cpus(), for a thread that would inherit a pin. Made by the thread that starts
/// another, called by that.
class pin_shed {
public:
    pin_shed();
    void operator()() const noexcept;

private:
    std::vector<unsigned> cpus_;  // empty: there is no pin
};

/// Starts a thread that runs main(): one that takes no signals, since they are for the program's
/// own, and that inherits no pin of pin_thread(). Throws std::system_error, or std::bad_alloc.
template <class Main>
[[nodiscard]] std::thread start_thread(Main main) {
    const signals_blocked quiet;
    return std::thread{[shed = pin_shed{}, run = std::move(main)]() mutable {
        shed();
        run();
    }};
}

}  // namespace leat::detail
