// Puts a shard's parts together, and gives each its turn.
#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <new>
#include <utility>

namespace leat::detail {

namespace {
// Turns between looks at what was released elsewhere, while nobody waits for a buffer.
constexpr std::uint64_t settle_turns = 64;

// Counts what was released elsewhere.
void count_foreign(entry& released) noexcept {
    const foreign_pins<>::released gone = released.foreign.take();
    released.referred -= gone.bytes;
    released.pins -= static_cast<std::uint32_t>(gone.pins);
}

// What a shard's buffers have in any case.
std::uint64_t least_of(const engine& of) noexcept {
    return of.least_memory() / of.shards();
}
}  // namespace

shard_cache::shard_cache(shared_cache& all, shard& mine, std::uint64_t buckets)
    : table_(buckets),
      log_(mine),
      shard_(mine),
      all_(all),
      parts_(std::make_unique<shard_parts>(
          *this, all.engine().memory_per_shard(), least_of(all.engine()), *mine.arena())) {
    parts_->memory.take_anyway(buckets * sizeof(entry*));
    extension_.state = this;
    extension_.before_submit = [](void* self) noexcept {
        return static_cast<shard_cache*>(self)->before_submit();
    };
    extension_.pending = [](void* self) noexcept {
        auto& here = *static_cast<shard_cache*>(self);
        const bool room = here.parts_->chunks.room_may_have_come();
        const bool exceeded = here.parts_->memory.exceeded();
        const bool in_line = here.parts_->home_requests.in_line();
        return !here.foreign_.empty() || !here.completions_.empty() ||
               here.parts_->fills.can_submit() ||
               (room && (here.parts_->owner_requests.waiting() || in_line || exceeded)) ||
               (in_line && here.parts_->held_leases.may_give_back()) ||
               here.parts_->eviction.owes_shrink();
    };
}

void shard_cache::adopt_table(entry_table::buckets other) noexcept {
    const std::uint64_t bytes = other.size() * sizeof(entry*);
    const std::uint64_t before = table_.size() * sizeof(entry*);
    if (bytes < before) {  // it takes none
        table_.adopt(std::move(other));
        return parts_->memory.give_back(before - bytes);
    }
    while (!parts_->memory.take(bytes)) {
        if (!parts_->eviction.make_memory(bytes)) return;  // the one that there is serves, too
    }
    parts_->memory.give_back(before);
    table_.adopt(std::move(other));
}

void shard_cache::fit_table() noexcept {
    const std::uint64_t count = all_.buckets();
    if (count == table_.size()) return;
    try {
        adopt_table(entry_table::buckets(count));
    } catch (const std::bad_alloc&) {  // the one that there is serves, too
    }
}

void shard_cache::attach() noexcept {
    shard_.attach(extension_);
}

shard_cache::~shard_cache() = default;

bool shard_cache::request(chunk_request& wanted,
                          std::uint64_t number,
                          std::uint64_t offset,
                          const manager_core& manager) noexcept {
    return parts_->home_requests.start(wanted, number, offset, manager);
}

void shard_cache::cancel(chunk_request& wanted) noexcept {
    parts_->home_requests.cancel(wanted);
}

std::size_t shard_cache::before_submit() noexcept {
    const bool now_and_then = shard_.turn_number() % settle_turns == 0;
    // Each turn, those who release would miss their cache line each time.
    if (now_and_then || parts_->owner_requests.waiting()) take_foreign();
    const leat::engine& engine = all_.engine();
    if (engine.memory_per_shard() != parts_->memory.bytes() ||
        least_of(engine) != parts_->memory.least())
        memory_changed();
    const bool exceeded = parts_->memory.exceeded();
    if (parts_->eviction.owes_shrink() ||
        (exceeded && (now_and_then || parts_->chunks.room_may_have_come())))
        parts_->eviction.shrink();
    if (now_and_then && !parts_->owner_requests.waiting()) parts_->memory.disclaim();
    if (shard_.stopping()) {
        parts_->home_requests.end_line();
        parts_->owner_requests.end_line();
        parts_->fills.stop_reads();
    }
    parts_->home_requests.ask_ahead();
    if (parts_->chunks.room_may_have_come()) parts_->owner_requests.serve_line();
    // Behind the owner's, which forgets that room may have come.
    if (parts_->home_requests.in_line()) parts_->home_requests.serve_line();
    const std::size_t begun = parts_->fills.submit();
    parts_->chunks.let_go();
    // A look at what cannot move costs time.
    parts_->chunks.tidy(now_and_then);
    parts_->held_leases.tidy();
    completions_.flush();
    log_.turn_ended(stamp());
    return begun;
}

void shard_cache::memory_changed() noexcept {
    const std::uint64_t bytes = all_.engine().memory_per_shard();
    parts_->memory.set_bytes(bytes);
    parts_->memory.set_least(least_of(all_.engine()));
    parts_->runs.set_memory(bytes);
    parts_->owner_requests.memory_changed(bytes);
    // What is left to buffers depends on the entries that remain, and on what is remembered.
    parts_->uses.set_memory(bytes);
    fit_table();
    parts_->eviction.shrink();
    parts_->uses.set_memory(parts_->memory.for_buffers());
    static_cast<void>(parts_->eviction.count_remembered());
    parts_->chunks.note_room();
}

// Uses and pins.

void shard_cache::visited(entry& found, std::uint64_t in) noexcept {
    parts_->uses.visited(found, in);
}

entry* shard_cache::find_beyond_mark(const manager_core& manager,
                                     std::uint64_t file,
                                     chunk_place place,
                                     std::uint32_t size) const noexcept {
    for (const piece_number piece :
         {piece_number::chunk(place.index), piece_number::fragment(place)}) {
        entry* const found = table_.find(file, piece);
        if (found != nullptr && found->beyond_mark(manager, place.in, size)) return found;
    }
    return nullptr;
}

entry* shard_cache::pass_mark(const manager_core& manager,
                              std::uint64_t file,
                              chunk_place place,
                              std::uint32_t size) noexcept {
    entry* const found = find_beyond_mark(manager, file, place, size);
    if (found == nullptr) return nullptr;
    found->pass_mark();
    parts_->home_requests.passed_mark(file, place.index * manager.chunk_size + place.in + size);
    return found;
}

entry* shard_cache::hinted_hit(const manager_core& manager,
                               std::uint64_t file,
                               chunk_place place,
                               std::uint32_t size,
                               hint given) noexcept {
    entry* found = table_.find_ready(manager, file, place, size);
    if (found == nullptr) found = pass_mark(manager, file, place, size);
    if (found == nullptr || !parts_->uses.hit(*found, place.in, size, given)) return nullptr;
    return found;
}

std::uint64_t shard_cache::at_once(const manager_core& manager,
                                   std::uint64_t file,
                                   chunk_place place) const noexcept {
    if (manager.grain >= manager.chunk_size) return manager.chunk_size - place.in;
    const entry* const whole = table_.find(file, piece_number::chunk(place.index));
    if (whole != nullptr && whole->ready_end() > place.in) return whole->ready_end() - place.in;
    const std::uint64_t fragment = fragment_size - place.in % fragment_size;
    const entry* const part = table_.find(file, piece_number::fragment(place));
    if (part == nullptr || place.in < part->start) return fragment;
    const std::uint64_t ready = std::uint64_t{part->start} + part->ready_end();
    return ready > place.in ? ready - place.in : fragment;
}

void shard_cache::attend(entry& unpinned) noexcept {
    if (unpinned.leased) {
        parts_->held_leases.unpinned(static_cast<lease&>(unpinned));
    } else {
        parts_->chunks.unpinned(static_cast<chunk&>(unpinned));
    }
}

void shard_cache::unpin_elsewhere(entry& found, std::uint64_t size) noexcept {
    shard_cache& home = *found.home;
    if (!found.foreign.release(size)) return;  // whoever was the first has linked it
    if (home.foreign_.push(found, [&]() noexcept { home.shard_.nudge(); })) return;
    home.all_.settle_orphans(found.foreign.take().pins);
}

void shard_cache::settle_foreign(entry& released) noexcept {
    count_foreign(released);
    if (released.pins == 0 && released.attention) attend(released);
}

void shard_cache::take_foreign() noexcept {
    foreign_.take([this](entry& released) { settle_foreign(released); });
}

// Counts.

bool shard_cache::begin_send(std::uint64_t bytes) noexcept {
    const std::uint64_t most = all_.engine().memory_per_shard() / 8;
    std::uint64_t& sending = parts_->counts.sending_bytes;
    if (bytes > most || sending > most - bytes) return false;
    sending += bytes;
    return true;
}

void shard_cache::end_send(std::uint64_t bytes) noexcept {
    parts_->counts.sending_bytes -= bytes;
}

void shard_cache::count_bypass() noexcept {
    ++parts_->counts.bypasses;
}

const char* shard_cache::fault() const noexcept {
    if (const char* const wrong = parts_->chunks.fault()) return wrong;
    if (const char* const wrong = parts_->held_leases.fault()) return wrong;
    if (const char* const wrong = parts_->fills.fault()) return wrong;
    if (const char* const wrong = parts_->memory.fault()) return wrong;
    const std::uint64_t entries = table_.size() * sizeof(entry*) + parts_->chunks.entry_bytes() +
                                  parts_->held_leases.entry_bytes();
    if (entries != parts_->memory.entries())
        return "memory for entries is not taken out of the budget";
    return parts_->owner_requests.fault();
}

std::uint64_t shard_cache::close() noexcept {
    completions_.flush();
    // Nothing is attended to any more: no message that this sent would find its way.
    foreign_.close([](entry& released) { count_foreign(released); });
    parts_->chunks.each([this](chunk& one) { parts_->fills.unqueue(one); });
    return parts_->held_leases.close() + parts_->chunks.close();
}

}  // namespace leat::detail
