// An engine whose cache is much smaller than the file, and a raw ring on the same CPU.
#pragma once

#include "common/bench.hpp"
#include "common/pinned_thread.hpp"
#include "common/raw_ring.hpp"

#include <leat/leat.hpp>

#include <functional>
#include <memory>

namespace leat::perf {

/// Opens the target through leat and fills the cache once, so that its memory has been touched.
class cold_engine {
public:
    /// A budget of `memory` bytes, lowered to a quarter of the file unless the user gave one, and
    /// `shards` unless he gave those; 0: all CPUs.
    cold_engine(bench& with, std::uint64_t memory, unsigned shards = 1);

    [[nodiscard]] leat::engine& engine() noexcept { return engine_; }
    [[nodiscard]] chunk_manager& manager() noexcept { return manager_; }
    [[nodiscard]] const leat::file& file() const noexcept { return file_; }
    [[nodiscard]] std::uint64_t chunk_size() const noexcept { return manager_.chunk_size(); }
    /// Bytes of memory for chunks.
    [[nodiscard]] std::uint64_t memory() const noexcept { return engine_.options().memory; }
    /// Bytes of the target's whole chunks.
    [[nodiscard]] std::uint64_t usable_bytes() const noexcept;

    /// Waits until nothing is being filled any more: what leat does in the background must not
    /// meet the rival that comes next.
    void settle();

    /// Reads some chunks through leat and compares them with what pread gives.
    void verify();

private:
    task<> fill();

    bench& bench_;
    leat::engine engine_;
    chunk_manager manager_;
    leat::file file_;
};

/// A raw ring that waits as leat's shards do, on the CPU of shard 0, with as much memory as a
/// cache.
class raw_rival {
public:
    /// Its buffers are as many bytes as `beside` has for chunks.
    raw_rival(bench& with, unsigned depth, std::uint64_t block, const cold_engine& beside);
    /// Another ring on the same thread and memory; the two take turns.
    raw_rival(bench& with, unsigned depth, std::uint64_t block, const raw_rival& beside);
    raw_rival(const raw_rival&) = delete;
    raw_rival& operator=(const raw_rival&) = delete;
    ~raw_rival();
    read_run run(const raw_ring::next_offset& next,
                 histogram* latencies = nullptr,
                 raw_demands* demands = nullptr);

    /// Runs a job on the ring's thread, where it may use the ring itself.
    void on_thread(const std::function<void()>& job) { thread_->run(job); }
    [[nodiscard]] raw_ring& ring() noexcept { return *ring_; }

private:
    raw_rival(bench& with,
              unsigned depth,
              std::uint64_t block,
              std::shared_ptr<pinned_thread> thread,
              std::shared_ptr<mapped_memory> memory);

    std::shared_ptr<pinned_thread> thread_;
    std::shared_ptr<mapped_memory> memory_;
    std::unique_ptr<raw_ring> ring_;
};

}  // namespace leat::perf
