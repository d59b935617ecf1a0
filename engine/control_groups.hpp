// What the control groups of this process allow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace leat::detail {

/// The narrowest limits of a process's control groups: its own, and every group above that can be
/// seen, since each of them counts what the process uses.
struct group_limits {
    std::uint64_t memory = std::numeric_limits<std::uint64_t>::max();  ///< bytes
    std::string memory_file;  ///< which says so, without `root`; empty if there is no limit
    /// Bytes that the limits leave. Page cache that the kernel can drop counts as free.
    std::uint64_t memory_left = std::numeric_limits<std::uint64_t>::max();
    std::size_t cpus = std::numeric_limits<std::size_t>::max();  ///< whole CPUs of time, at least 1
};

/// Those of this process, of version 1 and 2, wherever they are mounted. `root` is put before the
/// paths of /proc and of all mounts: tests make a tree up.
[[nodiscard]] group_limits limits_of_groups(const std::string& root = "");

/// The path of memory.pressure of this process's group of version 2, or "" if there is none that
/// can be read.
[[nodiscard]] std::string pressure_file(const std::string& root = "");

/// The number behind `key` in a file of lines with a key and a number each; 0 if it is not there.
[[nodiscard]] std::uint64_t number_of(const std::string& path, std::string_view key);

}  // namespace leat::detail
