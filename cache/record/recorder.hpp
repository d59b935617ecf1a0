// What a recording does on a thread of its own: encodes what the shards hand over, and writes it.
#pragma once

#include "block_stack.hpp"
#include "recording_encoder.hpp"

#include <leat/cache/detail/file_registry.hpp>
#include <leat/cache/detail/request_log.hpp>
#include <leat/cache/detail/shared_cache.hpp>
#include <leat/cache/recording.hpp>

#include <boost/system/error_code.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace leat::detail {

/// Blocks on their way from shards to one file and back. Each shard has blocks of its own: it waits
/// for nobody, and what was read last, which caches still have, it gets first.
class recorder final : public file_listener {
public:
    /// Begins to write to `file`, and closes it at the end. Throws std::bad_alloc and what starting
    /// a thread throws.
    recorder(leat::engine& engine,
             std::shared_ptr<manager_core> manager,
             int file,
             const recording_options& options);
    recorder(const recorder&) = delete;
    recorder& operator=(const recorder&) = delete;
    ~recorder();

    [[nodiscard]] const manager_core& manager() const noexcept { return *manager_; }
    /// Nothing is to be noted any more. Any thread.
    [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_relaxed); }

    // For each shard's log, on its thread.

    /// An empty block, or nullptr if all are on their way.
    [[nodiscard]] log_block* take(unsigned shard) noexcept;
    void give(log_block& filled, std::size_t slots) noexcept;
    /// Where requests go that are lost: the end of what is aligned as a block.
    [[nodiscard]] log_slot* room_for_lost(unsigned shard) noexcept;
    void add_lost(std::uint64_t requests) noexcept { lost_.fetch_add(requests); }

    /// Calls function(engine) unless it has ended; it does not end meanwhile. Any thread.
    template <class Function>
    void with_engine(Function function) {
        const std::lock_guard lock{engine_mutex_};
        if (engine_ != nullptr) function(*engine_);
    }
    /// The same once more, and never again.
    template <class Function>
    void engine_ends(Function function) {
        const std::lock_guard lock{engine_mutex_};
        if (leat::engine* const ending = std::exchange(engine_, nullptr)) function(*ending);
    }
    /// Writes what was handed over, and ends the file. The shards note nothing any more. Any
    /// thread, once.
    [[nodiscard]] recording_summary finish() noexcept;

    void opened(const file_record& record, const std::string& name) noexcept override;

private:
    struct alignas(64) lane {
        block_stack empty;
        block_stack filled;
        std::atomic<std::size_t> left{0};  ///< blocks that are empty
    };
    struct free_memory {
        void operator()(std::byte* memory) const noexcept;
    };

    void run() noexcept;
    [[nodiscard]] bool encode_filled();
    void know_opened();
    void wait(bool idle) noexcept;
    void flush() noexcept;
    void fail(int error) noexcept;

    std::shared_ptr<manager_core> manager_;
    std::mutex engine_mutex_;
    leat::engine* engine_;
    int file_;
    std::size_t blocks_a_shard_;
    std::unique_ptr<std::byte, free_memory> memory_;
    std::vector<log_block> blocks_;
    std::vector<lane> lanes_;
    std::atomic<bool> ended_{false};
    std::atomic<std::uint64_t> lost_{0};

    std::mutex mutex_;  // the two that follow
    std::vector<recorded_file> opened_;
    bool finishing_ = false;
    std::condition_variable changed_;
    std::atomic<bool> asleep_{false};

    // The thread's own.
    recording_encoder encoder_;
    std::vector<unsigned char> out_;
    std::chrono::steady_clock::time_point written_at_{};
    std::chrono::microseconds pause_{0};
    std::uint64_t written_ = 0;
    std::uint64_t written_requests_ = 0;  ///< of the encoder's, those that are in the file
    boost::system::error_code failure_;
    std::thread thread_;
};

}  // namespace leat::detail
