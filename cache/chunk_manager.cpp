// What a manager does with each call: hits at once, all else by requests to the owners.
#include "shard/cache_census.hpp"
#include "shard/runs.hpp"
#include "streamed_get_chunk.hpp"
#include "unit_buffer.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/slice_stream.hpp>
#include <leat/engine/detail/inquiry.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/io/detail/misuse.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace leat {

namespace {

constexpr std::uint64_t most_competing_fill_bytes = 64 * MiB;

/// A manager as a source: its files, which are told apart as it tells them, and its read().
class manager_source final : public detail::any_source {
public:
    explicit manager_source(std::unique_ptr<chunk_manager> lower) noexcept
        : lower_(std::move(lower)) {}
    task<opening> open(std::string name) override {
        file opened = co_await lower_->open(std::move(name));
        const detail::file_record& record = *opened.record();
        opening result;
        result.size = record.size;
        result.version = record.version;
        result.name = record.key_name;
        result.settled = record.settled;
        result.file = std::make_unique<holder>(std::move(opened));
        co_return result;
    }
    task<std::size_t> read(opened_file& from,
                           std::uint64_t offset,
                           std::span<std::byte> buffer,
                           priority) override {
        return lower_->read(static_cast<holder&>(from).opened, offset, buffer);
    }

private:
    struct holder final : opened_file {
        explicit holder(file of) noexcept : opened(std::move(of)) {}
        file opened;
    };
    std::unique_ptr<chunk_manager> lower_;
};

bool is_aligned(const std::byte* address) noexcept {
    return reinterpret_cast<std::uintptr_t>(address) % unit_size == 0;
}

error at_file(const file& from,
              activity doing,
              boost::system::error_code code,
              std::uint64_t offset,
              std::uint64_t size) {
    error failed{code, {.doing = doing}};
    failed.where.offset = offset;
    failed.where.size = size;
    failed.where.file = from.id().number;
    failed.where.set_name(from.name());
    return failed;
}

}  // namespace

// The awaiter's slow path.

bool get_chunk_awaiter::suspend(std::coroutine_handle<> coroutine,
                                const std::stop_token* token,
                                const char* name,
                                std::uint32_t window,
                                bool walks) {
    detail::shard_cache& cache = manager_.here();
    if (!detail::is_plain(hint_)) {
        const detail::chunk_place place = manager_.locate(offset_);
        entry_ = cache.hit(manager_, file().number, place, size_, cache.home(), hint_);
        if (entry_ != nullptr && cache.log().records(manager_))
            cache.log().hit(file().number, offset_, size_, hint_);
        if (entry_ != nullptr && cache.home().spend_hit()) return false;
    }
    waiting& wait = wait_.emplace(*this);
    if (entry_ != nullptr) {  // a hit, pinned: only this turn's hits are spent
        wait.suspend(coroutine, nullptr, name, nullptr);
        wait.finish();
        return true;
    }
    wait.suspend(coroutine, token, name, &stopped);
    if (wait.stop_requested()) {
        wait.code = wait.stop_reason();
        wait.not_suspended();
        return false;
    }
    wait.chunk_request::done = &ended;
    wait.size = size_;
    wait.patience = patience_;
    wait.given = hint_;
    wait.window = window;
    wait.walks = walks;
    if (!cache.request(wait, file().number, offset_, manager_)) {
        wait.not_suspended();
        return false;
    }
    wait.listen();
    return true;
}

where get_chunk_awaiter::waiting::awaits() const noexcept {
    return detail::place_of(*this, {of.file(), of.offset_, of.size_});
}

void get_chunk_awaiter::ended(detail::chunk_request& request) noexcept {
    static_cast<waiting&>(request).finish();
}

void get_chunk_awaiter::stopped(detail::suspension& self) noexcept {
    auto& wait = static_cast<waiting&>(self);
    wait.chunk_request::home->cancel(wait);
}

error get_chunk_awaiter::failure() const {
    // Its engine runs: the cache is there.
    return detail::shard_cache::current().all().failure({file(), offset_, size_}, wait_->code);
}

error detail::shared_cache::failure(const chunk_config& wanted, boost::system::error_code code) {
    error failed = at_file({}, activity::get_chunk, code, wanted.offset, wanted.size);
    failed.where.file = wanted.file.number;
    if (detail::file_record* const record = files_.acquire(wanted.file.number)) {
        failed.where.set_name(*files_.name_of(*record));
        files_.release(*record);
    }
    return failed;
}

// The manager.

chunk_manager::chunk_manager(leat::engine& engine,
                             std::unique_ptr<detail::any_source> source,
                             manager_options options) {
    const std::uint64_t size =
        options.chunk_size != 0 ? options.chunk_size : engine.options().chunk_size;
    check_chunk_size(size);
    if (engine.memory_per_shard() < 2 * size) {
        refuse(errc::budget_too_small, "each shard needs room for two chunks of " +
                                           format_size(size) + ", but the engine's " +
                                           format_size(engine.options().memory) +
                                           " give each of its " + std::to_string(engine.shards()) +
                                           " only " + format_size(engine.memory_per_shard()));
    }
    const std::uint64_t competing = options.competing_fill_bytes;
    if (competing == 0 || competing % fill_piece != 0 || competing > most_competing_fill_bytes) {
        refuse(errc::invalid_option, "competing_fill_bytes is " + format_size(competing) +
                                         ", not a multiple of " + format_size(fill_piece) +
                                         " up to " + format_size(most_competing_fill_bytes));
    }
    constexpr unsigned most_reads = detail::any_source::most_reads_at_once;
    if (options.reads_at_once > most_reads) {
        refuse(errc::invalid_option, "reads_at_once is " + std::to_string(options.reads_at_once) +
                                         ", more than " + std::to_string(most_reads));
    }
    if (options.grain != 0 && (!std::has_single_bit(options.grain) || options.grain < unit_size)) {
        refuse(errc::invalid_option, "grain is " + format_size(options.grain) +
                                         ", not a power of two of at least " +
                                         format_size(unit_size));
    }
    cache_ = detail::shared_cache::of(engine);
    if (!engine.reserve_chunks(size)) {
        const io::buffer_arena& arena = *engine.at(0).arena();
        refuse(errc::budget_too_small, "each shard needs room for two chunks of " +
                                           format_size(size) + " in whole segments of " +
                                           format_size(arena.segment_bytes()) + ", but has only " +
                                           format_size(engine.memory_per_shard()));
    }
    cache_->expect_chunks_of(size);
    core_ = std::make_shared<detail::manager_core>(cache_, size, std::move(source), options);
}

chunk_manager::chunk_manager(leat::engine& engine, chunk_manager& lower, manager_options options)
    : chunk_manager(engine,
                    // One of its own: fills go on after both managers are gone.
                    std::make_unique<manager_source>(std::unique_ptr<chunk_manager>{
                        new chunk_manager{lower.cache_, lower.core_}}),
                    options) {}

chunk_manager::chunk_manager(std::shared_ptr<detail::shared_cache> cache,
                             std::shared_ptr<detail::manager_core> core) noexcept
    : cache_(std::move(cache)), core_(std::move(core)) {}

task<file> chunk_manager::open(std::string name) {
    (void)core_->here();
    error failed;
    try {
        detail::any_source::opening opening = co_await core_->source->open(name);
        auto asked = std::make_shared<const std::string>(name);
        detail::file_record& record = cache_->files().adopt(core_, asked, std::move(opening));
        co_return file{cache_, record, std::move(asked)};
    } catch (...) {
        failed = error_of(std::current_exception());
    }
    failed.where.doing = activity::open;
    failed.where.set_name(name);
    throw system_error(failed);
}

slice chunk_manager::peek(const chunk_config& config) const noexcept {
    detail::shard_cache& cache = core_->here();
    const detail::chunk_place place = core_->locate(config.offset);
    detail::entry* const found =
        cache.hit(*core_, config.file.number, place, config.size, cache.home(), config.hint);
    if (found == nullptr) return {};
    static_cast<void>(cache.home().spend_hit());  // it counts; who does not wait need not yield
    if (cache.log().records(*core_))
        cache.log().hit(config.file.number, config.offset, config.size, config.hint);
    return {*found, place.in, config.size};
}

task<std::size_t> chunk_manager::read(file from,
                                      std::uint64_t offset,
                                      std::span<std::byte> to,
                                      hint given) {
    detail::shard_cache& cache = core_->here();
    detail::file_record* const record = from.record();
    if (record == nullptr)
        throw system_error(at_file(from, activity::read, errc::closed, offset, to.size()));
    if (offset > from.size()) {
        throw system_error(at_file(from, activity::read, errc::out_of_range, offset, to.size()));
    }
    const std::size_t all =
        static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), from.size() - offset));
    std::size_t done = 0;
    while (done < all) {
        const std::uint64_t at = offset + done;
        const detail::chunk_place place = core_->locate(at);
        const std::uint64_t at_once = cache.at_once(*core_, from.id().number, place);
        const std::size_t size =
            static_cast<std::size_t>(std::min<std::uint64_t>(all - done, at_once));
        // Small chunks that follow each other are read at once.
        const std::uint64_t stretch = detail::stretch_of(core_->chunk_size);
        const std::uint64_t rest = std::min<std::uint64_t>(all - done, stretch - at % stretch);
        if (given == hint::once) {
            done += co_await read_once(from, at, to.subspan(done, static_cast<std::size_t>(rest)));
            continue;
        }
        const chunk_config config{from, at, static_cast<std::uint32_t>(size), given};
        const detail::patience patience =
            given == hint::no_wait ? detail::patience::none : detail::patience::brief;
        detail::streamed_get_chunk asking{*core_, config, patience, rest};
        result<slice> piece = co_await asking;
        if (piece) {
            std::memcpy(to.data() + done, piece->data(), size);
        } else if (detail::unbuffered(piece.error().code)) {
            cache.count_bypass();
            co_await read_past(from, at, to.subspan(done, size));
        } else {
            throw system_error(at_file(from, activity::read, piece.error().code, at, size));
        }
        done += size;
    }
    co_return done;
}

// What is in memory is copied; up to where the next of it begins the rest is read past the cache.
task<std::size_t> chunk_manager::read_once(const file& from,
                                           std::uint64_t at,
                                           std::span<std::byte> to) {
    const detail::shard_cache& cache = core_->here();
    const std::uint64_t number = from.id().number;
    const auto at_hand = [&](std::size_t done) {
        const detail::chunk_place place = core_->locate(at + done);
        const std::uint64_t at_once = cache.at_once(*core_, number, place);
        const auto size =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(to.size() - done, at_once));
        return std::pair{size, cache.has(*core_, number, place, size)};
    };
    const auto [first, present] = at_hand(0);
    if (present) {
        const slice piece = peek({from, at, first, hint::once});
        if (piece) {
            std::memcpy(to.data(), piece.data(), first);
            co_return first;
        }
    }
    std::size_t size = first;
    while (size < to.size()) {
        const auto [next, there] = at_hand(size);
        if (there) break;
        size += next;
    }
    core_->here().count_bypass();
    co_await read_past(from, at, to.first(size));
    co_return size;
}

// As sources are asked for chunks: whole units, into memory aligned to them.
task<> chunk_manager::read_past(const file& from, std::uint64_t at, std::span<std::byte> to) {
    const detail::file_record& record = *from.record();
    error failed;
    try {
        detail::unit_buffer bounce;
        std::size_t done = 0;
        while (done < to.size()) {
            const std::uint64_t begin = (at + done) / unit_size * unit_size;
            const std::size_t skip = static_cast<std::size_t>(at + done - begin);
            const std::span<std::byte> rest = to.subspan(done);
            const std::size_t whole = rest.size() / unit_size * unit_size;
            const bool straight = skip == 0 && whole != 0 && is_aligned(rest.data());
            const std::span<std::byte> into =
                straight ? rest.first(whole) : bounce.of(skip + rest.size());
            const std::size_t given =
                co_await core_->source->read(*record.opened, begin, into, priority::demand);
            const auto wrong = detail::judge_answer(given, into.size(), record.size - begin);
            if (wrong) throw system_error({wrong, {}});
            const std::size_t gained = std::min(into.size() - skip, rest.size());
            if (!straight) std::memcpy(rest.data(), into.data() + skip, gained);
            done += gained;
        }
        co_return;
    } catch (...) {
        failed = error_of(std::current_exception());
    }
    throw system_error(at_file(from, activity::read, failed.code, at, to.size()));
}

unsigned chunk_manager::owner(const chunk_config& config) const noexcept {
    return core_->owner(config.file.number, core_->locate(config.offset).index);
}

task<cache_statistics> chunk_manager::statistics() {
    (void)core_->here();
    detail::cache_census all;
    for (unsigned index = 0; index < cache_->shards(); ++index) {
        co_await resume_on(index);
        all.add(cache_->at(index).census());
    }
    co_return all.total();
}

cache_statistics chunk_manager::live_statistics(time_span patience) const {
    if (shard::current() != nullptr)
        detail::misuse(
            "chunk_manager::live_statistics() blocks: on a shard, co_await statistics()");
    leat::engine& engine = cache_->engine();
    const auto told = detail::inquiry<detail::cache_census>::ask(
        engine, [cache = cache_](shard& one) { return cache->at(one.index()).census(); }, patience);
    detail::cache_census all;
    for (const boost::system::result<detail::cache_census>& one : told) {
        if (!one) {
            const bool ended = one.error() == errc::timed_out && engine.stopping();
            throw system_error({ended ? make_error_code(errc::stopped) : one.error(),
                                {.doing = activity::get_chunk}});
        }
        all.add(*one);
    }
    return all.total();
}

slice_stream chunk_manager::slices(file from,
                                   std::uint64_t offset,
                                   std::uint64_t length,
                                   slices_options options) {
    const std::uint64_t size = from.size();
    const std::uint64_t end = offset > size ? offset : offset + std::min(length, size - offset);
    return {*this, std::move(from), offset, end, options};
}

}  // namespace leat
