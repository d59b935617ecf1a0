// The cache as its users see it.
#pragma once

#include <leat/cache/chunk_config.hpp>
#include <leat/cache/detail/shared_cache.hpp>
#include <leat/cache/file.hpp>
#include <leat/cache/file_source.hpp>
#include <leat/cache/slice.hpp>
#include <leat/cache/slice_stream.hpp>
#include <leat/cache/statistics.hpp>
#include <leat/engine/detail/awaited_once.hpp>
#include <leat/engine/spawned.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace leat {

namespace detail {
struct manager_access;
}

/// What a fill reads at a time while requests wait for the device: behind large reads they would
/// wait long, and smaller ones cost throughput.
inline constexpr std::uint64_t fill_piece = 512 * KiB;

/// Options of one manager.
struct manager_options {
    std::uint64_t chunk_size = 0;  ///< bytes; 0: the engine's
    /// How long get_chunk waits while every chunk is pinned; time_span::max(): for ever.
    time_span pin_deadline = std::chrono::seconds{30};
    /// Bytes of fills that a shard keeps in flight while requests wait for the device: a multiple
    /// of fill_piece, up to 64 MiB. A request waits behind them, and a device that is given less
    /// reads slower: on a virtual disk of 2.4 GB/s half a MiB in flight costs two fifths of the
    /// rate, two MiB a tenth.
    std::uint64_t competing_fill_bytes = 2 * fill_piece;
};

/// Awaits a slice; what chunk_manager::get_chunk returns. The lookup is await_ready: a hit neither
/// suspends nor allocates, locks, or calls the system, unless it is this turn's last and lets
/// others go first.
class [[nodiscard]] get_chunk_awaiter {
public:
    [[nodiscard]] get_chunk_awaiter(const detail::manager_core& manager,
                                    const chunk_config& config) noexcept
        : get_chunk_awaiter(manager, config, detail::patience_of(config.hint)) {}
    [[nodiscard]] get_chunk_awaiter(const detail::manager_core& manager,
                                    const chunk_config& config,
                                    leat::detail::patience patience) noexcept
        : manager_(manager),
          file_(config.file.number),
          offset_(config.offset),
          size_(config.size),
          patience_(patience) {}
    /// Before it is awaited, not after.
    get_chunk_awaiter(get_chunk_awaiter&& unused) noexcept
        : manager_(unused.manager_),
          file_(unused.file_),
          offset_(unused.offset_),
          size_(unused.size_),
          patience_(unused.patience_) {}

    // Left alone, GCC calls it: the compiler's cost of a coroutine's body hides what inlining
    // saves.
    [[nodiscard, gnu::always_inline]] bool await_ready() noexcept {
        if (entry_ != nullptr || wait_) [[unlikely]]
            detail::awaited_again();
        shard* const current = shard::current();
        void* const state = current != nullptr ? current->cache_state() : nullptr;
        if (state == nullptr) [[unlikely]]
            (void)manager_.here();
        shard& here = *current;
        auto& cache = *static_cast<detail::shard_cache*>(state);
        const detail::chunk_place place = manager_.locate(offset_);
        in_ = place.in;
        entry_ = cache.hit(manager_, file_, place, size_, here);
        return entry_ != nullptr && here.spend_hit();
    }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
        return suspend(coroutine, stop_of(coroutine), name_of(coroutine));
    }
    /// Throws leat::system_error.
    [[nodiscard]] slice await_resume() {
        if (entry_ == nullptr && !waited()) [[unlikely]]
            throw system_error(failure());
        return {*entry_, in_, size_};
    }
    /// The outcome without exceptions.
    [[nodiscard]] result<slice> take() {
        if (entry_ == nullptr && !waited()) [[unlikely]]
            return failure();
        return slice{*entry_, in_, size_};
    }

private:
    struct waiting final : detail::suspension, detail::chunk_request {
        explicit waiting(const get_chunk_awaiter& of_) noexcept : of(of_) {}
        [[nodiscard]] where awaits() const noexcept override;
        const get_chunk_awaiter& of;
    };

    bool suspend(std::coroutine_handle<> coroutine, const std::stop_token* token, const char* name);
    static void ended(detail::chunk_request& request) noexcept;
    static void stopped(detail::suspension& self) noexcept;
    /// Takes over what the wait has pinned, if anything.
    bool waited() noexcept {
        entry_ = wait_->pinned;
        return entry_ != nullptr;
    }
    [[nodiscard]] error failure() const;

    const detail::manager_core& manager_;
    // The request, member by member: copied as a whole it would be loaded by wider moves than those
    // that have just stored it, which the CPU cannot forward.
    std::uint64_t file_;
    std::uint64_t offset_;
    std::uint32_t size_;
    leat::detail::patience patience_;
    detail::entry* entry_ = nullptr;
    std::uint64_t in_ = 0;
    std::optional<waiting> wait_;  // engaged only by a miss
};

/// `co_await as_result(manager.get_chunk(config))` gives a leat::result<slice> instead of throwing.
class [[nodiscard]] as_result : private get_chunk_awaiter {
public:
    [[nodiscard]] explicit as_result(get_chunk_awaiter&& awaiter) noexcept
        : get_chunk_awaiter(std::move(awaiter)) {}
    using get_chunk_awaiter::await_ready;
    using get_chunk_awaiter::await_suspend;
    [[nodiscard]] result<slice> await_resume() { return take(); }
};

/// Serves slices of a source's files from memory. Its members run on any shard of its engine,
/// except where said; one object serves all shards at once. Managers on one engine share its
/// memory. Must outlive the calls on it.
class chunk_manager {
public:
    /// Throws leat::system_error: errc::invalid_option for a chunk size, errc::budget_too_small
    /// when a shard has no room for two chunks. Any thread.
    template <chunk_source S>
    chunk_manager(leat::engine& engine, S source, manager_options options = {})
        : chunk_manager(engine,
                        std::unique_ptr<detail::any_source>(
                            std::make_unique<detail::source_model<S>>(std::move(source))),
                        options) {}
    /// A manager over a manager of the same engine, which may be destroyed before it.
    chunk_manager(leat::engine& engine, chunk_manager& lower, manager_options options = {});
    chunk_manager(leat::engine& engine,
                  std::unique_ptr<detail::any_source> source,
                  manager_options options);
    chunk_manager(const chunk_manager&) = delete;
    chunk_manager& operator=(const chunk_manager&) = delete;

    /// Opens the present version of a file. Throws leat::system_error with the source's error.
    [[nodiscard]] task<file> open(std::string name);

    /// `co_await` gives a slice of config.size bytes, or throws leat::system_error: errc::closed,
    /// out_of_range (size 0, too), crosses_chunk, all_pinned, file_changed, cancelled, stopped, or
    /// the source's error. On a miss the demanded bytes are read first, then the rest of the chunk;
    /// whoever asks for the same bytes meanwhile shares the read. Nothing failed is cached.
    /// Observes the enclosing stop token; only this request is cancelled, and with it what is read
    /// for nobody else. What the device wrote is seen.
    [[nodiscard]] get_chunk_awaiter get_chunk(const chunk_config& config) const noexcept {
        return {*core_, config};
    }
    /// What is in memory now, or an empty slice. Never waits.
    [[nodiscard]] slice peek(const chunk_config& config) const noexcept;

    /// Copies from `offset` on into `to`, across chunk borders; returns the count, less than
    /// to.size() only at the end of the file. Where there is no buffer, since every chunk is pinned
    /// or being filled, it reads past the cache: straight into `to` as far as that is aligned as
    /// sources are promised. Throws leat::system_error as get_chunk, but for crosses_chunk and
    /// all_pinned; where() names the part that failed.
    [[nodiscard]] task<std::size_t> read(file from, std::uint64_t offset, std::span<std::byte> to);

    /// Walks [offset, offset + length), cut at the end of the file. On a shard, the only one to use
    /// it on.
    [[nodiscard]] slice_stream slices(file from,
                                      std::uint64_t offset,
                                      std::uint64_t length,
                                      slices_options options = {});

    /// The shard that reads this chunk. Any thread.
    [[nodiscard]] unsigned owner(const chunk_config& config) const noexcept;
    [[nodiscard]] std::uint64_t chunk_size() const noexcept { return core_->chunk_size; }
    /// Sums over the engine's shards, each asked in turn.
    [[nodiscard]] task<cache_statistics> statistics();
    /// The same for a thread that is no shard, of an engine that runs: asks all shards at once, by
    /// a message each, and blocks until they have answered. Throws leat::system_error:
    /// errc::timed_out if one does not within `patience`, errc::stopped if one has ended.
    [[nodiscard]] cache_statistics live_statistics(time_span patience = std::chrono::seconds{
                                                       1}) const;

private:
    friend class slice_stream;
    friend struct detail::manager_access;
    task<> read_past(const file& from, std::uint64_t at, std::span<std::byte> to);
    chunk_manager(std::shared_ptr<detail::shared_cache> cache,
                  std::shared_ptr<detail::manager_core> core) noexcept;

    std::shared_ptr<detail::shared_cache> cache_;
    std::shared_ptr<detail::manager_core> core_;
};

}  // namespace leat
