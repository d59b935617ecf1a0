// Starts and stops the shards, and what threads outside ask of them.
#include "process.hpp"

#include <leat/engine/engine.hpp>
#include <leat/io/detail/misuse.hpp>
#include <leat/io/detail/threads.hpp>

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>

namespace leat {

namespace {
// How much longer than stop_timeout join() waits for a shard that does not return from a coroutine.
constexpr std::chrono::seconds join_grace{1};

// How long one of several shards that join() steps may sleep while another gets something to do.
constexpr std::chrono::milliseconds shared_pause{1};

void pin_to(unsigned cpu) {
    const int failure = detail::pin_thread(cpu);
    if (failure == 0) return;
    leat::where at{.doing = activity::start};
    at.set_name("CPU " + std::to_string(cpu));
    throw system_error({system_error_code(failure), at});
}

// What an engine that gave up leaves behind: the kernel may still write to the buffers, and tasks
// that never end refer to all of it. So do, in a forked child, the parent's shards. Where leak
// checkers find it.
struct remains {
    std::vector<std::unique_ptr<shard>> shards;
    std::vector<std::shared_ptr<detail::service>> services;
    std::vector<std::thread> threads;
    remains* next = nullptr;
};

void keep_for_ever(remains left) {
    static std::atomic<remains*> all{nullptr};
    auto* const these = new remains{std::move(left)};
    these->next = all.exchange(these);
}
}  // namespace

engine::engine(engine_options options)
    : options_(resolve(std::move(options))),
      memory_(options_.memory),
      given_(options_.memory),
      outside_(std::make_shared<detail::outside_waits>(*this)) {
    std::string doubt = doubt_about_memory(options_);
    if (!doubt.empty()) report(event::level::warning, std::move(doubt));
    shards_.resize(options_.shards);
    left_.reserve(options_.shards);
    for (unsigned index = 0; index < options_.shards; ++index) {
        shards_[index] = std::make_unique<shard>(*this, index, options_.shards);
    }
    least_ = memory_for_two(options_.chunk_size);
}

engine::~engine() {
    if (inherited()) {
        abandon();
        return;
    }
    const shard* const here = shard::current();
    if (here != nullptr && &here->engine() == this) {
        detail::end_process(
            "an engine was destroyed on a shard of its own, which it would have to wait for: let "
            "the task end and destroy it on another thread; std::exit in a coroutine destroys one "
            "of static storage");
    }
    if (host_loops_ != 0) {
        detail::misuse(
            "an engine was destroyed before a host_loop of it that had not finished: stop it, call "
            "turn() until finished(), destroy the loop, then the engine");
    }
    stop();
    static_cast<void>(await_end());
    // A coroutine that has not returned to its shard still uses all of this.
    for (std::thread& thread : threads_) thread.join();
    outside_->engine_gone();
    if (report_.code) {
        keep_for_ever({std::move(shards_), std::move(services_), {}});
        return;
    }
    // What was posted to shards that never ran is destroyed.
    for (const auto& one : shards_) {
        one->end_functions();
        one->inbox_.shut();
        detail::work_queue posted;
        one->inbox_.take(posted);
        detail::current_shard = one.get();
        while (detail::work* const item = posted.pop()) item->run(*item);
    }
    detail::current_shard = nullptr;
}

// In a forked child: nothing is to be waited for, and nothing of the parent's touched.
void engine::abandon() noexcept {
    keep_for_ever({std::move(shards_), std::move(services_), std::move(threads_)});
    // Threads of the parent wait in these; a destructor would wait for them.
    std::construct_at(&changed_);
    std::construct_at(outside_.get(), *this);  // where its locks may be held
    outside_->engine_gone();
}

void engine::start() {
    expect_own_process();
    const auto running = [this] {
        if (stopping()) throw system_error({errc::stopped, {.doing = activity::start}});
        return phase_ == phase::running;
    };
    if (running()) return;  // without the lock, which join() holds as long as the engine runs
    const std::lock_guard life{lifecycle_};
    if (running()) return;
    if (phase_ != phase::made) throw system_error({errc::stopped, {.doing = activity::start}});
    detail::watch_process();
    started_in_ = detail::forks();
    if (options_.hosted) {
        phase_ = phase::running;
        return;
    }
    start_threads();
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return opened_ == shards(); });
    if (!open_error_) {
        phase_ = phase::running;
        return;
    }
    const std::exception_ptr failure = open_error_;
    lock.unlock();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    stopping_ = true;
    phase_ = phase::joined;
    std::rethrow_exception(failure);
}

void engine::start_threads() {
    threads_.reserve(shards());
    int failed_with = 0;
    try {
        for (unsigned index = 0; index < shards(); ++index) {
            threads_.push_back(detail::start_thread([this, index] { thread_main(index); }));
        }
    } catch (const std::system_error& failure) {
        failed_with = failure.code().value();
    } catch (const std::bad_alloc&) {
        failed_with = ENOMEM;
    }
    if (failed_with == 0) return;
    // Those that run wait for the others.
    const std::lock_guard lock{mutex_};
    if (!open_error_) {
        try {
            leat::where at{.doing = activity::start};
            at.set_name("thread " + std::to_string(threads_.size()));
            throw system_error({system_error_code(failed_with), at});
        } catch (...) {  // or no memory for it
            open_error_ = std::current_exception();
        }
    }
    opened_ += shards() - static_cast<unsigned>(threads_.size());
    changed_.notify_all();
}

void engine::thread_main(unsigned index) {
    ::pthread_setname_np(::pthread_self(), ("leat-" + std::to_string(index)).c_str());
    shard& mine = *shards_[index];
    std::exception_ptr failure;
    try {
        if (options_.pin) pin_to(options_.cpus[index]);
        mine.open_backend();
    } catch (...) {
        failure = std::current_exception();
    }
    {
        std::unique_lock lock{mutex_};
        if (failure && !open_error_) open_error_ = failure;
        ++opened_;
        changed_.notify_all();
        // Shards address one another's backends, so none runs before all have theirs.
        changed_.wait(lock, [this] { return opened_ == shards(); });
        if (open_error_) return;
    }
    run_shard(mine);
}

void engine::run_shard(shard& mine) noexcept {
    try {
        mine.run();
    } catch (const std::exception& failure) {
        give_up(mine, failure.what());
    }
}

// What becomes of a shard whose backend has failed for good.
void engine::give_up(shard& broken, const char* reason) noexcept {
    broken.abandoned_ = true;
    try {
        report(event::level::warning,
               "shard " + std::to_string(broken.index()) + " serves no more: " + reason);
        broken.owed_ = reason;
    } catch (...) {  // no memory for the sentence
    }
    stop();
    broken.end();
}

void engine::shard_opened() {
    const std::lock_guard lock{mutex_};
    if (stopping()) throw system_error({errc::stopped, {.doing = activity::start}});
    ++opened_;
}

void engine::shard_ended(std::vector<waiting_task> left) noexcept {
    const std::lock_guard lock{mutex_};
    if (!left.empty()) left_.push_back(std::move(left));  // its room is reserved
    if (++ended_ == opened_) outside_->give_up();
    changed_.notify_all();
}

void engine::stop() noexcept {
    if (inherited()) return;
    std::int64_t unset = 0;
    const io::clock::time_point deadline = later(io::clock::now(), options_.stop_timeout);
    stop_deadline_.compare_exchange_strong(unset, deadline.time_since_epoch().count());
    // What a shard has sent before it stops the engine arrives before the others end.
    shard* const here = shard::current();
    if (here != nullptr && &here->engine() == this) here->flush();
    if (stopping_.exchange(true)) return;
    const std::lock_guard lock{mutex_};
    nudge_all();
    changed_.notify_all();
}

void engine::send_from_outside(unsigned shard, detail::work& item) noexcept {
    const std::lock_guard lock{mutex_};
    at(shard).send_from_outside(item);
}

// Starts a root task from a foreign thread, unless the engine is stopping. Either the stopping
// shards see the root or this sees that they stop: both look in sequentially consistent order.
bool engine::enter(unsigned shard, detail::work& first) {
    const std::lock_guard lock{mutex_};
    root_begins();
    if (stopping()) {
        root_ends();
        return false;
    }
    at(shard).send_from_outside(first);
    return true;
}

void engine::root_ends() noexcept {
    if (roots_.fetch_sub(1) == 1 && stopping()) nudge_all();
}

void engine::busy_ends() noexcept {
    if (busy_.fetch_sub(1) == 1 && stopping()) nudge_all();
}

void engine::nudge_all() noexcept {
    for (const auto& one : shards_) one->nudge();
}

std::uint64_t engine::memory_for_two(std::uint64_t chunk_size) const noexcept {
    const io::buffer_arena& arena = *shards_.front()->arena();
    const std::uint64_t segment = arena.segment_bytes();
    // Where a segment is longer than a chunk, that may be one and a part of another, which has room
    // for no chunk.
    const bool fit = arena.buffers_in(2 * chunk_size, chunk_size) >= 2;
    return 2 * (fit ? chunk_size : (chunk_size + segment - 1) / segment * segment);
}

bool engine::reserve_chunks(std::uint64_t size) {
    const std::lock_guard lock{budget_};
    const std::uint64_t needed = memory_for_two(size);
    if (needed > memory_per_shard()) return false;
    if (needed <= least_) return true;
    least_ = needed;
    nudge_all();
    return true;
}

void engine::set_memory(std::uint64_t bytes) {
    const std::lock_guard lock{budget_};
    check_memory(options_, bytes, least_memory());
    given_ = bytes;
    adjust_memory(bytes);
}

void engine::adjust_memory(std::uint64_t bytes) noexcept {
    memory_ = bytes;
    nudge_all();
}

stop_report engine::join() {
    if (inherited()) return {};
    expect_no_shard(
        "engine::join was called on a shard, which it would wait for: stop() there, and join on "
        "another thread");
    return await_end();
}

stop_report engine::await_end() {
    const std::lock_guard life{lifecycle_};
    if (phase_ != phase::running) {
        phase_ = phase::joined;
        return report_;
    }
    if (options_.hosted) step_own_shards();
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return stopping(); });
    const auto all_ended = [this] { return ended_ == opened_; };
    const bool in_time = changed_.wait_until(lock, later(stop_deadline(), join_grace), all_ended);
    // Their tasks have ended or been given up; one that does not return keeps nobody outside.
    outside_->give_up();
    for (const std::vector<waiting_task>& left : left_)
        report_.waiting.insert(report_.waiting.end(), left.begin(), left.end());
    lock.unlock();
    phase_ = phase::joined;
    if (in_time) {
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
    }
    // A shard that ended by itself saw nothing owed. What foreign threads count since then passes:
    // they find its gate closed. Nobody has looked for a shard that never opened.
    const bool abandoned =
        !in_time || (opened_ < shards() && (roots() > 0 || busy())) ||
        std::any_of(shards_.begin(), shards_.end(), [](auto& one) { return one->abandoned_; });
    if (!abandoned) {
        drain_after_join();
        for (const auto& known : services_) report_.held += known->close();
        close_shards();
        return report_;
    }
    report_.code = make_error_code(errc::timed_out);
    if (!in_time) {
        report_.owed += options_.hosted ? "a shard has not been stepped to its end by its host; "
                                        : "a shard has not returned from a coroutine; ";
    }
    if (const auto left = roots(); left > 0)
        report_.owed += std::to_string(left) + " tasks have not ended; ";
    if (busy()) report_.owed += "work is outstanding that an Asio executor counts; ";
    for (std::size_t index = 0; in_time && index < shards_.size(); ++index) {
        if (!shards_[index]->owed_.empty()) {
            report_.owed += "shard " + std::to_string(index) + ": " + shards_[index]->owed_ + "; ";
        }
    }
    if (report_.owed.size() > 2) report_.owed.resize(report_.owed.size() - 2);
    detail::sort_oldest_first(report_.waiting);
    std::string told = "the engine gave up waiting: " + report_.owed;
    if (!report_.waiting.empty()) told += "; first " + to_string(report_.waiting.front());
    report(event::level::warning, std::move(told));
    return report_;
}

// Nobody else may step these: a ring is for the thread that opened it.
void engine::step_own_shards() noexcept {
    const auto serve = [&](shard& one, auto step) {
        try {
            return step(one);
        } catch (const std::exception& failure) {
            give_up(one, failure.what());
            return true;
        }
    };
    for (;;) {
        shard* first = nullptr;
        bool alone = true;
        bool worked = false;
        for (const auto& one : shards_) {
            if (one->opener_ != std::this_thread::get_id() || one->finished()) continue;
            alone = first == nullptr;
            if (alone) first = one.get();
            worked = serve(*one, [](shard& it) { return it.turn(); }) || worked;
        }
        if (first == nullptr) return;
        if (worked) continue;
        serve(*first, [alone](shard& it) {
            it.park(alone ? io::time_point::max() : it.now() + shared_pause);
            return true;
        });
    }
}

void engine::drain_after_join() noexcept {
    for (bool moved = true; moved;) {
        moved = false;
        // All first: what the last one sends to the first is on its way before that looks.
        for (const auto& one : shards_) one->flush();
        for (const auto& one : shards_) {
            detail::current_shard = one.get();
            moved = one->receive() != 0 || one->run_ready() != 0 || moved;
        }
    }
    detail::current_shard = nullptr;
}

void engine::close_shards() {
    std::erase_if(services_, [](const auto& known) { return !known->outlives_join(); });
    for (const auto& one : shards_) {
        one->arena_->detach();
        one->backend_.reset();
    }
}

void engine::report(event::level severity, std::string text) const noexcept {
    if (!options_.on_event) return;
    try {
        options_.on_event(event{severity, std::move(text)});
    } catch (...) {  // a listener that throws has broken its contract; the engine goes on
    }
}

void engine::report_once(event::level severity, const std::string& text) noexcept {
    try {
        std::string once = text;
        {
            const std::lock_guard lock{mutex_};
            if (std::find(said_.begin(), said_.end(), text) != said_.end()) return;
            said_.push_back(text);
        }
        report(severity, std::move(once));
    } catch (...) {  // no memory for the sentence: nobody hears it
    }
}

}  // namespace leat
