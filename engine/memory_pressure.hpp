// Whether the kernel is short of memory for this process's control group, or for the machine.
#pragma once

#include <cstdint>
#include <string>

namespace leat::detail {

/// Reads the stall times of memory.pressure and the count of memory.high in memory.events of the
/// process's group of version 2, or the machine's stall times where there is no such group: see
/// Documentation/accounting/psi.rst and admin-guide/cgroup-v2.rst of the Linux kernel. One thread.
class memory_pressure {
public:
    /// `root` is put before all paths: tests make a tree up.
    explicit memory_pressure(const std::string& root = "");

    /// Whether the kernel tells anything.
    [[nodiscard]] bool told() const noexcept { return !stalls_.empty(); }
    /// Whether in the `microseconds` since the last call, or the beginning, tasks waited for memory
    /// for a twentieth of the time, or the group was over its memory.high.
    [[nodiscard]] bool risen(std::uint64_t microseconds);

private:
    [[nodiscard]] std::uint64_t stalled() const;
    [[nodiscard]] std::uint64_t throttled() const;

    std::string stalls_;  ///< path of the file
    std::string events_;
    std::uint64_t stalled_before_ = 0;  ///< microseconds
    std::uint64_t throttled_before_ = 0;
};

}  // namespace leat::detail
