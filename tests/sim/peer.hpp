// The program at the far side of a connection.
#pragma once

#include "scheduler.hpp"
#include "simulated_sockets.hpp"
#include "world.hpp"

#include <cstdint>

namespace leat::sim {

/// Reads what it is sent and sends bytes of its own, in pieces, with rests; may reset the
/// connection, or do nothing any more. What it does is drawn when it does it.
class peer {
public:
    /// One that sends `to_write` bytes and reads what comes meanwhile. With `stays` it ends after
    /// the near side only.
    peer(world& all, scheduler& by, std::uint64_t to_write, bool stays);
    peer(const peer&) = delete;
    peer& operator=(const peer&) = delete;

    [[nodiscard]] const simulated_sockets::connection& line() const noexcept { return line_; }

private:
    void stir();
    void step();
    void fall_silent();
    void read();
    void write();

    world& all_;
    scheduler& by_;
    simulated_sockets::connection line_;
    std::uint64_t to_write_;
    const bool stays_;
    bool due_ = false;
};

}  // namespace leat::sim
