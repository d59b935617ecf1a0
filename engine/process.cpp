// Notes forks and exits, which engines have to know of.
#include "process.hpp"

#include <leat/io/detail/misuse.hpp>

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace leat::detail {

namespace {
std::atomic<int> count_of_forks{0};  // relaxed: a child begins with one thread

constexpr int none = -1;
std::atomic<int> exit_status{none};
}  // namespace

void watch_process() {
    static const bool watched = [] {
        ::pthread_atfork(nullptr, nullptr,
                         [] { count_of_forks.fetch_add(1, std::memory_order_relaxed); });
        ::on_exit([](int status, void*) { exit_status = status & 0xff; }, nullptr);
        return true;
    }();
    static_cast<void>(watched);
}

int forks() noexcept {
    return count_of_forks.load(std::memory_order_relaxed);
}

void end_process(const char* sentence) noexcept {
    if (exit_status == none) misuse(sentence);
    std::fprintf(stderr, "leat: %s\n", sentence);
    std::fflush(nullptr);  // as std::exit would have done at its end
    ::_exit(exit_status);
}

}  // namespace leat::detail
