// What a shard does with leases of other shards' chunks: asks, holds, and gives back.
#include "held_leases.hpp"

#include "granted_leases.hpp"
#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <new>
#include <utility>

namespace leat::detail {

namespace {
// A lease unused for so long is given back, so that its chunk is the owner's alone to judge. The
// owner asks for it before, if it needs the buffer.
constexpr std::chrono::nanoseconds lease_age = std::chrono::seconds{1};
// In one turn so many are given back for want of memory: a message each.
constexpr int most_looks = 64;
}  // namespace

held_leases::held_leases(shard_cache& cache, shard_memory& memory, entry_pages& pages)
    : cache_(cache), memory_(memory), leases_(pages) {
    if (!leases_.add_page()) throw std::bad_alloc{};
    memory_.take_anyway(leases_.bytes());
}

bool held_leases::drop_page() noexcept {
    if (leases_.bytes() == entry_pages::page_bytes || !leases_.drop_page()) return false;
    memory_.give_back(entry_pages::page_bytes);
    cache_.parts().chunks.note_room();
    return true;
}

bool held_leases::reserve() noexcept {
    out_of_memory_ = false;
    if (vacant()) return true;
    while (!memory_.take(entry_pages::page_bytes)) {
        if (!cache_.parts().eviction.make_memory(entry_pages::page_bytes)) return false;
    }
    if (leases_.add_page()) return true;
    memory_.give_back(entry_pages::page_bytes);
    out_of_memory_ = true;
    return false;
}

lease* held_leases::request_through(file_record& file,
                                    piece_number piece,
                                    shard_cache& owner) noexcept {
    if (entry* const known = cache_.find(file.number, piece)) {
        auto& held = static_cast<lease&>(*known);
        ++held.outstanding;
        return &held;
    }
    sweep();
    if (!reserve()) return nullptr;
    lease& made = leases_.make(cache_);
    file_registry::refer(file);
    made.file = &file;
    made.file_number = file.number;
    made.piece = piece;
    made.owner = owner.home().index();
    made.state = lease::home_state::asked;
    made.outstanding = 1;
    cache_.table().insert(made);
    return &made;
}

void held_leases::sweep() noexcept {
    // Two for each new one, so that all are looked at before their number doubles.
    for (int look = 0; look < 2; ++look) {
        lease* const next = leases_.next(sweep_);
        if (next == nullptr) return;
        const std::int64_t unused = cache_.stamp() - std::max(next->since, next->last_use.latest());
        if (unused > lease_age.count() && !next->retired && next->pins == 0 &&
            next->outstanding == 0)
            give_back(*next);
    }
}

void held_leases::granted(lease& by,
                          const chunk& of,
                          std::uint32_t generation,
                          bool whole) noexcept {
    if (by.state != lease::home_state::granted || by.generation != generation) {
        by.state = lease::home_state::granted;
        by.generation = generation;
        by.set_place(of.data(), of.start);
        by.length = of.length;
        by.bytes = of.bytes;
        by.presence = of.landed_words();
        by.marked = false;
    }
    // What has no presence was complete before.
    if (whole || by.presence == nullptr || by.landed(0, by.length)) by.complete();
}

void held_leases::unpinned(lease& left) noexcept {
    left.attention = left.fleeting || left.retired;
    // If it was used at all: a scan's pin is no use.
    if (left.state == lease::home_state::revoked && left.last_use.latest() != 0)
        left.last_use.note(cache_.stamp());
    settle(left);
}

void held_leases::settle(lease& left) noexcept {
    if (left.pins != 0 || left.outstanding != 0) return;
    const bool granted = left.state == lease::home_state::granted;
    const bool superfluous =
        left.fleeting || left.retired || cache_.parts().home_requests.in_line();
    if (left.state == lease::home_state::asked || left.state == lease::home_state::revoked ||
        (granted && superfluous))
        give_back(left);
}

void held_leases::give_back(lease& idle) noexcept {
    const bool never_granted = idle.state == lease::home_state::asked;
    idle.state = lease::home_state::returning;
    idle.ready_length = 0;
    idle.presence = nullptr;
    retire(idle);
    if (never_granted) return free(idle);
    idle.give_back.run = &granted_leases::give_back_arrived;
    cache_.home().send(idle.owner, idle.give_back);
}

void held_leases::retire(lease& old) noexcept {
    if (std::exchange(old.retired, true)) return;
    old.attention = true;  // it goes home with its last pin
    cache_.table().erase(old);
}

void held_leases::free(lease& gone) noexcept {
    gone.state = lease::home_state::unused;
    cache_.all().files().unrefer(*std::exchange(gone.file, nullptr));
    leases_.free(gone);
}

void held_leases::tidy() noexcept {
    while (leases_.sparse() && drop_page()) {
    }
    // Buffers have kept to their memory already, and what is no buffer has more than they leave.
    const bool too_many = memory_.crowded() && leases_.bytes() > memory_.due() / 2;
    if (!memory_.exceeded() && !too_many) return;
    while (drop_page()) {
    }
    if (leases_.sparse()) leases_.each_of_emptiest([this](lease& one) { let_go(one); });
    if (memory_.crowded()) give_some_back();
}

void held_leases::let_go(lease& one) noexcept {
    if (one.state == lease::home_state::granted && one.pins == 0 && one.outstanding == 0)
        give_back(one);
}

void held_leases::give_some_back() noexcept {
    for (int look = 0; look < most_looks; ++look) {
        lease* const next = leases_.next(sweep_);
        if (next == nullptr) break;
        next->attention = true;  // should it be in use
        let_go(*next);
    }
    unlooked_ -= std::min<std::uint64_t>(unlooked_, most_looks);
}

void held_leases::give_back_returned(work& message) noexcept {
    lease& gone = lease::of_give_back(message);
    gone.home->parts().held_leases.free(gone);
}

void held_leases::revoke_arrived(work& message) noexcept {
    lease& held = lease::of_revoke(message);
    held.home->parts().held_leases.revoked(held);
}

void held_leases::revoked(lease& held) noexcept {
    // It may be pinned only by what is gone, and then go home for that.
    if (held.pins != 0) cache_.take_foreign();
    const bool valid =
        held.state == lease::home_state::granted && held.generation == held.revoke.generation;
    if (valid) {
        held.state = lease::home_state::revoked;
        held.ready_length = 0;
        held.presence = nullptr;
        held.attention = held.pins != 0;
    }
    // At once, pinned or not: the owner waits for nothing else. The last unpin gives it back.
    held.revoke.pinned = held.state == lease::home_state::revoked && held.pins != 0;
    held.revoke.run = &granted_leases::revoke_returned;
    cache_.home().send(held.owner, held.revoke);
    if (valid) settle(held);
    assert(held.fault_at_home() == nullptr);
}

const char* held_leases::fault() const noexcept {
    const char* wrong = leases_.fault();
    leases_.each([&](const lease& one) {
        if (wrong == nullptr) wrong = one.fault_at_home();
        if (wrong == nullptr && one.state == lease::home_state::unused)
            wrong = "leases are counted wrongly";
        const bool in_table = cache_.find(one.file_number, one.piece) == &one;
        const bool at_work = !one.retired;
        if (wrong != nullptr) return;
        if (in_table != at_work) wrong = "a lease is not in the table, or one on its way back is";
    });
    return wrong;
}

std::uint64_t held_leases::close() noexcept {
    std::uint64_t pins = 0;
    leases_.each([&](lease& one) {
        pins += one.pins;
        cache_.all().files().unrefer(*std::exchange(one.file, nullptr));
    });
    return pins;
}

}  // namespace leat::detail
