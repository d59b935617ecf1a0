// A connection of the made-up network, as the kernel keeps it.
#pragma once

#include <leat/io/file.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace leat::sim {

/// Two bounded queues between the near side, a socket of the code under test, and the far side, a
/// program that the simulation plays. What goes either way is known by its position, so that only
/// counts are kept: each byte is checked, or made, where it passes.
struct simulated_connection {
    std::uint64_t number = 0;  ///< from 1 on
    std::uint64_t room = 0;    ///< bytes that may be under way, each way
    bool connected = false;
    bool closed = false;     ///< by the near side
    bool was_reset = false;  ///< by the far side
    int error = 0;           ///< an errno that the next operation is told
    /// The far side does nothing any more, and keeps it open.
    bool silent = false;

    std::uint64_t sent = 0;     ///< from near to far
    std::uint64_t unread = 0;   ///< of it, by the far side
    bool near_ended = false;    ///< no more follows
    bool near_reads = true;     ///< and not: it has shut that down
    std::uint64_t written = 0;  ///< from far to near
    std::uint64_t received = 0;
    bool far_ended = false;  ///< no more follows

    /// Of what file the near side sends the bytes, from where on.
    io::file_version version;
    std::uint64_t offset = 0;

    /// Calls the far side's attention to what the near side has done.
    std::function<void()> stir;

    /// Whether `bytes` are those that come `position` bytes after the first that are sent.
    [[nodiscard]] bool match(std::span<const std::byte> bytes,
                             std::uint64_t position) const noexcept;
    /// The bytes from the far side, and whether they are.
    void make(std::span<std::byte> bytes, std::uint64_t position) const noexcept;
    [[nodiscard]] bool made(std::span<const std::byte> bytes,
                            std::uint64_t position) const noexcept;

    /// What explains an error: see world::blame().
    [[nodiscard]] std::uint64_t culprit() const noexcept { return std::uint64_t{1} << 40 | number; }
};

}  // namespace leat::sim
