// System calls that fail as a test wants it, by seccomp on a thread of their own.
#pragma once

#include "io_support.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <functional>
#include <future>
#include <thread>

namespace leat::io::test {

/// Lets the calling thread's system call number `call` end in a seccomp `action`.
inline int filter_call(unsigned call, unsigned action, unsigned flags) {
    std::array<sock_filter, 4> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{program.size(), program.data()};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter));
}

/// Lets the calling thread's system call number `call` fail with `error` where one of `bits` is set
/// in its argument number `argument`.
inline void filter_argument(unsigned call, unsigned argument, unsigned bits, int error) {
    const auto offset =
        static_cast<unsigned>(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
    std::array<sock_filter, 6> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{program.size(), program.data()};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

/// Runs `what`, without test macros, on a thread of which one system call fails with `error`.
inline void with_refusal(unsigned call, int error, const std::function<void()>& what) {
    std::thread([&] {
        filter_call(call, SECCOMP_RET_ERRNO | static_cast<unsigned>(error), 0);
        what();
    }).join();
}

/// Answers the system calls that a supervised thread waits in.
inline void decide_calls(int listener,
                         const std::function<int(unsigned)>& decide,
                         const std::atomic<bool>& finished) {
    for (unsigned calls = 0;;) {
        pollfd waited{listener, POLLIN, 0};
        ::poll(&waited, 1, 20);
        if ((waited.revents & POLLIN) == 0) {
            if (finished) {
                return;
            }
            continue;
        }
        seccomp_notif request{};
        seccomp_notif_resp response{};
        if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) {
            continue;
        }
        const int error = decide(calls++);
        response.id = request.id;
        response.error = -error;
        response.flags = error == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
        ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    }
}

/// Runs `what`, without test macros, on a thread. At its system call number `call`, the n-th from 0
/// on, `decide(n)` tells the errno with which that fails, or 0 to let it happen. False, without
/// running it, where the kernel allows no such supervision.
inline bool with_decisions(unsigned call,
                           const std::function<int(unsigned)>& decide,
                           const std::function<void()>& what) {
    std::promise<int> filtered;
    std::atomic<bool> finished{false};
    std::thread supervised([&] {
        const int number =
            filter_call(call, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
        filtered.set_value(number);
        if (number >= 0) {
            what();
        }
        finished = true;
    });
    const descriptor listener(filtered.get_future().get());
    if (listener >= 0) {
        decide_calls(listener, decide, finished);
    } else {
        BOOST_TEST_MESSAGE("skipped: no supervision by seccomp");
    }
    supervised.join();
    return listener >= 0;
}

}  // namespace leat::io::test
