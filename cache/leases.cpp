// Leases: a shard serves hits on another's chunk. Each message of a lease has one place at a time
// and always returns.
#include "cache_storage.hpp"

#include <leat/cache/detail/shard_cache.hpp>

#include <cassert>
#include <chrono>
#include <new>

namespace leat::detail {

namespace {
// A lease unused for so long is given back, so that its chunk is the owner's alone to judge. The
// owner asks for it before, if it needs the buffer.
constexpr std::chrono::nanoseconds lease_age = std::chrono::seconds{1};
}  // namespace

// At home.

lease* shard_cache::lease_for(chunk_request& wanted) noexcept {
    if (entry* const known = find(wanted.file->number, wanted.index))
        return static_cast<lease*>(known);
    sweep_leases();
    lease* made = own_->free_lease;
    if (made != nullptr) {
        own_->free_lease = made->next_free;
    } else {
        try {
            made = &own_->leases.emplace_back();
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
        made->leased = true;
        made->home = this;
        made->at_owner.self = made;
        made->give_back_message.self = made->revoke_message.self = made;
    }
    file_registry::refer(*wanted.file);
    made->file = wanted.file;
    made->file_number = wanted.file->number;
    made->index = wanted.index;
    made->owner = wanted.owner;
    made->last_use.note(stamp());
    table_.insert(*made);
    own_->held_leases.push_back(*made);
    ++own_->live_leases;
    return made;
}

void shard_cache::sweep_leases() noexcept {
    // Two for each new one, so that all are looked at before their number doubles.
    for (int look = 0; look < 2 && !own_->held_leases.empty(); ++look) {
        lease& oldest = own_->held_leases.front();
        own_->held_leases.pop_front();
        own_->held_leases.push_back(oldest);
        const std::int64_t unused = stamp() - oldest.last_use.latest();
        if (unused > lease_age.count() && oldest.pins == 0 && oldest.outstanding == 0) {
            give_back(oldest);
        }
    }
}

void shard_cache::lease_unused(lease& idle) noexcept {
    if (idle.pins == 0 && idle.outstanding == 0 && !idle.granted) give_back(idle);
}

void shard_cache::give_back(lease& idle) noexcept {
    if (idle.giving_back) return;
    idle.giving_back = true;
    idle.granted = false;
    idle.ready_length = 0;
    idle.presence = nullptr;
    table_.erase(idle);
    own_->held_leases.erase(own_->held_leases.iterator_to(idle));
    if (!idle.ever_granted) {
        free_lease(idle);
        return;
    }
    idle.give_back_message.run = &give_back_arrived;
    shard_.send(idle.owner->shard_.index(), idle.give_back_message);
}

void shard_cache::free_lease(lease& gone) noexcept {
    all_.files().unrefer(*std::exchange(gone.file, nullptr));
    gone.giving_back = gone.ever_granted = gone.attention = gone.kept_by_pins = false;
    gone.next_free = own_->free_lease;
    own_->free_lease = &gone;
    --own_->live_leases;
}

void shard_cache::returned_at_home(work& message) noexcept {
    lease& gone = *static_cast<lease::back_pointer&>(message).self;
    gone.home->free_lease(gone);
}

void shard_cache::revoke_at_home(work& message) noexcept {
    lease& held = *static_cast<lease::back_pointer&>(message).self;
    shard_cache& here = *held.home;
    // The owner does not touch revoked_generation while the message is out.
    const bool valid = held.granted && held.generation == held.at_owner.revoked_generation;
    if (valid) {
        if (held.pins != 0) here.take_foreign();  // it may be pinned only by what is gone
        held.granted = false;
        held.ready_length = 0;
        held.presence = nullptr;
        held.attention = held.kept_by_pins = held.pins != 0;
    }
    // At once, pinned or not: the owner waits for nothing else. The last unpin gives it back.
    held.revoke_message.run = &revoke_returned;
    here.shard_.send(held.owner->shard_.index(), held.revoke_message);
    if (valid) here.lease_unused(held);
    assert(held.file == nullptr || held.fault_at_home() == nullptr);
}

// At the owner.

void shard_cache::revoke(lease& held) noexcept {
    lease::owner_part& mine = held.at_owner;
    mine.revoke_out = true;
    mine.revoked_generation = mine.generation;
    ++counts_.revokes;
    held.revoke_message.run = &revoke_at_home;
    shard_.send(held.home->shard_.index(), held.revoke_message);
}

void shard_cache::revoke_returned(work& message) noexcept {
    lease& held = *static_cast<lease::back_pointer&>(message).self;
    shard_cache& here = *held.owner;
    lease::owner_part& mine = held.at_owner;
    mine.revoke_out = false;
    here.own_->buffer_may_be_free = true;  // there is room for another revoke, at least
    if (mine.of != nullptr && mine.generation != mine.revoked_generation) {
        if (mine.of->doomed) here.revoke(held);  // it was granted anew meanwhile
    } else if (mine.of != nullptr && held.kept_by_pins) {
        mine.pinned = true;
    } else if (mine.of != nullptr) {
        here.unlink(held);
    }
    if (!mine.give_back_waits) {
        assert(held.fault_at_owner() == nullptr);
        return;
    }
    mine.give_back_waits = false;
    held.give_back_message.run = &returned_at_home;
    here.shard_.send(held.home->shard_.index(), held.give_back_message);
}

void shard_cache::give_back_arrived(work& message) noexcept {
    lease& held = *static_cast<lease::back_pointer&>(message).self;
    shard_cache& here = *held.owner;
    if (held.at_owner.of != nullptr) here.unlink(held);
    if (held.at_owner.revoke_out) {
        held.at_owner.give_back_waits = true;
        assert(held.fault_at_owner() == nullptr);
        return;
    }
    held.give_back_message.run = &returned_at_home;
    here.shard_.send(held.home->shard_.index(), held.give_back_message);
}

void shard_cache::unlink(lease& held) noexcept {
    chunk& of = *std::exchange(held.at_owner.of, nullptr);
    of.last_use.note(of.latest_use());  // a use through the lease counts, its return does not
    of.holders.erase(of.holders.iterator_to(held.at_owner));
    held.at_owner.pinned = false;
    if (of.doomed) {
        release_if_unused(of);
    } else {
        back_to_policy(of);
    }
}

}  // namespace leat::detail
