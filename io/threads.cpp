// Signal masks, names and CPUs of threads.
#include <leat/io/detail/threads.hpp>

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace leat::detail {

namespace {

// 64 times 1,024 CPUs: eight times what any kernel is built for.
constexpr std::size_t longest_mask = 64;

// Where this thread might run before it was pinned; empty if it was not.
thread_local std::vector<unsigned> cpus_before_pin;

int set_affinity(const std::vector<unsigned>& cpus) {
    const std::vector<cpu_set_t> mask = mask_of(cpus);
    return ::pthread_setaffinity_np(::pthread_self(), mask.size() * sizeof(cpu_set_t), mask.data());
}

}  // namespace

std::vector<unsigned> cpus_told_by(affinity_reader read) {
    std::vector<unsigned> cpus;
    for (std::size_t length = 1; length <= longest_mask && cpus.empty(); length *= 2) {
        std::vector<cpu_set_t> mask(length);
        const std::size_t bytes = length * sizeof(cpu_set_t);
        if (read(0, bytes, mask.data()) != 0) {
            if (errno == EINVAL) continue;  // the kernel's mask is longer
            break;
        }
        for (unsigned cpu = 0; cpu < 8 * bytes; ++cpu) {
            if (CPU_ISSET_S(cpu, bytes, mask.data())) cpus.push_back(cpu);
        }
    }
    if (cpus.empty()) cpus.push_back(0);
    return cpus;
}

std::vector<cpu_set_t> mask_of(const std::vector<unsigned>& cpus) {
    const auto highest = std::max_element(cpus.begin(), cpus.end());
    std::vector<cpu_set_t> mask(highest == cpus.end() ? 1 : *highest / CPU_SETSIZE + 1);
    for (const unsigned cpu : cpus) CPU_SET_S(cpu, mask.size() * sizeof(cpu_set_t), mask.data());
    return mask;
}

std::vector<unsigned> usable_cpus() {
    return cpus_before_pin.empty() ? cpus_told_by(&::sched_getaffinity) : cpus_before_pin;
}

int pin_thread(unsigned cpu) {
    std::vector<unsigned> before = usable_cpus();
    const int failure = set_affinity({cpu});
    if (failure == 0) cpus_before_pin = std::move(before);
    return failure;
}

signals_blocked::signals_blocked() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) {
        ::sigdelset(&all, fault);
    }
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
}

signals_blocked::~signals_blocked() {
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

pin_shed::pin_shed() : cpus_(cpus_before_pin) {}

void pin_shed::operator()() const noexcept {
    if (cpus_.empty()) return;
    try {
        static_cast<void>(set_affinity(cpus_));
    } catch (const std::bad_alloc&) {  // it then runs where it was started
    }
}

}  // namespace leat::detail
