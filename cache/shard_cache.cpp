// A shard's table, and the ways of requests at home and at the owner.
#include "cache_storage.hpp"

#include <leat/cache/detail/shard_cache.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>

namespace leat::detail {

namespace {
// Turns between looks at what was released elsewhere, while nobody waits for a buffer.
constexpr std::uint64_t settle_turns = 64;
}  // namespace

shard_cache::shard_cache(shared_cache& all, shard& mine, std::uint64_t buckets)
    : table_(buckets), shard_(mine), all_(all), own_(std::make_unique<storage>()) {
    extension_.state = this;
    extension_.before_submit = [](void* self) noexcept {
        static_cast<shard_cache*>(self)->before_submit();
    };
    extension_.pending = [](void* self) noexcept {
        auto& here = *static_cast<shard_cache*>(self);
        return !here.foreign_.empty() || !here.completions_.empty() ||
               (here.own_->buffer_may_be_free && !here.own_->buffer_waiters.empty());
    };
}

void shard_cache::attach() noexcept {
    shard_.attach(extension_);
}

shard_cache::~shard_cache() = default;

void shard_cache::attend(entry& unpinned) noexcept {
    if (unpinned.leased) {
        auto& held = static_cast<lease&>(unpinned);
        held.attention = false;
        if (!held.granted) held.last_use.note(stamp());
        lease_unused(held);
        return;
    }
    auto& mine = static_cast<chunk&>(unpinned);
    mine.attention = false;
    if (mine.doomed) {
        release_if_unused(mine);
    } else {
        // Whoever was met while it was pinned was in use until now.
        if (!mine.in_policy) mine.last_use.note(stamp());
        back_to_policy(mine);
    }
}

void shard_cache::unpin_elsewhere(entry& found, std::uint64_t size) noexcept {
    shard_cache& home = *found.home;
    if (!found.foreign.release(size)) return;  // whoever was the first has linked it
    if (home.foreign_.push(found, [&]() noexcept { home.shard_.nudge(); })) return;
    home.all_.settle_orphans(found.foreign.take().pins);
}

namespace {
// Counts what was released elsewhere.
void count_foreign(entry& released) noexcept {
    const foreign_pins<>::released gone = released.foreign.take();
    released.referred -= gone.bytes;
    released.pins -= static_cast<std::uint32_t>(gone.pins);
}
}  // namespace

void shard_cache::settle_foreign(entry& released) noexcept {
    count_foreign(released);
    if (released.pins == 0 && released.attention) attend(released);
}

void shard_cache::take_foreign() noexcept {
    foreign_.take([this](entry& released) { settle_foreign(released); });
}

void shard_cache::before_submit() noexcept {
    // Each turn, those who release would miss their cache line each time.
    if (shard_.turn_number() % settle_turns == 0 || !own_->buffer_waiters.empty()) take_foreign();
    if (shard_.stopping()) {
        end_buffer_waiters();
        stop_reads();
    }
    if (own_->buffer_may_be_free) serve_buffer_waiters();
    if (!own_->to_fill.empty()) submit_fills();
    completions_.flush();
}

std::uint64_t shard_cache::close() noexcept {
    completions_.flush();
    // Nothing is attended to any more: no message that this sent would find its way.
    foreign_.close([](entry& released) { count_foreign(released); });
    for (chunk& one : own_->chunks) unqueue(one);
    own_->held_leases.clear();
    std::uint64_t pins = 0;
    for (chunk& one : own_->chunks) {
        pins += one.pins;
        own_->policy->erase(one);
        one.holders.clear();
        if (one.file != nullptr) all_.files().unrefer(*std::exchange(one.file, nullptr));
    }
    for (lease& one : own_->leases) {
        pins += one.pins;
        if (one.file != nullptr) all_.files().unrefer(*std::exchange(one.file, nullptr));
    }
    return pins;
}

bool shard_cache::begin_send(std::uint64_t bytes) noexcept {
    const std::uint64_t most = all_.engine().memory_per_shard() / 8;
    if (bytes > most || counts_.sending_bytes > most - bytes) return false;
    counts_.sending_bytes += bytes;
    return true;
}

// Requests at home.

bool shard_cache::request(chunk_request& wanted,
                          std::uint64_t number,
                          std::uint64_t offset,
                          const manager_core& manager) noexcept {
    const auto refuse_with = [&](boost::system::error_code code) {
        wanted.code = code;
        return false;
    };
    if (shard_.stopping()) return refuse_with(errc::stopped);
    file_record* const file = all_.files().acquire(number);
    if (file == nullptr) return refuse_with(errc::closed);
    // Only the file keeps the manager's core alive, if it is this manager's file.
    const manager_core& core = *file->manager;
    wanted.index = core.by_chunk.divide(offset);
    wanted.in = offset - wanted.index * core.chunk_size;
    boost::system::error_code wrong;
    if (&core != &manager) {
        wrong = errc::closed;  // an id of another manager
    } else if (wanted.size == 0 || offset > file->size || wanted.size > file->size - offset) {
        wrong = errc::out_of_range;
    } else if (wanted.in + wanted.size > core.chunk_size) {
        wrong = errc::crosses_chunk;
    }
    if (wrong) {
        all_.files().release(*file);
        return refuse_with(wrong);
    }
    ++counts_.misses;
    ++own_->waiting;
    wanted.file = file;
    wanted.home = this;
    wanted.owner = &all_.at(core.owner(number, wanted.index));
    wanted.deadline.request = wanted.cancellation.request = &wanted;
    if (wanted.owner == this) {
        serve(wanted);
        return true;
    }
    wanted.via = lease_for(wanted);
    if (wanted.via == nullptr) {
        --own_->waiting;
        all_.files().release(*file);
        return refuse_with(system_error_code(ENOMEM));
    }
    ++wanted.via->outstanding;
    wanted.travelling = 1;
    wanted.run = &arrived;
    shard_.send(wanted.owner->shard_.index(), wanted);
    return true;
}

void shard_cache::cancel(chunk_request& wanted) noexcept {
    if (wanted.cancelled) return;
    wanted.cancelled = true;
    if (wanted.owner == this) {
        if (wanted.waits == chunk_request::place::nowhere) return;  // it has ended
        withdraw(wanted);
        return;
    }
    if (wanted.travelling == 0) return;
    ++wanted.travelling;
    wanted.cancellation.run = &cancel_arrived;
    shard_.send(wanted.owner->shard_.index(), wanted.cancellation);
}

void shard_cache::finish(chunk_request& ended, boost::system::error_code code) noexcept {
    ended.code = code;
    --own_->waiting;
    all_.files().release(*std::exchange(ended.file, nullptr));
    ended.done(ended);
}

void shard_cache::granted_at_home(work& message) noexcept {
    auto& wanted = static_cast<chunk_request&>(message);
    shard_cache& here = *wanted.home;
    lease& via = *wanted.via;
    --via.outstanding;
    if (!wanted.code) {
        if (!via.granted || via.generation != wanted.grant) {
            const chunk& of = *wanted.at;
            via.generation = wanted.grant;
            via.granted = via.ever_granted = true;
            via.data = of.data;
            via.length = of.length;
            via.presence = of.landed_words.get();
            via.all_landed = &of.everything_landed;
        }
        if (wanted.whole || via.all_landed->load(std::memory_order_acquire))
            via.ready_length = via.length;
        here.pin(via, wanted.size);
        wanted.pinned = &via;
    }
    here.end_at_home(wanted);
    here.lease_unused(via);
    assert(via.file == nullptr || via.fault_at_home() == nullptr);
}

void shard_cache::cancelled_at_home(work& message) noexcept {
    chunk_request& wanted =
        *static_cast<chunk_request::back_pointer&>(static_cast<timer&>(message)).request;
    wanted.home->end_at_home(wanted);
}

void shard_cache::end_at_home(chunk_request& ended) noexcept {
    // A cancellation may still be at the owner, which looks at the request then.
    if (--ended.travelling == 0) finish(ended, ended.code);
}

// Requests at the owner.

void shard_cache::arrived(work& message) noexcept {
    auto& wanted = static_cast<chunk_request&>(message);
    wanted.owner->serve(wanted);
}

void shard_cache::cancel_arrived(work& message) noexcept {
    chunk_request& wanted =
        *static_cast<chunk_request::back_pointer&>(static_cast<timer&>(message)).request;
    shard_cache& here = *wanted.owner;
    if (wanted.waits != chunk_request::place::nowhere) here.withdraw(wanted);
    wanted.cancellation.run = &cancelled_at_home;
    here.shard_.send(wanted.home->shard_.index(), wanted.cancellation);
}

void shard_cache::serve(chunk_request& wanted) noexcept {
    if (shard_.stopping()) {
        answer(wanted, errc::stopped);
        return;
    }
    entry* const found = find(wanted.file->number, wanted.index);
    if (found != nullptr) {
        serve_from(static_cast<chunk&>(*found), wanted);
        return;
    }
    // Those that came earlier go first.
    chunk* const made =
        own_->buffer_waiters.empty() ? make_chunk(*wanted.file, wanted.index) : nullptr;
    if (made != nullptr) {
        serve_from(*made, wanted);
    } else if (may_wait(wanted)) {
        wait_for_buffer(wanted);
    } else {
        answer(wanted, shortage());
    }
}

bool shard_cache::may_wait(const chunk_request& wanted) const noexcept {
    return !own_->out_of_memory && (wanted.patience == patience::deadline ||
                                    (wanted.patience == patience::brief && own_->coming != 0));
}

void shard_cache::serve_from(chunk& found, chunk_request& wanted) noexcept {
    wanted.at = &found;
    if (found.ready_length != 0 || found.landed(wanted.in, wanted.size)) {
        grant(found, wanted);
        return;
    }
    wanted.waits = chunk_request::place::units;
    found.add(wanted);
    want(found, wanted);
    assert(found.fault() == nullptr);
}

void shard_cache::grant(chunk& found, chunk_request& wanted) noexcept {
    if (!wanted.asked_ahead) found.served = true;
    if (wanted.home == this) {
        pin(found, wanted.size);
        wanted.pinned = &found;
        finish(wanted, {});
        return;
    }
    lease::owner_part& held = wanted.via->at_owner;
    if (held.of != nullptr && held.of != &found) {
        // Slices of a chunk that a change of the file has doomed still hang on the lease.
        answer(wanted, errc::file_changed);
        return;
    }
    if (held.of == nullptr) {
        held.of = &found;
        ++held.generation;
        found.holders.push_back(held);
        ++counts_.grants;
    } else if (held.pinned || (held.revoke_out && held.generation == held.revoked_generation)) {
        ++held.generation;  // somebody there wants it after all: a revoke on its way is void
        ++counts_.grants;
        if (std::exchange(held.pinned, false)) back_to_policy(found);
    }
    wanted.grant = held.generation;
    wanted.whole = found.ready_length != 0;
    answer(wanted, {});
}

void shard_cache::answer(chunk_request& wanted, boost::system::error_code code) noexcept {
    wanted.waits = chunk_request::place::nowhere;
    if (wanted.home == this) {
        finish(wanted, code);
        return;
    }
    wanted.code = code;
    wanted.run = &granted_at_home;
    shard_.send(wanted.home->shard_.index(), wanted);
}

void shard_cache::withdraw(chunk_request& wanted) noexcept {
    chunk* left = nullptr;
    if (wanted.waits == chunk_request::place::units) {
        left = wanted.at;
        left->remove(wanted);
    } else {
        own_->buffer_waiters.remove(wanted);
        shard_.remove_timer(wanted.deadline);
        own_->buffer_may_be_free = true;  // perhaps for those behind it
    }
    answer(wanted, wanted.home->shard_.stopping() ? errc::stopped : errc::cancelled);
    if (left == nullptr) return;
    rank(*left);
    assert(left->fault() == nullptr);
    drop_if_unwanted(*left);
}

void shard_cache::wait_for_buffer(chunk_request& wanted) noexcept {
    ++counts_.buffer_waits;
    own_->buffer_waiters.push(wanted);
    wanted.deadline.run = &waited_too_long;
    shard_.add_timer(wanted.deadline, shard_.after(wanted.file->manager->pin_deadline));
}

void shard_cache::waited_too_long(work& item) noexcept {
    chunk_request& wanted =
        *static_cast<chunk_request::back_pointer&>(static_cast<timer&>(item)).request;
    shard_cache& here = *wanted.owner;
    here.own_->buffer_waiters.remove(wanted);
    here.own_->buffer_may_be_free = true;
    if (entry* const found = here.find(wanted.file->number, wanted.index)) {
        here.serve_from(static_cast<chunk&>(*found), wanted);
        return;
    }
    here.answer(wanted, here.shortage());
}

void shard_cache::end_buffer_waiters() noexcept {
    while (!own_->buffer_waiters.empty()) {
        chunk_request& first = own_->buffer_waiters.front();
        own_->buffer_waiters.remove(first);
        shard_.remove_timer(first.deadline);
        answer(first, errc::stopped);
    }
}

void shard_cache::end_brief_waits() noexcept {
    if (!own_->buffer_waiters.has_brief()) return;
    const boost::system::error_code code = shortage();
    for (auto next = own_->buffer_waiters.begin(); next != own_->buffer_waiters.end();) {
        chunk_request& waiter = *next++;
        if (waiter.patience != patience::brief) continue;
        own_->buffer_waiters.remove(waiter);
        shard_.remove_timer(waiter.deadline);
        answer(waiter, code);
    }
}

void shard_cache::serve_buffer_waiters() noexcept {
    own_->buffer_may_be_free = false;
    while (!own_->buffer_waiters.empty()) {
        chunk_request& first = own_->buffer_waiters.front();
        entry* found = find(first.file->number, first.index);
        if (found == nullptr) found = make_chunk(*first.file, first.index);
        if (found == nullptr && own_->out_of_memory) {
            own_->buffer_waiters.remove(first);
            shard_.remove_timer(first.deadline);
            answer(first, system_error_code(ENOMEM));
            continue;
        }
        if (found == nullptr) {
            if (own_->coming == 0) end_brief_waits();
            return;
        }
        auto& made = static_cast<chunk&>(*found);
        while (chunk_request* const waiter =
                   own_->buffer_waiters.first_of(*made.file, made.index)) {
            own_->buffer_waiters.remove(*waiter);
            shard_.remove_timer(waiter->deadline);
            serve_from(made, *waiter);
        }
    }
}

}  // namespace leat::detail
