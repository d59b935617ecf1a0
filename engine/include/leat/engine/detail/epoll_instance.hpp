// Finds an epoll descriptor that somebody else keeps to himself.
#pragma once

#include <vector>

namespace leat::detail {

/// This process's epoll descriptors that may watch `descriptor`, by what /proc/self/fdinfo says.
/// Empty where there is no /proc. Any thread; reads many small files.
[[nodiscard]] std::vector<int> epoll_instances_with(int descriptor);

}  // namespace leat::detail
