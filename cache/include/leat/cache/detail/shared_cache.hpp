// What the shards of one engine's cache share: the registry of files, and the memory that slices
// keep alive.
#pragma once

#include <leat/cache/detail/chunk_place.hpp>
#include <leat/cache/detail/file_registry.hpp>
#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/file.hpp>
#include <leat/engine/engine.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace leat {
struct manager_options;
}

namespace leat::detail {

class recorder;

/// Divides by a size that is known at run time, without a division: shift, multiply, take the upper
/// half. Exact for numerators below 2^63 and multiples of 64 KiB up to 1 GiB: with n < 2^47 and an
/// odd part d < 2^15 the error of the rounded-up reciprocal, below n * d / 2^64, never reaches the
/// next integer (Granlund and Montgomery, 1994).
class reciprocal {
public:
    explicit reciprocal(std::uint64_t divisor) noexcept;
    [[nodiscard]] std::uint64_t divide(std::uint64_t numerator) const noexcept {
        return static_cast<std::uint64_t>(
            (static_cast<wide_integer>(numerator >> shift_) * factor_) >> 64);
    }

private:
    std::uint64_t factor_;
    unsigned shift_;
};

struct fill_queue;

/// What a manager's chunks and files need of it; outlives the manager while they exist.
struct manager_core {
    manager_core(std::shared_ptr<shared_cache> cache_,
                 std::uint64_t chunk_size_,
                 std::unique_ptr<any_source> source_,
                 const manager_options& options);

    /// Where `offset` lies, in whichever file.
    [[nodiscard]] chunk_place locate(std::uint64_t offset) const noexcept {
        const std::uint64_t index = by_chunk.divide(offset);
        return {index, offset - index * chunk_size};
    }
    [[nodiscard]] unsigned owner(std::uint64_t number, std::uint64_t index) const noexcept;
    /// The part of the shard that runs on this thread; programmer's error if there is none, or one
    /// of another engine.
    [[nodiscard]] shard_cache& here() const noexcept;

    reciprocal by_chunk;
    std::uint64_t chunk_size;
    time_span pin_deadline;
    std::unique_ptr<any_source> source;
    std::uint64_t grain;  ///< the least that is read: a power of two of units
    std::weak_ptr<shared_cache> cache;
    const leat::engine* engine;
    std::uint64_t serial;  ///< among the managers of its engine, in the order of their making
    std::shared_ptr<fill_queue[]> fills;  ///< one a shard, for its thread
    unsigned shards;
};

/// The engine's one cache. Lives as long as the engine, a manager, a file or a slice.
class shared_cache : public std::enable_shared_from_this<shared_cache> {
public:
    explicit shared_cache(leat::engine& engine);
    ~shared_cache();

    /// The engine's, made at the first call. Any thread.
    static std::shared_ptr<shared_cache> of(leat::engine& engine);

    [[nodiscard]] leat::engine& engine() const noexcept { return engine_; }
    [[nodiscard]] file_registry& files() noexcept { return files_; }
    [[nodiscard]] shard_cache& at(unsigned index) noexcept { return *shards_[index]; }
    [[nodiscard]] unsigned shards() const noexcept { return static_cast<unsigned>(shards_.size()); }

    /// Sees to it that the tables have room for chunks of this size, a manager's. Any thread.
    /// Throws std::bad_alloc.
    void expect_chunks_of(std::uint64_t chunk_size);
    /// How many buckets a shard's table is to have for them, with the memory that there is now. Any
    /// thread.
    [[nodiscard]] std::uint64_t buckets() const noexcept;

    /// For one more manager. Any thread.
    [[nodiscard]] std::uint64_t next_manager_number() noexcept {
        return managers_.fetch_add(1, std::memory_order_relaxed);
    }
    /// What a request for a chunk failed with, and where. Any thread.
    [[nodiscard]] error failure(const chunk_config& wanted, boost::system::error_code code);

    /// What make(engine), called unless the engine has ended or a manager of it is recorded, gives
    /// to record with. It knows the files, but the shards do not know it yet. `path` is for errors.
    /// Any thread.
    std::shared_ptr<recorder> begin_recording(
        const std::function<std::shared_ptr<recorder>(leat::engine&)>& make,
        const std::string& path);
    /// Has all shards hand over what they have noted, those that answer within `patience`; returns
    /// whether all have. A thread that is no shard; the engine does not end meanwhile.
    bool end_recording(const std::shared_ptr<recorder>& by, time_span patience) noexcept;
    /// The engine ends, one way or other.
    void forget_engine() noexcept;

    /// After the shards have ended: closes each part; returns how many pins are left.
    std::uint64_t close() noexcept;
    /// A pin given up after close(); the last one frees the memory.
    void settle_orphans(std::uint64_t pins) noexcept;

private:
    struct growth;
    [[nodiscard]] std::uint64_t buckets_for(std::uint64_t chunk_size) const noexcept;

    leat::engine& engine_;
    file_registry files_;
    std::vector<std::unique_ptr<shard_cache>> shards_;
    std::vector<std::shared_ptr<io::buffer_arena>> arenas_;
    std::atomic<std::uint64_t> managers_{0};
    std::atomic<std::uint64_t> smallest_chunk_;
    std::mutex growing_;  // the one that follows, and changes of the one before
    std::vector<std::unique_ptr<growth>> growths_;  // kept: a shard that has ended takes none
    // Far above any number of pins until close() takes the excess away, so that it reaches 0 only
    // after that.
    static constexpr std::int64_t excess = std::int64_t{1} << 62;
    std::atomic<std::int64_t> orphans_{excess};
    std::shared_ptr<shared_cache> kept_by_orphans_;
    std::mutex recording_;  // the two that follow
    std::shared_ptr<recorder> recorder_;
    bool engine_ended_ = false;
};

}  // namespace leat::detail
