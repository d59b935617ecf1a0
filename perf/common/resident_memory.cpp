// Reads /proc/self/statm.
#include "common/resident_memory.hpp"

#include <unistd.h>

#include <fstream>

namespace leat::perf {

std::uint64_t resident_bytes() {
    std::ifstream statm{"/proc/self/statm"};
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    statm >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace leat::perf
