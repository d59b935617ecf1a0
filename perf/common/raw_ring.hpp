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
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace leat::perf {

/// How a raw_ring reads. The defaults are what leat does.
struct raw_ring_options {
    unsigned depth = 1;
    std::size_t block = 4096;  ///< bytes, a multiple of 4096
    /// Its buffers, used in turn: as much memory as the cache has that the ring is compared with,
    /// since a buffer that stays in the CPU's cache is read into faster than a fresh one. Without
    /// any, the ring makes `depth` buffers and one for demands. Rings may share it, one at a time.
    std::shared_ptr<mapped_memory> memory;
    bool fixed = true;  ///< register the buffers
    bool huge = true;   ///< huge pages
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

/// Pages that are wanted at once while a ring keeps its blocks in flight: one at a time.
struct raw_demands {
    std::function<bool(std::uint64_t& offset)> next;  ///< as raw_ring::next_offset
    histogram* latencies = nullptr;
    std::uint64_t reads = 0;  ///< of the demands, when the run has ended
};

/// Reads blocks of one file with O_DIRECT. Made and used on one thread.
class raw_ring {
public:
    raw_ring(const target_file& target, raw_ring_options options);
    raw_ring(const raw_ring&) = delete;
    raw_ring& operator=(const raw_ring&) = delete;
    ~raw_ring();

    /// Gives the next block's offset, or false at the end.
    using next_offset = std::function<bool(std::uint64_t& offset)>;

    /// Keeps `depth` reads in flight until `next` ends, and waits for the last. With `demands`, a
    /// page is in flight besides, and the run ends when `demands` does. Throws std::runtime_error
    /// for a read that fails or is short.
    read_run run(const next_offset& next,
                 histogram* latencies = nullptr,
                 raw_demands* demands = nullptr);

    [[nodiscard]] bool registered() const noexcept { return registered_; }

private:
    /// What one run keeps.
    struct progress {
        const next_offset& next;
        histogram* latencies;
        raw_demands* demands;
        read_run result{};
        unsigned in_flight = 0;
        bool more = true;
    };

    [[nodiscard]] std::byte* buffer(std::size_t number) const noexcept {
        return options_.memory->data() + number * options_.block;
    }
    void register_memory();
    void submit(std::size_t number, std::size_t size, std::uint64_t offset);
    void submit_next(progress& of);
    void submit_demand(progress& of);
    void wait();
    void reap(progress& of);
    void landed(progress& of, std::size_t number, int bytes);

    raw_ring_options options_;
    descriptor file_;
    std::size_t buffers_ = 0;  ///< the one behind them is for demands
    std::size_t blocks_an_iovec_;
    std::deque<std::size_t> free_;
    std::vector<clock::time_point> begun_;
    io_uring ring_{};
    bool registered_ = false;
};

}  // namespace leat::perf
