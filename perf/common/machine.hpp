// What the figures were measured on.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace leat::perf {

/// Named properties, in order: "date", "cpu", "cpus", "kernel", "memory_bytes", "device",
/// "scheduler", "file_system".
using machine_description = std::vector<std::pair<std::string, std::string>>;

/// Describes this machine and the device that `path` lies on.
[[nodiscard]] machine_description describe_machine(const std::string& path);

}  // namespace leat::perf
