// The rival of every cold read: a bare ring that reads blocks, and nothing else.
#pragma once

#include "common/clocks.hpp"
#include "common/histogram.hpp"
#include "common/mapped_memory.hpp"
#include "common/target_file.hpp"

#include <liburing.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace leat::perf {

/// How a raw_ring reads. The defaults are what leat does.
struct raw_ring_options {
    unsigned depth = 1;
    std::size_t block = 4096;  ///< bytes, a multiple of 4096
    bool fixed = true;         ///< register the buffers
    bool huge = true;          ///< huge pages
    /// Busy wait before the kernel is asked to wait: leat's shards do so too.
    std::chrono::nanoseconds spin{std::chrono::microseconds{100}};
    /// Hand each read to the kernel by itself, as fio does unless told otherwise; else all that a
    /// batch of completions makes room for at once, as leat does.
    bool submit_each = false;
};

/// What a run of reads took.
struct read_run {
    std::uint64_t reads = 0;
    double seconds = 0;
    double cpu_seconds = 0;  ///< of the whole process
};

/// Reads blocks of one file with O_DIRECT. Made and used on one thread.
class raw_ring {
public:
    raw_ring(const target_file& target, const raw_ring_options& options);
    raw_ring(const raw_ring&) = delete;
    raw_ring& operator=(const raw_ring&) = delete;
    ~raw_ring();

    /// Gives the next block's offset, or false at the end.
    using next_offset = std::function<bool(std::uint64_t& offset)>;

    /// Keeps `depth` reads in flight until `next` ends, and waits for the last. Throws
    /// std::runtime_error for a read that fails or is short.
    read_run run(const next_offset& next, histogram* latencies = nullptr);

    /// The buffer that a read went to last; for checks.
    [[nodiscard]] const std::byte* buffer(unsigned slot) const noexcept {
        return memory_.data() + slot * options_.block;
    }
    [[nodiscard]] bool registered() const noexcept { return registered_; }

private:
    void submit(unsigned slot, std::uint64_t offset);
    void wait();
    unsigned reap(const next_offset& next, histogram* latencies, read_run& result, bool& more);

    raw_ring_options options_;
    descriptor file_;
    mapped_memory memory_;
    std::vector<clock::time_point> begun_;
    io_uring ring_{};
    bool registered_ = false;
};

}  // namespace leat::perf
