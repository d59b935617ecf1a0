// Processes that may lock little memory, as those of ordinary users.
#pragma once

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>

namespace leat::test {

/// From now on this process may lock so much; it gives up the capability to lock more.
[[nodiscard]] inline bool limit_locked_memory(rlim_t bytes) {
    const rlimit limit{bytes, bytes};
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> capabilities{};
    if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
        ::syscall(SYS_capget, &header, capabilities.data()) != 0) {
        return false;
    }
    capabilities[0].effective &= ~(1U << CAP_IPC_LOCK);
    capabilities[0].permitted &= ~(1U << CAP_IPC_LOCK);
    return ::syscall(SYS_capset, &header, capabilities.data()) == 0;
}

/// Calls what() in a child process that may lock so much, and returns what that returns, 0 to 100;
/// -1 if there is no such process. No test macros in it.
template <class Function>
[[nodiscard]] int with_locked_memory(rlim_t bytes, Function what) {
    std::fflush(nullptr);  // else what is buffered may be written by both
    const pid_t child = ::fork();
    if (child == 0) ::_exit(limit_locked_memory(bytes) ? what() : 101);
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status) == 101 ? -1 : WEXITSTATUS(status);
}

}  // namespace leat::test
