// Signals that end a program, taken in where its main thread waits.
#pragma once

#include <csignal>

namespace leat::apps {

/// While it lives, SIGINT, SIGTERM and SIGHUP wait to be taken, and writing to a closed pipe gives
/// EPIPE instead of SIGPIPE. Signals that were ignored before stay so. To be made on the main
/// thread before any other thread starts, which inherit what it blocks.
class interruption {
public:
    /// Throws boost::system::system_error.
    interruption();
    interruption(const interruption&) = delete;
    interruption& operator=(const interruption&) = delete;
    ~interruption();

    /// Readable when a signal waits; for poll(2).
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    /// The number of a signal that waits, or 0.
    [[nodiscard]] int take() const noexcept;
    /// Waits for a signal and takes it; its number.
    int wait() const noexcept;
    /// From now on a second signal ends the program at once. Main thread.
    void let_through() const noexcept;
    /// Whether SIGPIPE would have ended the program.
    [[nodiscard]] bool pipe_ends() const noexcept;
    /// Ends the program by `signal`, as if it had never been taken.
    [[noreturn]] void raise_again(int signal) const noexcept;

private:
    sigset_t taken_{};
    sigset_t mask_before_{};
    struct sigaction pipe_before_{};
    int descriptor_ = -1;
};

}  // namespace leat::apps
