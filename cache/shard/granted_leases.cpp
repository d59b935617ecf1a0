// What a shard does with its chunks that others hold: grants, revokes, and takes back.
#include "granted_leases.hpp"

#include "held_leases.hpp"
#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <cassert>
#include <utility>

namespace leat::detail {

using state = lease::owner_state;

namespace {
shard_cache& here(const lease& held) noexcept {
    return held.home->all().at(held.owner);
}
}  // namespace

std::uint32_t granted_leases::grant(chunk& found, lease& to) noexcept {
    lease::owner_part& held = to.at_owner;
    if (held.chunk != nullptr && held.chunk != &found) return 0;
    switch (held.state) {
        case state::none:
            held.chunk = &found;
            found.holders.push_front(held);
            held.state = state::held;
            break;
        case state::revoking:
            held.state = state::regranted;
            break;
        case state::kept:
            held.state = state::held;
            chunks_.settle(found);
            break;
        case state::held:
        case state::regranted:
            return held.generation;
        case state::closing:
            assert(false && "requests through a lease come before it is given back");
            return 0;
    }
    // They would keep it from going home, and so what it holds from being evicted for them.
    if (held.in_line != 0) cache_.parts().owner_requests.look_at(*found.file, to.piece);
    ++counts_.grants;
    // A later one of the same number is too far away to be taken for it.
    if (++held.generation == 0) ++held.generation;
    return held.generation;
}

void granted_leases::revoke(chunk& wanted) noexcept {
    for (lease::owner_part& held : wanted.holders) {
        if (held.state == state::held) revoke(held);
    }
}

void granted_leases::revoke(lease::owner_part& held) noexcept {
    held.state = state::revoking;
    ++counts_.revokes;
    lease::revoke_message& message = held.of().revoke;
    message.generation = held.generation;
    message.run = &held_leases::revoke_arrived;
    cache_.home().send(held.of().home->home().index(), message);
}

void granted_leases::revoke_returned(work& message) noexcept {
    lease& held = lease::of_revoke(message);
    here(held).parts().granted_leases.revoke_ended(held);
}

void granted_leases::revoke_ended(lease& held) noexcept {
    chunks_.note_room();  // for another revoke, at least
    lease::owner_part& mine = held.at_owner;
    switch (mine.state) {
        case state::regranted:
            mine.state = state::held;
            if (mine.chunk->doomed) revoke(mine);
            break;
        case state::revoking:
            if (held.revoke.pinned) {
                mine.state = state::kept;
            } else {
                unlink(mine);
            }
            break;
        case state::closing:
            mine.state = state::none;
            send_home(held);
            return;  // it is home's from here on
        case state::none:
        case state::held:
        case state::kept:
            assert(false && "no revoke is on its way in this state");
            break;
    }
    assert(held.fault_at_owner() == nullptr);
}

void granted_leases::give_back_arrived(work& message) noexcept {
    lease& held = lease::of_give_back(message);
    here(held).parts().granted_leases.given_back(held);
}

void granted_leases::given_back(lease& held) noexcept {
    lease::owner_part& mine = held.at_owner;
    const bool revoke_on_its_way = mine.state == state::revoking || mine.state == state::regranted;
    if (mine.chunk != nullptr) unlink(mine);
    if (!revoke_on_its_way) return send_home(held);
    mine.state = state::closing;
    assert(held.fault_at_owner() == nullptr);
}

void granted_leases::send_home(lease& held) noexcept {
    held.give_back.run = &held_leases::give_back_returned;
    cache_.home().send(held.home->home().index(), held.give_back);
}

void granted_leases::unlink(lease::owner_part& held) noexcept {
    chunk& of = *std::exchange(held.chunk, nullptr);
    held.state = state::none;
    // Uses through the lease count, its return does not.
    of.last_use.note(of.latest_use());
    if (held.of().take_reuses()) of.count_reuse();
    of.holders.erase(of.holders.iterator_to(held));
    chunks_.settle(of);
}

}  // namespace leat::detail
