// What a replay counts, and what follows from it.
#pragma once

#include <leat/engine/options.hpp>

#include <array>
#include <cstdint>

namespace leat::perf {

/// What a device takes for a read: something for each, and something for each byte. The defaults
/// are those of a virtual disk of 2.4 GB/s.
struct device_model {
    double read_seconds = 85e-6;
    double bytes_per_second = 2.4e9;
};

struct replay_figures {
    std::uint64_t requests = 0;
    std::uint64_t missed = 0;  ///< requests that were not served wholly from memory
    std::uint64_t bytes_served = 0;
    std::uint64_t loads = 0;  ///< chunks that came into memory
    std::uint64_t reads = 0;  ///< what is read for one request and touches is one
    std::uint64_t bytes_read = 0;
    std::uint64_t pieces = 0;       ///< parts of requests, each of one chunk
    std::uint64_t late_pieces = 0;  ///< of them, those that had to wait
    /// Of `late_pieces`, what they are estimated to be with half the memory, twice and four times.
    std::array<std::uint64_t, 3> estimates{};

    replay_figures& operator+=(const replay_figures& other) noexcept {
        requests += other.requests;
        missed += other.missed;
        bytes_served += other.bytes_served;
        loads += other.loads;
        reads += other.reads;
        bytes_read += other.bytes_read;
        pieces += other.pieces;
        late_pieces += other.late_pieces;
        return *this;
    }
    [[nodiscard]] double miss_ratio() const noexcept { return over(missed, requests); }
    [[nodiscard]] double mean_read_bytes() const noexcept { return over(bytes_read, reads); }
    [[nodiscard]] double bytes_read_per_byte() const noexcept {
        return over(bytes_read, bytes_served);
    }
    [[nodiscard]] double device_seconds(const device_model& device) const noexcept {
        return static_cast<double>(reads) * device.read_seconds +
               static_cast<double>(bytes_read) / device.bytes_per_second;
    }
    /// Seconds that the device works for each GiB that is served.
    [[nodiscard]] double device_seconds_per_gib(const device_model& device) const noexcept {
        const double served_gib = static_cast<double>(bytes_served) / static_cast<double>(GiB);
        return served_gib == 0 ? 0 : device_seconds(device) / served_gib;
    }

private:
    [[nodiscard]] static double over(std::uint64_t one, std::uint64_t other) noexcept {
        return other == 0 ? 0 : static_cast<double>(one) / static_cast<double>(other);
    }
};

}  // namespace leat::perf
