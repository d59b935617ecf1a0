// Finds the files that tell of memory pressure, and compares what they count.
#include "memory_pressure.hpp"

#include "control_groups.hpp"

#include <fstream>
#include <utility>

namespace leat::detail {

namespace {
// The part of the time for which some task waited for memory that is too much.
constexpr std::uint64_t most_stalled = 20;
}  // namespace

memory_pressure::memory_pressure(const std::string& root) : stalls_(pressure_file(root)) {
    const std::string machine = root + "/proc/pressure/memory";
    if (!stalls_.empty()) {
        events_ = stalls_.substr(0, stalls_.rfind('/')) + "/memory.events";
    } else if (std::ifstream{machine}.good()) {
        stalls_ = machine;
    }
    stalled_before_ = stalled();
    throttled_before_ = throttled();
}

// The line "some avg10=0.00 avg60=0.00 avg300=0.00 total=0".
std::uint64_t memory_pressure::stalled() const {
    std::ifstream file{stalls_};
    for (std::string word; file >> word && word != "full";) {
        if (word.compare(0, 6, "total=") == 0) return std::stoull(word.substr(6));
    }
    return 0;
}

std::uint64_t memory_pressure::throttled() const {
    return events_.empty() ? 0 : number_of(events_, "high");
}

bool memory_pressure::risen(std::uint64_t microseconds) {
    const std::uint64_t now_stalled = stalled();
    const std::uint64_t now_throttled = throttled();
    const std::uint64_t waited = now_stalled - std::exchange(stalled_before_, now_stalled);
    const std::uint64_t times = now_throttled - std::exchange(throttled_before_, now_throttled);
    return times != 0 || waited * most_stalled > microseconds;
}

}  // namespace leat::detail
