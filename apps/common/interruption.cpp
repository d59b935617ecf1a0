// Blocks the signals that end a program, and waits for them.
#include "common/interruption.hpp"

#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace leat::apps {

interruption::interruption() {
    ::sigemptyset(&taken_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&taken_, signal);
    descriptor_ = ::signalfd(-1, &taken_, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor_ < 0) {
        throw boost::system::system_error(system_error_code(errno), "signalfd");
    }
    ::pthread_sigmask(SIG_BLOCK, &taken_, &mask_before_);
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &pipe_before_);
}

interruption::~interruption() {
    let_through();
    ::sigaction(SIGPIPE, &pipe_before_, nullptr);
    ::close(descriptor_);
}

int interruption::take() const noexcept {
    signalfd_siginfo taken{};
    if (::read(descriptor_, &taken, sizeof taken) != sizeof taken) return 0;
    return static_cast<int>(taken.ssi_signo);
}

int interruption::wait() const noexcept {
    int signal = -1;
    while (signal < 0) signal = ::sigwaitinfo(&taken_, nullptr);  // one not waited for interrupts
    return signal;
}

void interruption::let_through() const noexcept {
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

bool interruption::pipe_ends() const noexcept {
    return pipe_before_.sa_handler != SIG_IGN;
}

void interruption::raise_again(int signal) const noexcept {
    struct sigaction plain{};
    plain.sa_handler = SIG_DFL;
    ::sigaction(signal, &plain, nullptr);
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, signal);
    ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    ::raise(signal);
    ::_exit(128 + signal);  // it does not come this far
}

}  // namespace leat::apps
