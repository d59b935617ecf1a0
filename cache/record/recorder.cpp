// The thread that writes recordings, and the blocks on their way to it.
#include "recorder.hpp"

#include "log_words.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace leat::detail {

namespace {

// Requests that are lost are counted in so many slots, which stay in the cache.
constexpr std::size_t slots_for_lost = 256;
// Written at once, if there is so much.
constexpr std::size_t enough_to_write = 256 * 1024;
// What there is, is written so soon.
constexpr std::chrono::milliseconds longest_unwritten{200};
// How long the thread sleeps where it finds nothing: shards wake it only when their blocks run
// short, which costs them a system call.
constexpr std::chrono::microseconds shortest_pause{100};
constexpr std::chrono::microseconds longest_pause{50'000};

/// Tells the engine, on a shard: whoever listens may do what would wait for the recorder's thread,
/// or hold what somebody holds who waits for it.
struct report : work {
    explicit report(std::string text_) : work(&arrived), text(std::move(text_)) {}
    static void arrived(work& message) noexcept {
        const std::unique_ptr<report> mine{static_cast<report*>(&message)};
        shard::current()->engine().report(event::level::warning, mine->text);
    }
    std::string text;
};

std::size_t blocks_for(const recording_options& options, unsigned shards) noexcept {
    return std::max<std::uint64_t>(options.memory / shards / request_log::block_bytes, 1);
}

}  // namespace

void recorder::free_memory::operator()(std::byte* memory) const noexcept {
    ::operator delete(memory, std::align_val_t{request_log::block_bytes});
}

recorder::recorder(leat::engine& engine,
                   std::shared_ptr<manager_core> manager,
                   int file,
                   const recording_options& options)
    : manager_(std::move(manager)),
      engine_(&engine),
      file_(file),
      blocks_a_shard_(blocks_for(options, engine.shards())),
      memory_(static_cast<std::byte*>(
          ::operator new((blocks_a_shard_ + 1) * engine.shards() * request_log::block_bytes,
                         std::align_val_t{request_log::block_bytes}))),
      blocks_(blocks_a_shard_ * engine.shards()),
      lanes_(engine.shards()),
      encoder_(engine.shards()) {
    // Now rather than page by page, in the middle of hits.
    std::memset(memory_.get(), 0,
                (blocks_a_shard_ + 1) * engine.shards() * request_log::block_bytes);
    for (std::size_t i = blocks_.size(); i-- > 0;) {
        log_block& one = blocks_[i];
        one.shard = static_cast<unsigned>(i / blocks_a_shard_);
        one.slots =
            reinterpret_cast<log_slot*>(memory_.get() + (i + one.shard) * request_log::block_bytes);
        lanes_[one.shard].empty.push(one);
        lanes_[one.shard].left.fetch_add(1, std::memory_order_relaxed);
    }
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    const auto now = io::clock::now().time_since_epoch();
    encoder_.begin(out_, manager_->chunk_size,
                   static_cast<std::uint64_t>(
                       std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count()),
                   std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
    thread_ = std::thread{[this] { run(); }};
}

recorder::~recorder() {
    if (thread_.joinable()) (void)finish();
    ::close(file_);
}

log_block* recorder::take(unsigned shard) noexcept {
    lane& of = lanes_[shard];
    log_block* const taken = of.empty.pop();
    if (taken != nullptr) of.left.fetch_sub(1, std::memory_order_relaxed);
    return taken;
}

void recorder::give(log_block& filled, std::size_t slots) noexcept {
    lane& of = lanes_[filled.shard];
    filled.used = slots;
    of.filled.push(filled);
    // Without the mutex this may come too late for a sleep that begins; that is short.
    if (of.left.load(std::memory_order_relaxed) <= blocks_a_shard_ / 2 &&
        asleep_.load(std::memory_order_relaxed) && asleep_.exchange(false))
        changed_.notify_one();
}

log_slot* recorder::room_for_lost(unsigned shard) noexcept {
    const std::size_t behind = (blocks_a_shard_ + 1) * (shard + 1) * request_log::block_bytes;
    return reinterpret_cast<log_slot*>(memory_.get() + behind) - slots_for_lost;
}

recording_summary recorder::finish() noexcept {
    {
        const std::lock_guard lock{mutex_};
        finishing_ = true;
    }
    changed_.notify_one();
    thread_.join();
    ended_ = true;
    const std::uint64_t unwritten = encoder_.requests() - written_requests_;
    return {written_requests_, encoder_.lost() + lost_ + unwritten, written_, failure_};
}

void recorder::opened(const file_record& record, const std::string& name) noexcept {
    if (record.manager != manager_ || ended()) return;
    try {
        recorded_file file{record.number, record.size, name};
        const std::lock_guard lock{mutex_};
        opened_.push_back(std::move(file));
    } catch (const std::bad_alloc&) {  // it has no name, then
    }
}

void recorder::run() noexcept {
    // Signals are for the program's threads; one for a file that grows too large would end it.
    ::sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    try {
        for (bool last = false;;) {
            const bool any = encode_filled();
            const auto unwritten = std::chrono::steady_clock::now() - written_at_;
            if (out_.size() >= enough_to_write || unwritten >= longest_unwritten) flush();
            if (last && !any) break;
            if (!last) {
                wait(!any);
                const std::lock_guard lock{mutex_};
                last = finishing_;
            }
        }
        encoder_.end(out_, encoder_.lost() + lost_);
    } catch (const std::bad_alloc&) {
        fail(ENOMEM);
    }
    flush();
}

bool recorder::encode_filled() {
    bool any = false;
    for (lane& of : lanes_) {
        log_block* rest = of.filled.take_all();
        know_opened();  // what is in those blocks was opened before
        any = any || rest != nullptr;
        while (rest != nullptr) {
            log_block& one = *std::exchange(rest, rest->next);
            if (!failure_) {
                encoder_.add(out_, one.shard, {one.slots + 1, one.used});
            } else {
                add_lost(count_requests(one.slots + 1, one.slots + 1 + one.used));
            }
            of.empty.push(one);
            of.left.fetch_add(1, std::memory_order_relaxed);
            if (out_.size() >= enough_to_write) flush();
        }
    }
    return any;
}

void recorder::know_opened() {
    std::vector<recorded_file> opened;
    {
        const std::lock_guard lock{mutex_};
        opened.swap(opened_);
    }
    for (recorded_file& one : opened) encoder_.know(std::move(one));
}

void recorder::wait(bool idle) noexcept {
    if (!idle) {
        pause_ = shortest_pause;
        return;
    }
    std::unique_lock lock{mutex_};
    if (finishing_) return;
    asleep_ = true;
    changed_.wait_for(lock, pause_);
    asleep_ = false;
    pause_ = std::min(pause_ * 2, longest_pause);
}

void recorder::flush() noexcept {
    std::size_t done = 0;
    while (done < out_.size() && !failure_) {
        const ::ssize_t count = ::write(file_, out_.data() + done, out_.size() - done);
        if (count > 0) {
            done += static_cast<std::size_t>(count);
            written_ += static_cast<std::uint64_t>(count);
        } else if (count < 0 && errno != EINTR) {
            fail(errno);
        }
    }
    if (!failure_) written_requests_ = encoder_.requests();
    out_.clear();
    written_at_ = std::chrono::steady_clock::now();
}

void recorder::fail(int error) noexcept {
    if (failure_) return;
    failure_ = system_error_code(error);
    ended_ = true;
    try {
        auto told = std::make_unique<report>("a recording has ended: its file cannot be written: " +
                                             failure_.message());
        with_engine([&](leat::engine& of) {
            if (of.at(0).post_from_outside(*told)) (void)told.release();
        });
    } catch (const std::bad_alloc&) {  // finish() tells
    }
}

}  // namespace leat::detail
