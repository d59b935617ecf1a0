// The loop: what a turn does, when it parks, and how it ends.
#include <leat/engine/engine.hpp>
#include <leat/engine/shard.hpp>
#include <leat/io/detail/misuse.hpp>

#include <algorithm>
#include <new>

namespace leat {

namespace detail {
thread_local constinit shard* current_shard __attribute__((tls_model("initial-exec"))) = nullptr;

void off_the_shards() noexcept {
    misuse(
        "something that belongs to a shard was used on a thread that runs none: call it in a task,"
        " which engine::run or spawn_on starts");
}

namespace {
class current_scope {
public:
    explicit current_scope(shard* here) noexcept : before_(current_shard) { current_shard = here; }
    current_scope(const current_scope&) = delete;
    current_scope& operator=(const current_scope&) = delete;
    ~current_scope() { current_shard = before_; }

private:
    shard* before_;
};

class flag_raised {
public:
    explicit flag_raised(bool& flag) noexcept : flag_(flag) { flag_ = true; }
    flag_raised(const flag_raised&) = delete;
    flag_raised& operator=(const flag_raised&) = delete;
    ~flag_raised() { flag_ = false; }

private:
    bool& flag_;
};
}  // namespace
}  // namespace detail

namespace {
// How long a sender with messages that found no room sleeps before it tries again.
constexpr std::chrono::microseconds congestion_pause{100};

// The share of idle times that must have been short for a shard to spin.
constexpr float worth_spinning = 0.25F;

// On a busy machine every shard stalls now and then: one sentence in so long says enough.
constexpr std::chrono::seconds stall_report_pause{10};

// Waits that a shard tells when it has to leave them behind.
constexpr std::size_t told_at_end = 10;

constexpr shard::extension no_extension{nullptr, [](void*) noexcept {},
                                        [](void*) noexcept { return false; }};
}  // namespace

shard::shard(leat::engine& engine, unsigned index, unsigned shards)
    : engine_(engine),
      index_(index),
      extensions_{&no_extension, &no_extension},
      outgoing_(shards),
      doorbell_(shards) {
    dirty_.reserve(shards);
    io::arena_options arena;
    arena.budget = engine_.memory_per_shard();
    arena.huge_pages = engine_.options().huge_pages;
    arena.register_buffers = engine_.options().register_buffers;
    arena_ = std::make_shared<io::buffer_arena>(arena);
}

shard::~shard() {
    for (const route& way : outgoing_) delete way.box.load();
    arena_->detach();
}

void shard::open() {
    if (engine_.options().hosted) engine_.start();
    open_backend();
}

void shard::open_backend() {
    std::thread::id nobody_yet;
    if (!opener_.compare_exchange_strong(nobody_yet, std::this_thread::get_id())) {
        detail::misuse(
            "a shard was opened twice: there is one host_loop, or one open(), for each shard, "
            "until "
            "the engine ends");
    }
    try {
        make_backend();
    } catch (...) {
        opener_ = std::thread::id{};  // join() does not step it
        throw;
    }
}

void shard::make_backend() {
    const engine_options& options = engine_.options();
    if (options.make_backend) {
        backend_ = options.make_backend(index_);
    } else {
        std::string note;
        io::backend_options how = options.backend;
        how.rings = engine_.shards();
        backend_ = io::make_backend(how, note);
        if (!note.empty()) engine_.report_once(event::level::warning, note);
    }
    arena_->attach(*backend_);
    turn_time_ = backend_->now();
    if (options.hosted) engine_.shard_opened();
}

void shard::send(unsigned target, detail::work& item) noexcept {
    if (target == index_) {
        schedule(item);
        return;
    }
    ++counts_.messages_sent;
    route& way = outgoing_[target];
    detail::mailbox<>* box = way.box.load(std::memory_order_relaxed);
    if (box == nullptr && !way.by_inbox) {
        box = new (std::nothrow) detail::mailbox<>;
        way.by_inbox = box == nullptr;
        way.box.store(box, std::memory_order_release);
    }
    if (way.by_inbox) {
        engine_.at(target).send_from_outside(item);
        return;
    }
    box->post(item);
    if (!way.dirty) {
        way.dirty = true;
        dirty_.push_back(target);
    }
}

void shard::send_from_outside(detail::work& item) noexcept {
    inbox_.push(item);
    nudge();
}

bool shard::post_from_outside(detail::work& item) noexcept {
    if (!inbox_.enter()) return false;
    send_from_outside(item);
    inbox_.leave();
    return true;
}

void shard::deliver(detail::work& item) noexcept {
    shard* const here = current();
    if (here != nullptr && &here->engine_ == &engine_) {
        here->send(index_, item);
    } else {
        static_cast<void>(post_from_outside(item));
    }
}

void shard::hold() noexcept {
    if (holds_++ == 0) engine_.root_begins();
}

void shard::unhold() noexcept {
    if (--holds_ == 0) engine_.root_ends();
}

// While outstanding_ is not 0, the engine counts this shard: it is told before the first and after
// the last.
void shard::work_begins() noexcept {
    std::uint64_t known = outstanding_.load(std::memory_order_relaxed);
    for (;;) {
        const bool first = known == 0;
        if (first) engine_.busy_begins();
        if (outstanding_.compare_exchange_strong(known, known + 1)) return;
        if (first) engine_.busy_ends();  // somebody else was the first
    }
}

void shard::work_ends() noexcept {
    shard* const here = current();
    const bool of_engine = here != nullptr && &here->engine_ == &engine_;
    // Another thread sees to it that the engine lasts until it has woken whom it must.
    const bool inside = !of_engine && inbox_.enter();
    if (outstanding_.fetch_sub(1) == 1) engine_.busy_ends();
    if (inside) inbox_.leave();
}

void shard::report_thrown() const noexcept {
    try {
        std::string text = "a function on shard " + std::to_string(index_) + " has thrown ";
        try {
            throw;
        } catch (const std::exception& thrown) {
            text += thrown.what();
        } catch (...) {
            text += "something that is no std::exception";
        }
        engine_.report(event::level::warning, std::move(text));
    } catch (...) {  // no memory for the sentence
    }
}

void shard::nudge() noexcept {
    if (doorbell_.claim_wake()) backend_->wake();
}

std::size_t shard::receive() noexcept {
    std::size_t count = 0;
    inbox_.take(ready_);
    doorbell_.answer([&](unsigned sender) {
        detail::mailbox<>* const box =
            engine_.at(sender).outgoing_[index_].box.load(std::memory_order_acquire);
        count += box->consume([](detail::work& message) { message.run(message); });
    });
    counts_.messages_received += count;
    return count;
}

std::size_t shard::run_ready() noexcept {
    std::size_t count = 0;
    // With its hits spent the turn goes on to the device, but messages alone do not spend it.
    for (; count < ready_a_turn && (hits_left_ > 0 || count == 0); ++count) {
        detail::work* const item = ready_.pop();
        if (item == nullptr) break;
        watch_.running(reinterpret_cast<void*>(item->run));
        item->run(*item);
        watch_.ended(detail::stall_watch::part::ready_work);
    }
    return count;
}

void shard::flush() noexcept {
    if (dirty_.empty()) return;
    congested_ = false;
    std::size_t kept = 0;
    for (const unsigned target : dirty_) {
        detail::mailbox<>& box = *outgoing_[target].box.load(std::memory_order_relaxed);
        if (box.flush() && engine_.at(target).doorbell_.ring(index_)) {
            ++counts_.doorbells;
            engine_.at(target).backend_->wake();
        }
        if (box.congested()) {
            congested_ = true;
            dirty_[kept++] = target;
        } else {
            outgoing_[target].dirty = false;
        }
    }
    dirty_.resize(kept);
}

bool shard::turn() {
    expect_turn();
    const detail::current_scope here{this};
    const detail::flag_raised turning{in_turn_};
    ++turns_;
    turn_time_ = backend_->now();
    hits_before_ += static_cast<std::uint64_t>(hits_a_turn - hits_left_);
    hits_left_ = hits_a_turn;
    watch_.begin();
    if (stop_due()) {
        stop_deadline_ = later(turn_time_, engine_.options().stop_timeout);
        stop_source_.request_stop();
        while (!stop_listeners_.empty()) {
            detail::stop_listener& listener = stop_listeners_.front();
            stop_listeners_.pop_front();
            listener.on_stop(listener);
        }
    }

    std::size_t done = receive();
    if (!timers_.empty()) done += timers_.expire(turn_time_);
    watch_.ended(detail::stall_watch::part::messages);
    done += run_ready();
    for (const slot where : {slot::cache, slot::asio}) {
        const extension& one = extension_of(where);
        one.before_submit(one.state);
    }
    flush();
    watch_.ended(detail::stall_watch::part::cache);
    engine_.expect_own_process();  // somebody may have forked: the ring is not the child's
    done += backend_->run(io::time_point::min());
    watch_.ended(detail::stall_watch::part::kernel);
    if (done != 0) note_stall(turn_time_);
    return done != 0;
}

void shard::note_stall(io::time_point begin) noexcept {
    const io::time_point end = backend_->now();
    const std::chrono::nanoseconds length = end - begin;
    counts_.longest_turn = std::max(counts_.longest_turn, length);
    if (length <= engine_.options().stall) return;
    ++counts_.stalls;
    if (end < next_stall_report_) return;
    next_stall_report_ = end + stall_report_pause;
    try {
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
        engine_.report(event::level::warning,
                       "shard " + std::to_string(index_) + " was kept from its loop for " +
                           std::to_string(ms) + " ms, stall " + std::to_string(counts_.stalls) +
                           " of it; what ran longest: " + watch_.describe() +
                           "; if the machine is not busy otherwise, a coroutine that computes " +
                           "long should co_await leat::yield{}");
    } catch (...) {  // no memory for the sentence: the count stands
    }
}

bool shard::stop_due() const noexcept {
    return engine_.stopping() && !stopping();
}

bool shard::has_work() const noexcept {
    // Who is inside the gate leaves it without a word: a shard that stops waits for that awake.
    return !ready_.empty() || !inbox_.empty() || doorbell_.rung() || stop_due() ||
           (stopping() && inbox_.occupied()) ||
           std::any_of(extensions_.begin(), extensions_.end(), [](const auto& attached) {
               const extension& one = *attached.load(std::memory_order_acquire);
               return one.pending(one.state);
           });
}

void shard::park(io::time_point limit) {
    expect_turn();
    if (!begin_park()) return;
    const detail::current_scope here{this};
    backend_->run(std::min(limit, next_deadline()));
    end_park();
}

// Declares the shard parked, so that whoever sends to it wakes its backend; false, and nothing
// declared, if there is something to do.
bool shard::begin_park() noexcept {
    const detail::current_scope here{this};
    doorbell_.park();
    if (has_work() || finished()) {
        doorbell_.unpark();
        return false;
    }
    ++counts_.parks;
    return true;
}

// When a parked shard has to turn again though nobody wakes it.
io::time_point shard::next_deadline() const noexcept {
    const io::time_point next = std::min(timers_.next(), stop_deadline_);
    return congested_ ? std::min(next, backend_->now() + congestion_pause) : next;
}

std::chrono::nanoseconds shard::spin_limit() const noexcept {
    const std::chrono::nanoseconds longest = engine_.options().spin;
    // Spinning mostly in vain only burns power. A share of idleness decides, not its mean length:
    // small reads that end soon often alternate with large ones.
    return soon_ >= worth_spinning ? longest : longest / 16;
}

void shard::run() {
    const std::chrono::nanoseconds longest = engine_.options().spin;
    io::time_point idle_since{};
    bool idle = false;
    while (!finished()) {
        if (turn()) {
            if (idle) {
                idle = false;
                const float came_soon = turn_time_ - idle_since <= longest ? 1 : 0;
                soon_ += (came_soon - soon_) / 8;
            }
            continue;
        }
        if (!idle) {
            idle = true;
            idle_since = turn_time_;
        }
        if (turn_time_ - idle_since < spin_limit()) {
            __builtin_ia32_pause();
            continue;
        }
        park();
    }
}

bool shard::finished() noexcept {
    if (ended_ || !stopping()) return ended_;
    // Roots twice: what passes between the two counts is seen in one of them. Messages that find no
    // room, since their receiver has ended, are for engine::join.
    const bool idle = engine_.roots() == 0 && !engine_.busy() && engine_.roots() == 0 &&
                      backend_->in_flight() == 0 && !has_work() &&
                      // What came in before it closed is seen now.
                      inbox_.close() && !has_work();
    if (!idle && backend_->now() < stop_deadline_) return false;
    abandoned_ = !idle;
    try {
        if (backend_->in_flight() != 0) owed_ = backend_->owed();
    } catch (const std::bad_alloc&) {  // it owes all the same
        owed_ = "operations";
    }
    end();
    return true;
}

void shard::end() noexcept {
    if (ended_) return;
    ended_ = true;
    runs_functions_ = false;
    inbox_.shut();
    if (abandoned_) run_last();
    tell_end();
    if (abandoned_) run_last();
    // Who joins is another thread, which the ring does not serve.
    if (!abandoned_) arena_->unregister();
    std::vector<waiting_task> left;
    if (abandoned_) {
        try {
            left = waiting(told_at_end);
        } catch (const std::bad_alloc&) {  // nobody hears of them
        }
    }
    engine_.shard_ended(std::move(left));
}

// What has come by now is not left unseen: somebody outside may wait for an answer. What it brings
// about here is left behind.
void shard::run_last() noexcept {
    const detail::current_scope here{this};
    detail::work_queue last;
    last.splice(ready_);
    inbox_.take(last);
    while (detail::work* const item = last.pop()) item->run(*item);
}

void shard::tell_end() noexcept {
    const detail::current_scope here{this};
    while (!end_listeners_.empty()) {
        detail::end_listener& one = end_listeners_.front();
        end_listeners_.pop_front();
        one.on_end(one, abandoned_);
    }
}

std::vector<waiting_task> shard::waiting(std::size_t limit) const {
    std::vector<waiting_task> all;
    const io::time_point now = turn_time_;
    for (const detail::listed_wait& one : waits_) {
        if (all.size() == limit) break;
        all.push_back({.shard = index_,
                       .age = now - one.since(),
                       .name = one.name() != nullptr ? one.name() : "",
                       .awaits = one.awaits()});
    }
    return all;
}

shard_statistics shard::statistics() const {
    shard_statistics all = counts_;
    all.turns = turns_;
    all.accept_waits = connections_.waits();
    all.idle_connections_ended = connections_.ended();
    all.frames = frames_.balance();
    for (const route& way : outgoing_) {
        if (const detail::mailbox<>* const box = way.box.load(std::memory_order_relaxed)) {
            all.mailbox_overflows += box->overflows();
        }
    }
    if (backend_) all.backend = backend_->statistics();
    if (arena_) all.arena = arena_->statistics();
    return all;
}

}  // namespace leat
