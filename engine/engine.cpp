#include <leat/engine/engine.hpp>

#include <pthread.h>
#include <sched.h>

#include <algorithm>

namespace leat {

namespace {
// How much longer than stop_timeout join() waits for a shard that does not return from a coroutine.
constexpr std::chrono::seconds join_grace{1};

void pin_to(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    const int failure = ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
    if (failure != 0) {
        leat::where at{.doing = activity::start};
        at.set_name("CPU " + std::to_string(cpu));
        throw system_error({system_error_code(failure), at});
    }
}
}  // namespace

engine::engine(engine_options options) : options_(resolve(std::move(options))) {
    shards_.resize(options_.shards);
    for (unsigned index = 0; index < options_.shards; ++index) {
        shards_[index] = std::make_unique<shard>(*this, index, options_.shards);
    }
}

engine::~engine() {
    stop();
    join();
}

void engine::start() {
    const std::lock_guard life{lifecycle_};
    if (phase_ == phase::running && !stopping()) return;
    if (phase_ != phase::made || stopping()) {
        throw system_error({errc::stopped, {.doing = activity::start}});
    }
    phase_ = phase::running;
    threads_.reserve(shards());
    for (unsigned index = 0; index < shards(); ++index) {
        threads_.emplace_back([this, index] { thread_main(index); });
    }
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return opened_ == shards(); });
    if (!open_error_) return;
    const std::exception_ptr failure = open_error_;
    lock.unlock();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    stopping_ = true;
    phase_ = phase::joined;
    std::rethrow_exception(failure);
}

void engine::thread_main(unsigned index) {
    ::pthread_setname_np(::pthread_self(), ("leat-" + std::to_string(index)).c_str());
    shard& mine = *shards_[index];
    std::exception_ptr failure;
    try {
        if (options_.pin) pin_to(options_.cpus[index]);
        mine.open();
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
    mine.run();
    const std::lock_guard lock{mutex_};
    ++ended_;
    changed_.notify_all();
}

void engine::stop() noexcept {
    const io::clock::time_point deadline = io::clock::now() + options_.stop_timeout;
    stop_deadline_ = deadline.time_since_epoch().count();
    if (stopping_.exchange(true)) return;
    const std::lock_guard lock{mutex_};
    if (opened_ == shards() && !open_error_) {
        for (const auto& one : shards_) one->send_from_outside(one->stop_work_);
    }
    changed_.notify_all();
}

void engine::root_ends() noexcept {
    if (roots_.fetch_sub(1) != 1 || !stopping()) return;
    for (const auto& one : shards_) one->nudge();
}

stop_report engine::join() {
    const std::lock_guard life{lifecycle_};
    if (phase_ != phase::running) {
        phase_ = phase::joined;
        return report_;
    }
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return stopping(); });
    const auto all_ended = [this] { return ended_ == shards(); };
    const bool in_time = changed_.wait_until(lock, stop_deadline() + join_grace, all_ended);
    lock.unlock();
    phase_ = phase::joined;
    const bool abandoned = !in_time || std::any_of(shards_.begin(), shards_.end(),
                                                   [](auto& one) { return one->abandoned_; });
    if (!abandoned) {
        for (std::thread& thread : threads_) thread.join();
        drain_after_join();
        for (const auto& known : services_) report_.held += known->close();
        close_shards();
        return report_;
    }
    report_.code = make_error_code(errc::timed_out);
    if (!in_time) report_.owed += "a shard has not returned from a coroutine; ";
    if (const auto left = roots(); left > 0)
        report_.owed += std::to_string(left) + " tasks have not ended; ";
    for (std::size_t index = 0; index < shards_.size(); ++index) {
        if (!shards_[index]->owed_.empty()) {
            report_.owed += "shard " + std::to_string(index) + ": " + shards_[index]->owed_ + "; ";
        }
    }
    if (report_.owed.size() > 2) report_.owed.resize(report_.owed.size() - 2);
    report(event::level::warning, "the engine gave up waiting: " + report_.owed);
    // The kernel may still write to the buffers and threads may still run: keep all of it for ever.
    for (std::thread& thread : threads_) thread.detach();
    for (auto& one : shards_) static_cast<void>(one.release());
    new std::vector<std::shared_ptr<service>>(std::move(services_));
    shards_.clear();
    return report_;
}

void engine::drain_after_join() noexcept {
    for (bool moved = true; moved;) {
        moved = false;
        for (const auto& one : shards_) {
            detail::current_shard = one.get();
            one->flush();
            moved = one->receive() != 0 || one->run_ready() != 0 || moved;
        }
    }
    detail::current_shard = nullptr;
}

void engine::close_shards() {
    services_.clear();
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
    {
        const std::lock_guard lock{mutex_};
        if (std::find(said_.begin(), said_.end(), text) != said_.end()) return;
        try {
            said_.push_back(text);
        } catch (...) {
            return;
        }
    }
    report(severity, text);
}

}  // namespace leat
