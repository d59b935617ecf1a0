// How a shard is made and opened, and how messages, waits and counts reach it.
#include "memory_keeper.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/shard.hpp>
#include <leat/io/detail/misuse.hpp>

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace leat {

namespace detail {
thread_local constinit shard* current_shard __attribute__((tls_model("initial-exec"))) = nullptr;

void off_the_shards() noexcept {
    misuse(
        "something that belongs to a shard was used on a thread that runs none: call it in a task,"
        " which engine::run or spawn_on starts");
}
}  // namespace detail

namespace {
// A segment is as long as a chunk. But each size of buffers that is in use takes segments of its
// own: where there are few, since chunks are long, they are shorter, and a chunk takes neighbours.
constexpr std::uint64_t enough_segments = 16;
constexpr std::uint64_t short_enough = 10 * MiB;
constexpr std::uint64_t huge_page = 2 * MiB;

std::uint64_t segment_length(std::uint64_t chunk_size, std::uint64_t memory) noexcept {
    std::uint64_t length = chunk_size;
    while (length > short_enough && length % (2 * huge_page) == 0 &&
           memory / length < enough_segments)
        length /= 2;
    return length;
}

// Each size of small buffers that is in use takes a slab at least.
constexpr std::uint64_t enough_slabs = 256;
// What a search for memory moves at most, so that fragments of one size serve another.
constexpr std::uint64_t small_slab = 256 * KiB;

std::uint64_t slab_length(std::uint64_t memory) noexcept {
    return std::clamp(std::bit_floor(memory / enough_slabs), 64 * KiB, huge_page);
}

constexpr shard::extension no_extension{nullptr, [](void*) noexcept { return std::size_t{0}; },
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
    arena.most_budget = engine_.options().most_memory / shards;
    arena.huge_pages = engine_.options().huge_pages;
    arena.register_buffers = engine_.options().register_buffers;
    arena.segment_bytes = segment_length(engine_.options().chunk_size, arena.budget);
    arena.slab_bytes = slab_length(arena.budget);
    arena.small_slab_bytes = small_slab;
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
            "until the engine ends");
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
    if (options.touch_memory) arena_->prepare_all();
    stamp_time_ = turn_time_ = backend_->now();
    if (index_ == 0 && options.memory_pressure)
        keeper_ = std::make_unique<detail::memory_keeper>(*this);
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
    all.idle_ns += idle_time_ns();
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
