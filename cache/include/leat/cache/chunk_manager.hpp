// The cache as its users see it.
#pragma once

#include <leat/cache/cached_chunk.hpp>
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
#include <vector>

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
    /// Reads that each shard has in flight before requests wait for others to end, up to 65,536.
    /// They wait without a buffer, as long as it takes, those for one thing before those that go
    /// through files, who have an eighth of them beside such, or half if the source has said
    /// nothing. A device that has more than it works on at once serves the latest last: 128 of 64
    /// KiB are 3.5 ms of a disk of 2.4 GB/s. A source that is far away needs as many as are
    /// answered in the time that one takes. A reader's window counts as one, or two of that eighth,
    /// though a source that cannot read into several buffers is asked for each of its fragments.
    /// Not counted are: what is read in pieces, which has competing_fill_bytes instead; what read()
    /// reads past the cache; and reads that hang for three seconds, up to three times as many, or
    /// half of the memory. 0: as the source says, else 512, but no more than a quarter of the
    /// memory has room for, 64 KiB each.
    unsigned reads_at_once = 0;
    /// The smallest read worth making, in bytes: a power of two, at least unit_size; what is asked
    /// for is rounded up to it. From chunk_size on, each miss reads its whole chunk. 0: as the
    /// source says, else unit_size.
    std::uint64_t grain = 0;
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
          sought_(detail::is_plain(config.hint) ? config.file.number : ~config.file.number),
          offset_(config.offset),
          size_(config.size),
          hint_(config.hint),
          patience_(patience) {}
    /// Before it is awaited, not after.
    get_chunk_awaiter(get_chunk_awaiter&& unused) noexcept
        : manager_(unused.manager_),
          sought_(unused.sought_),
          offset_(unused.offset_),
          size_(unused.size_),
          hint_(unused.hint_),
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
        entry_ = cache.hit(manager_, sought_, place, size_, here);
        if (entry_ == nullptr) [[unlikely]]
            return false;
        if (cache.log().records(manager_)) [[unlikely]] {
            // Loaded again from where it is: kept in registers for this, the request would cost
            // each hit some instructions, recorded or not.
            const get_chunk_awaiter* asked = this;
            asm("" : "+r"(asked));
            cache.log().hit(asked->sought_, asked->offset_, asked->size_, asked->hint_);
        }
        return here.spend_hit();
    }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
        return suspend(coroutine, stop_of(coroutine), name_of(coroutine), 0);
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

protected:
    /// `window` and `walks` are as chunk_request has them.
    bool suspend(std::coroutine_handle<> coroutine,
                 const std::stop_token* token,
                 const char* name,
                 std::uint32_t window,
                 bool walks = false);

private:
    struct waiting final : detail::suspension, detail::chunk_request {
        explicit waiting(const get_chunk_awaiter& of_) noexcept : of(of_) {}
        [[nodiscard]] where awaits() const noexcept override;
        const get_chunk_awaiter& of;
    };

    static void ended(detail::chunk_request& request) noexcept;
    static void stopped(detail::suspension& self) noexcept;
    [[nodiscard]] file_id file() const noexcept {
        return {detail::is_plain(hint_) ? sought_ : ~sought_};
    }
    /// Takes over what the wait has pinned, if anything.
    bool waited() noexcept {
        entry_ = wait_->pinned;
        return entry_ != nullptr;
    }
    [[nodiscard]] error failure() const;

    const detail::manager_core& manager_;
    // The request, member by member: copied as a whole it would be loaded by wider moves than those
    // that have just stored it, which the CPU cannot forward.
    /// The file's number, or its complement, which is no file's, for a request whose hint a hit has
    /// to look at: so plain ones need not look for it.
    std::uint64_t sought_;
    std::uint64_t offset_;
    std::uint32_t size_;
    leat::hint hint_;
    leat::detail::patience patience_;
    detail::entry* entry_ = nullptr;
    std::uint64_t in_;             ///< in the chunk; set by await_ready()
    std::optional<waiting> wait_;  // engaged only by a miss
};

/// Awaits a get_chunk, and gives a leat::result<slice> instead of throwing.
///
///     const leat::result<leat::slice> got = co_await leat::as_result(manager.get_chunk(config));
///     if (got) use(got->bytes());
class [[nodiscard]] as_result : private get_chunk_awaiter {
public:
    [[nodiscard]] explicit as_result(get_chunk_awaiter&& awaiter) noexcept
        : get_chunk_awaiter(std::move(awaiter)) {}
    using get_chunk_awaiter::await_ready;
    using get_chunk_awaiter::await_suspend;
    [[nodiscard]] result<slice> await_resume() { return take(); }
};

/// Serves slices of a source's files from memory.
///
/// Threads: one object serves all shards of its engine at once, without a lock. Its members are
/// called there, except where a member says otherwise; a call on any other thread ends the program
/// with a sentence. Threads that are no shards ask by async_get_chunk and the like.
///
/// Memory: managers on one engine share the engine's memory.
///
/// Lifetime: a manager must outlive the calls on it and the streams that it gave. Files and slices
/// stay good without it.
class chunk_manager {
public:
    /// A manager of the files of `source`. Any thread. Throws leat::system_error:
    /// errc::invalid_option if an option is out of its limits, errc::budget_too_small if a shard
    /// has no room for two chunks.
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

    /// Opens the version of the file `name` that exists now.
    ///
    ///     const leat::file film = co_await manager.open("film.mkv");
    ///     const leat::slice page = co_await manager.get_chunk({film, 0, 4096});
    ///
    /// What `name` means is up to the source. Each call asks the source, so that a file that has
    /// been replaced is noticed. Where the version is one that the manager knows, the handle has
    /// the same id as before, and the chunks that are in memory serve it.
    ///
    /// Completion: when the source has opened the file. The task begins when it is awaited, and
    /// stays on its shard. Any number of calls may be in flight.
    ///
    /// Lifetime: the version stays readable as long as somebody holds a copy of the handle, also
    /// after a rename or unlink. Copies may be used and dropped on any thread.
    ///
    /// Cancellation: as far as the source observes the enclosing stop token; file_source does.
    ///
    /// Errors: throws leat::system_error with the source's error; of file_source that is the
    /// system's, such as ENOENT or EACCES, or errc::not_regular, cancelled or stopped. where()
    /// has the name. Nothing of a failure is kept.
    [[nodiscard]] task<file> open(std::string name);

    /// Gets a slice of config.size bytes at config.offset, which must lie inside one chunk.
    ///
    ///     const leat::slice page = co_await manager.get_chunk({file, 0, 4096});
    ///     use(page.bytes());  // where the device wrote them, unchanged while `page` lives
    ///
    /// Completion: at once if the bytes are in memory and this shard owns the chunk or has a lease
    /// of it. Such a hit neither suspends nor allocates, locks or calls the system; but after a
    /// thousand hits or so in one turn the coroutine lets others go first. Otherwise it resumes
    /// from the ready queue of its shard when the bytes have arrived. On a miss what is asked for
    /// is read at once: as a fragment, with what follows for a stream, or first and alone of a
    /// chunk that is read as a whole (docs/design.md, A miss). Requests for the same bytes
    /// meanwhile share the read. Where every chunk is pinned or being filled, requests wait in
    /// order for a buffer, for at most manager_options::pin_deadline; with hint::no_wait they fail
    /// instead.
    ///
    /// Threads: on any shard of the engine. `config` is copied. Any number may be in flight; the
    /// object that is returned is awaited once.
    ///
    /// Ordering: the bytes of the slice are seen, whichever shard's ring has read them.
    ///
    /// Lifetime: the slice keeps the buffer that it lies in, that of a fragment or of a chunk,
    /// until it is dropped, on any thread and also after the engine has gone. The file must be held
    /// by somebody when the request is awaited; from then on the request holds it. Do not hold
    /// slices while you wait for long or for many others: use read(), or copy.
    ///
    /// Cancellation: a stop request of the enclosing task ends this request alone: a read that
    /// others share goes on, and one that is for nobody else is not begun. A hit is given even
    /// then.
    ///
    /// Errors: throws leat::system_error; as_result() gives it instead. errc::out_of_range if the
    /// bytes do not lie inside the file, or size is 0; crosses_chunk; closed if no handle of the
    /// file is left, or it is another manager's; all_pinned or no_buffer if there was no buffer in
    /// time; file_changed; cancelled or stopped; short_read, bad_answer or the source's own error
    /// if the bytes could not be read; ENOMEM. Nothing that failed is cached: the next call tries
    /// again.
    [[nodiscard]] get_chunk_awaiter get_chunk(const chunk_config& config) const noexcept {
        return {*core_, config};
    }
    /// As get_chunk() where that would be a hit, and an empty slice where it is not: because the
    /// bytes are not in memory, because another shard owns them and this one has no lease, or
    /// because its owner has to be told of the hint (keep, no_retain), or because the request is
    /// wrong. Never waits, and starts no read, but that of what a stream asks ahead at its mark.
    ///
    ///     leat::slice page = manager.peek(config);
    ///     if (!page) page = co_await manager.get_chunk(config);
    ///
    /// Threads: on any shard of the engine. It is no coroutine and allocates nothing.
    [[nodiscard]] slice peek(const chunk_config& config) const noexcept;

    /// Copies what the file has from `offset` on into `to`, across the borders of chunks.
    ///
    ///     std::array<std::byte, 512> head;
    ///     const std::size_t count = co_await manager.read(file, 0, head);
    ///
    /// Gives the number of bytes, which is less than to.size() only at the end of the file, and 0
    /// there. Pins nothing while it waits, and needs no buffer: where every chunk is pinned or
    /// being filled it reads past the cache, straight into `to` as far as offset and address are
    /// multiples of unit_size, and through a temporary where they are not.
    ///
    /// `given` is the hint of its requests; with hint::once it copies what is in memory and reads
    /// all else past the cache; with hint::no_wait it reads past the cache rather than
    /// wait for leases that have been asked back.
    ///
    /// Completion: when all has been copied, piece by piece. The task begins when it is awaited,
    /// and stays on its shard. Any number may be in flight.
    ///
    /// Lifetime: `to` must live until the task has ended, after a stop request, too. The task holds
    /// the file itself.
    ///
    /// Cancellation: a stop request of the enclosing task ends it where it waits for bytes; what
    /// the device is already writing into `to` is waited for. How much of `to` has been written is
    /// not told then.
    ///
    /// Errors: throws leat::system_error: errc::out_of_range if `offset` lies beyond the end,
    /// closed for an empty handle, and otherwise what get_chunk() throws, but for crosses_chunk,
    /// all_pinned and no_buffer. where() names the part that failed.
    [[nodiscard]] task<std::size_t> read(file from,
                                         std::uint64_t offset,
                                         std::span<std::byte> to,
                                         hint given = hint::normal);

    /// Walks the bytes from `offset` to offset + length, or to the end of the file, slice by slice,
    /// and has the chunks ahead filled meanwhile.
    ///
    ///     leat::slice_stream walk = manager.slices(file, 0, file.size());
    ///     while (walk.offset() < file.size()) {
    ///         const leat::slice next = co_await walk.next();
    ///         use(next.bytes());
    ///     }
    ///
    /// Reading starts with the first next(). From then on options.depth chunks ahead of the reader
    /// are being filled, as far as the stream's share of the memory allows: half of a shard's,
    /// divided by its streams and one more. Only the slices that the caller holds are pinned.
    ///
    /// Threads: the stream belongs to the shard that calls this: it is used and dropped there.
    ///
    /// Lifetime: the stream holds the file; the manager must outlive the stream.
    ///
    /// Errors: those of next(). A range that begins beyond the end of the file is empty, and no
    /// error. Throws std::bad_alloc.
    [[nodiscard]] slice_stream slices(file from,
                                      std::uint64_t offset,
                                      std::uint64_t length,
                                      slices_options options = {});

    /// The shard that owns this chunk, and reads it from the source. Any thread.
    ///
    ///     co_await leat::resume_on(manager.owner(config));  // for long work on one chunk
    [[nodiscard]] unsigned owner(const chunk_config& config) const noexcept;
    [[nodiscard]] std::uint64_t chunk_size() const noexcept { return core_->chunk_size; }
    /// Sums over the engine's shards, each asked in turn.
    [[nodiscard]] task<cache_statistics> statistics();
    /// The same for a thread that is no shard, of an engine that runs: asks all shards at once, by
    /// a message each, and blocks until they have answered. Throws leat::system_error:
    /// errc::timed_out if one does not within `patience`, errc::stopped if one has ended, what it
    /// met with if it could not, such as ENOMEM of the system.
    [[nodiscard]] cache_statistics live_statistics(time_span patience = std::chrono::seconds{
                                                       1}) const;

    /// The chunks and fragments of this manager that are used most, at most `limit`, the most used
    /// first: by cached_chunk::reuses, and of equal ones those that were used last.
    ///
    ///     for (const leat::cached_chunk& one : co_await manager.hottest(50)) print(one);
    ///
    /// Looks at all that is in memory, on each shard in turn, some a turn of its loop, so that it
    /// keeps nobody waiting; what comes and goes meanwhile is told or not. On a shard of the
    /// engine; the manager must outlive the task. Throws std::bad_alloc, and errc::stopped or
    /// cancelled.
    [[nodiscard]] task<std::vector<cached_chunk>> hottest(std::size_t limit);
    /// Lets go of what is in memory of the file, this version and others of the same name: what
    /// nothing keeps when it is looked at goes at once, and what is pinned, being read or waited
    /// for goes when that has ended. Until then it serves hits. Returns the bytes of the buffers
    /// that go at once. Later requests read anew.
    ///
    /// As hottest() otherwise. errc::closed for an empty handle or one of another manager's.
    task<std::uint64_t> evict(file from);

private:
    friend class slice_stream;
    friend struct detail::manager_access;
    task<std::size_t> read_once(const file& from, std::uint64_t at, std::span<std::byte> to);
    task<> read_past(const file& from, std::uint64_t at, std::span<std::byte> to);
    chunk_manager(std::shared_ptr<detail::shared_cache> cache,
                  std::shared_ptr<detail::manager_core> core) noexcept;

    std::shared_ptr<detail::shared_cache> cache_;
    std::shared_ptr<detail::manager_core> core_;
};

}  // namespace leat
