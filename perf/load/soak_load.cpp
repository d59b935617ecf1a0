// The tasks of a soak, and which of their errors were called for.
#include "load/soak_load.hpp"

#include "common/sink.hpp"
#include "common/target_file.hpp"

#include <leat/cache/slice_stream.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/engine/sleep.hpp>

#include <spdlog/fmt/fmt.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

namespace leat::perf {

namespace {
constexpr unsigned walkers = 64;         // at once, on each shard
constexpr unsigned steps = 200;          // of each, before another takes its place
constexpr unsigned rest_us = 3'000;      // longest time for which a slice is held
constexpr std::size_t most_dropped = 8;  // slices that the foreign thread may have
constexpr std::size_t copies = 8;        // at once, on each shard
constexpr std::uint64_t copied_pages = 2 * soak_load::chunk_bytes / page_bytes;  // at most

/// A buffer out of a list, given back at the end.
class lent_buffer {
public:
    explicit lent_buffer(std::vector<std::vector<std::byte>>& from)
        : from_(from), buffer_(std::move(from.back())) {
        from.pop_back();
    }
    lent_buffer(const lent_buffer&) = delete;
    lent_buffer& operator=(const lent_buffer&) = delete;
    ~lent_buffer() { from_.push_back(std::move(buffer_)); }

    [[nodiscard]] std::span<std::byte> first(std::size_t count) {
        return std::span{buffer_}.first(count);
    }

private:
    std::vector<std::vector<std::byte>>& from_;
    std::vector<std::byte> buffer_;
};
}  // namespace

struct soak_load::walker {
    explicit walker(std::uint64_t seed) noexcept : random(seed) {}
    random_words random;
    file opened;
};

soak_load::soak_load(engine& owner,
                     chunk_manager& manager,
                     const std::string& path,
                     std::uint64_t size)
    : owner_(owner), manager_(manager), size_(size / chunk_bytes * chunk_bytes) {
    const descriptor from = open_file(path, false);
    std::vector<std::byte> chunk(chunk_bytes);
    words_.reserve(size_ / page_bytes);
    for (std::uint64_t at = 0; at < size_; at += chunk_bytes) {
        const ssize_t got = ::pread(from.get(), chunk.data(), chunk.size(), static_cast<off_t>(at));
        if (got != static_cast<ssize_t>(chunk.size())) refuse(errc::short_read, path);
        for (std::uint64_t in = 0; in < chunk_bytes; in += page_bytes)
            words_.push_back(first_word(chunk.data() + in));
    }
    // Made once: memory that comes and goes would hide what grows.
    const std::vector<std::byte> buffer(copied_pages * page_bytes);
    buffers_.assign(owner_.shards(), std::vector(copies, buffer));
    foreign_ = std::thread{[this] { foreign_main(); }};
}

soak_load::~soak_load() {
    {
        const std::lock_guard lock{mutex_};
        leaving_ = true;
    }
    changed_.notify_all();
    foreign_.join();
}

task<> soak_load::run() {
    while (!ending()) {
        scope all;
        for (unsigned i = 0; i < walkers; ++i)
            all.spawn_made([this] { return walk(seeds_.fetch_add(1)); });
        co_await all.join();
    }
}

task<> soak_load::walk(std::uint64_t seed) {
    walker one{seed};
    const unsigned home = this_shard().index();
    for (unsigned i = 0; i < steps && !ending(); ++i) {
        boost::system::error_code failed;
        try {
            co_await step(one);
        } catch (const boost::system::system_error& error) {
            failed = error.code();
        }
        co_await resume_on(home);
        if (!failed) continue;
        note_error(failed);
        if (failed == errc::file_changed) one.opened = file{};
        co_await yield{};
    }
}

task<> soak_load::step(walker& one) {
    requests_.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t chosen = one.random.below(100);
    if (!one.opened || chosen == 0) return reopen(one);
    if (chosen < 15) return hold(one);
    if (chosen < 30) return pass_on(one);
    if (chosen < 40) return copy(one);
    if (chosen < 45) return stream(one);
    if (chosen < 55) return in_time(one);
    if (chosen < 60) return cancel(one);
    if (chosen < 70) return elsewhere(one);
    return get_and_drop(choose(one));
}

task<> soak_load::reopen(walker& one) {
    one.opened = co_await manager_.open(std::to_string(one.random.below(fault_dice::copies)));
}

// A few chunks are asked for often, so that leases and hits are met; the others seldom.
chunk_config soak_load::choose(walker& one) const {
    constexpr std::uint64_t hot_chunks = 4;
    const std::uint64_t chunks = one.random.below(4) == 0 ? size_ / chunk_bytes : hot_chunks;
    constexpr std::uint64_t pages = chunk_bytes / page_bytes;
    const std::uint64_t first = one.random.below(pages);
    const std::uint64_t count = 1 + one.random.below(std::min<std::uint64_t>(pages - first, 16));
    return {one.opened, one.random.below(chunks) * chunk_bytes + first * page_bytes,
            static_cast<std::uint32_t>(count * page_bytes),
            one.random.below(16) == 0 ? hint::no_wait : hint::normal};
}

task<slice> soak_load::get(walker& one) {
    const chunk_config wanted = choose(one);
    slice held = co_await manager_.get_chunk(wanted);
    check(wanted.offset, held.bytes());
    co_return held;
}

task<> soak_load::get_and_drop(chunk_config wanted) {
    const slice held = co_await manager_.get_chunk(wanted);
    check(wanted.offset, held.bytes());
}

task<> soak_load::hold(walker& one) {
    const chunk_config wanted = choose(one);
    const slice held = co_await manager_.get_chunk(wanted);
    const std::chrono::microseconds time{one.random.below(rest_us)};
    co_await sleep(time);
    check(wanted.offset, held.bytes());
}

// One pin is dropped here, one on another shard, one on a thread that is none.
task<> soak_load::pass_on(walker& one) {
    slice held = co_await get(one);
    slice there = held.share();
    drop_on_foreign_thread(held.share());
    const auto shard = static_cast<unsigned>(one.random.below(owner_.shards()));
    held = slice{};
    co_await resume_on(shard);
    there = slice{};
}

task<> soak_load::copy(walker& one) {
    std::vector<std::vector<std::byte>>& free = buffers_[this_shard().index()];
    if (free.empty()) co_return;
    lent_buffer buffer{free};
    const std::uint64_t offset = one.random.below(size_ / page_bytes) * page_bytes;
    const std::uint64_t pages = 1 + one.random.below(copied_pages);
    const std::span<std::byte> to = buffer.first(std::min(pages * page_bytes, size_ - offset));
    const std::size_t count = co_await manager_.read(one.opened, offset, to);
    if (count != to.size()) fail("a read gave too little");
    check(offset, to);
}

// At times it is left before its end, with chunks ahead under way.
task<> soak_load::stream(walker& one) {
    const std::uint64_t offset = one.random.below(size_ / chunk_bytes) * chunk_bytes;
    const std::uint64_t wanted = std::min(3 * chunk_bytes, size_ - offset);
    const std::uint64_t left_at = one.random.below(2) == 0 ? offset + chunk_bytes : size_;
    slices_options options;
    options.slice_size = 64 * KiB;
    slice_stream pieces = manager_.slices(one.opened, offset, wanted, options);
    while (pieces.offset() < left_at) {
        const std::uint64_t at = pieces.offset();
        const slice piece = co_await pieces.next();
        if (!piece) break;
        check(at, piece.bytes());
    }
}

task<> soak_load::in_time(walker& one) {
    const std::chrono::microseconds limit{one.random.below(rest_us)};
    const slice held = co_await with_timeout(get(one), limit);
    keep(held.size());
}

task<> soak_load::cancel(walker& one) {
    constexpr int requests = 4;
    scope some;
    for (int i = 0; i < requests; ++i) {
        const chunk_config wanted = choose(one);
        some.spawn_made([this, wanted] { return get_and_drop(wanted); });
    }
    const std::chrono::microseconds time{one.random.below(rest_us)};
    std::exception_ptr stopped;
    try {
        co_await sleep(time);
    } catch (...) {
        stopped = std::current_exception();
    }
    some.request_stop();
    co_await some.join();
    if (stopped) std::rethrow_exception(stopped);
}

task<> soak_load::elsewhere(walker& one) {
    const unsigned home = this_shard().index();
    const auto shard = static_cast<unsigned>(one.random.below(owner_.shards()));
    co_await resume_on(shard);
    slice held = co_await get(one);
    co_await resume_on(home);
    held = slice{};
}

void soak_load::check(std::uint64_t offset, std::span<const std::byte> bytes) {
    for (std::uint64_t in = 0; in + page_bytes <= bytes.size(); in += page_bytes) {
        if (first_word(bytes.data() + in) == words_[(offset + in) / page_bytes]) continue;
        fail(fmt::format("wrong bytes at offset {}", offset + in));
        return;
    }
}

void soak_load::note_error(const boost::system::error_code& code) {
    errors_.fetch_add(1, std::memory_order_relaxed);
    for (const errc called_for : {errc::file_changed, errc::short_read, errc::all_pinned,
                                  errc::timed_out, errc::cancelled}) {
        if (code == called_for) return;
    }
    if (code != system_error_code(EIO)) fail("an error that no fault explains: " + code.message());
}

void soak_load::fail(const std::string& what) {
    {
        const std::lock_guard lock{mutex_};
        if (failure_.empty()) failure_ = what;
    }
    end();
}

std::string soak_load::failure() const {
    const std::lock_guard lock{mutex_};
    return failure_;
}

void soak_load::drop_on_foreign_thread(slice dropped) {
    {
        const std::lock_guard lock{mutex_};
        if (dropped_.size() == most_dropped) return;  // dropped here
        dropped_.push_back(std::move(dropped));
    }
    changed_.notify_all();
}

void soak_load::settle() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return dropped_.empty() && !dropping_; });
}

void soak_load::foreign_main() {
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [this] { return leaving_ || !dropped_.empty(); });
        if (dropped_.empty()) return;
        slice first = std::move(dropped_.front());
        dropped_.pop_front();
        dropping_ = true;
        lock.unlock();
        first = slice{};
        lock.lock();
        dropping_ = false;
        changed_.notify_all();
    }
}

}  // namespace leat::perf
