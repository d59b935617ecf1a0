// Processes that may lock little memory, as those of ordinary users.
#pragma once

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace leat::test {

/// From now on this process may lock so much; it gives up the capability to lock more. What is
/// locked counts for the user: where it may, the process becomes one that nobody else is.
[[nodiscard]] inline bool limit_locked_memory(rlim_t bytes) {
    const rlimit limit{bytes, bytes};
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> capabilities{};
    const auto nobody_else = 1'000'000 + static_cast<uid_t>(::getpid());
    if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
        (::setresuid(nobody_else, nobody_else, nobody_else) != 0 && errno != EPERM) ||
        ::syscall(SYS_capget, &header, capabilities.data()) != 0) {
        return false;
    }
    capabilities[0].effective = capabilities[0].permitted;
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
