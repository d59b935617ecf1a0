// Chunks come and go, and come back to the policy when nothing keeps them.
#include "chunk_store.hpp"

#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <new>

namespace leat::detail {

chunk_store::chunk_store(shard_cache& cache, shard_memory& memory, entry_pages& pages)
    : cache_(cache),
      memory_(memory),
      chunks_(pages),
      fills_(pages),
      policy_(make_policy(cache.all().engine().options().policy, memory.for_buffers())),
      ahead_(memory, *policy_) {
    if (!chunks_.add_page() || !fills_.add_page()) throw std::bad_alloc{};
    memory_.take_anyway(chunks_.bytes() + fills_.bytes());
}

template <class Entry>
bool chunk_store::add_page(entry_pool<Entry>& to) noexcept {
    if (!memory_.take(entry_pages::page_bytes)) return false;
    if (to.add_page()) return true;
    memory_.give_back(entry_pages::page_bytes);
    return false;
}

bool chunk_store::reserve() noexcept {
    return chunks_.vacant() != 0 || add_page(chunks_);
}

bool chunk_store::reserve_fill() noexcept {
    return fills_.vacant() != 0 || add_page(fills_);
}

bool chunk_store::start_fill(chunk& filling) noexcept {
    if (filling.fill != nullptr) return true;
    if (fills_.vacant() == 0) return false;
    filling.fill = &fills_.make(filling);
    if (!filling.piece.is_chunk()) ++filling_fragments_;
    // Behind who has read last, if anybody has.
    const std::uint32_t end = filling.ends.last();
    if (filling.entry::covers(end, 0))
        filling.fill->cursor = static_cast<std::uint32_t>((end - filling.start) >> unit_shift);
    return true;
}

void chunk_store::free_fill(chunk& filled) noexcept {
    fill_state& gone = *std::exchange(filled.fill, nullptr);
    if (!filled.piece.is_chunk()) --filling_fragments_;
    if (gone.aside_link::is_linked()) aside_.erase(aside_.iterator_to(gone));
    cache_.parts().owner_requests.release(gone);
    fills_.free(gone);
    note_room();
}

chunk* chunk_store::header(std::uint32_t length) noexcept {
    try {
        return &chunks_.make(length);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

std::uint64_t chunk_store::key_of(const file_record& file, piece_number piece) noexcept {
    return entry_table::hash(file.key, piece.number());
}

chunk* chunk_store::find(const file_record& file, piece_number piece) const noexcept {
    // What this shard owns is never a lease in its table.
    return static_cast<chunk*>(cache_.find(file.number, piece));
}

chunk* chunk_store::make(file_record& file,
                         const extent& what,
                         std::byte* buffer,
                         std::uint64_t bytes,
                         retention keep) noexcept {
    chunk* const made = header(static_cast<std::uint32_t>(what.length));
    if (made == nullptr) return nullptr;
    file_registry::refer(file);
    made->file = &file;
    made->file_number = file.number;
    made->piece = what.piece;
    made->set_place(buffer, what.start);
    made->home = &cache_;
    made->to_come = what.to_come;
    made->step = what.step;
    made->used = made->since = cache_.stamp();
    made->last_use.note(made->used);
    made->bytes = static_cast<std::uint32_t>(bytes);
    made->key = key_of(file, what.piece);
    made->keep = keep;
    made->attention = keep == retention::gone_when_idle;
    if (!what.piece.is_chunk()) fragments_.add(made->start, made->length);
    cache_.table().insert(*made);
    policy_->loaded(bytes);
    policy_->insert(*made);
    ahead_.note_load(bytes, made->since);
    return made;
}

void chunk_store::first_used(chunk& landed) noexcept {
    landed.served = true;
    landed.used = cache_.stamp();
    landed.last_use.note(landed.used);
    if (!landed.piece.is_chunk()) ahead_.remove(landed);
    if (landed.in_policy) policy_->served(landed);
}

void chunk_store::retain(chunk& used, hint given) noexcept {
    const retention before = used.keep;
    change_retention(used, retention_after(before, given));
    // Uses of before save it no more.
    if (used.keep != before && used.keep == retention::gone_when_idle) used.note_uses();
}

void chunk_store::supersede(chunk& superfluous) noexcept {
    superfluous.superseded = true;
    superfluous.note_uses();
    change_retention(superfluous, retention::gone_when_idle);
    settle(superfluous);
}

void chunk_store::change_retention(chunk& of, retention to) noexcept {
    if (of.keep == to) return;
    ahead_.remove(of);
    const bool stands = of.in_policy;
    if (stands) policy_->erase(of);
    of.keep = to;
    of.attention = of.attention || to == retention::gone_when_idle;
    if (stands) policy_->insert(of);
}

void chunk_store::discard(chunk& gone) noexcept {
    cache_.parts().uses.left(gone);
    if (gone.ahead) {
        cache_statistics& counts = cache_.parts().counts;
        (gone.ever_used() ? counts.ahead_used_bytes : counts.ahead_unused_bytes) += gone.bytes;
    }
    if (!gone.doomed) cache_.table().erase(gone);
    ahead_.remove(gone);
    hold_no_more(gone);
    policy_->erase(gone);
    leave_aside(gone);
    if (gone.fill != nullptr) free_fill(gone);
    if (!gone.piece.is_chunk()) fragments_.remove(gone.start, gone.length);
    cache_.home().arena()->release(gone.data(), gone.bytes);
    cache_.all().files().unrefer(*std::exchange(gone.file, nullptr));
    memory_.give_back(unit_bits::bytes_for(gone.words()));
    gone.bits.forget(gone.words());
    chunks_.free(gone);
    note_room();
}

void chunk_store::doom(chunk& stale) noexcept {
    stale.doomed = true;
    cache_.table().erase(stale);
    release_held_up(stale);
    ahead_.remove(stale);
    hold_no_more(stale);
    policy_->erase(stale);
    leave_aside(stale);
    doomed_.push_back(stale);
}

void chunk_store::release_held_up(chunk& over) noexcept {
    if (over.fill == nullptr || over.fill->held_up.empty()) return;
    cache_.parts().owner_requests.release(*over.fill);
    note_room();
}

void chunk_store::settle(chunk& left) noexcept {
    if (!left.under_way()) release_held_up(left);
    end_fill(left);
    // What keeps a segment from being given back stays no longer than it must.
    if (!left.doomed && cache_.home().arena()->is_closed(left.data())) {
        left.superseded = true;
        change_retention(left, retention::gone_when_idle);
    }
    // Somebody has used it who said nothing against its staying.
    if (left.keep == retention::gone_when_idle && !left.superseded &&
        left.latest_use() != left.used)
        change_retention(left, retention::normal);
    if (left.keep == retention::gone_when_idle) left.attention = true;
    if (left.doomed) {
        left.attention = true;
        if (left.idle()) discard(left);
        return;
    }
    put_back(left);
    if (left.keep != retention::gone_when_idle || !left.idle()) return;
    assert(left.in_policy);
    policy_->first_to_go()->lead(left);
    ++leaving_;
}

// Whatever else happens in the turn, those that were put in front are among so many there.
void chunk_store::let_go() noexcept {
    resident_queue& first = *policy_->first_to_go();
    for (auto next = first.begin(); leaving_ != 0 && next != first.end(); --leaving_) {
        auto& one = static_cast<chunk&>(*next++);
        if (one.idle() && one.keep == retention::gone_when_idle) discard(one);
    }
    leaving_ = 0;
}

template <class Entry>
bool chunk_store::drop_page(entry_pool<Entry>& of) noexcept {
    if (of.bytes() == entry_pages::page_bytes || !of.drop_page()) return false;
    memory_.give_back(entry_pages::page_bytes);
    note_room();
    return true;
}

namespace {
bool can_move(const chunk& one) noexcept {
    return one.idle() && !one.doomed && one.fill == nullptr;
}
}  // namespace

bool chunk_store::empty_page() noexcept {
    return chunks_.empty_page(can_move, [this](chunk& one) { move(one); });
}

bool chunk_store::clear_page() noexcept {
    const auto discard_it = [this](chunk& one) {
        ++cache_.parts().counts.evictions;
        discard(one);
    };
    return chunks_.clear_page(
               next_cleared_, can_move, [](const chunk& one) { return one.latest_use(); },
               discard_it) &&
           drop_page(chunks_);
}

void chunk_store::tidy(bool move_some) noexcept {
    while (chunks_.sparse() && (drop_page(chunks_) || (move_some && empty_page()))) {
    }
    while ((fills_.sparse() || memory_.exceeded()) && drop_page(fills_)) {
    }
}

void chunk_store::compact() noexcept {
    while (drop_page(chunks_) || empty_page()) {
    }
    while (drop_page(fills_)) {
    }
}

void chunk_store::move(chunk& idle) noexcept {
    chunk& to = chunks_.make(std::move(idle));
    to.show_bits();
    cache_.table().replace(idle, to);
    if (idle.in_policy) policy_->replace(idle, to);
    ahead_.moved(idle, to);
    cache_.home().arena()->set_user(to.data(), &to);
    cache_.parts().uses.moved(idle, to);
    idle.file = nullptr;
}

void chunk_store::unpinned(chunk& left) noexcept {
    left.attention = false;
    // Whoever was met while it was pinned was in use until now.
    if (!left.doomed && !left.in_policy && !left.waits_for_reader && left.keep == retention::normal)
        left.last_use.note(cache_.stamp());
    settle(left);
}

void chunk_store::put_back(chunk& aside) noexcept {
    note_room();
    if (aside.pins != 0 || aside.has_waiters()) {
        aside.attention = true;  // whoever waits will pin, and whoever pins will unpin
        return;
    }
    if (aside.in_policy || aside.waits_for_reader || aside.pinned()) return;
    hold_no_more(aside);
    leave_aside(aside);
    aside.note_uses();
    policy_->put_back(aside);
}

verdict chunk_store::set_aside(chunk& kept) noexcept {
    kept.attention = true;
    if (kept.pinned()) {
        if (!kept.is_held) held_bytes_ += kept.bytes;
        kept.is_held = true;
    } else {
        assert(kept.under_way());
        aside_.push_back(*kept.fill);
    }
    return verdict::set_aside;
}

void chunk_store::hold_no_more(chunk& back) noexcept {
    if (back.is_held) held_bytes_ -= back.bytes;
    back.is_held = false;
}

void chunk_store::leave_aside(chunk& back) noexcept {
    if (back.fill != nullptr && back.fill->aside_link::is_linked())
        aside_.erase(aside_.iterator_to(*back.fill));
    if (back.doomed && back.resident_link::is_linked()) doomed_.erase(doomed_.iterator_to(back));
}

bool chunk_store::all_pinned() noexcept {
    const auto pinned = [](const resident& one) { return static_cast<const chunk&>(one).pinned(); };
    if (!policy_->empty() || !ahead_.all_pinned()) return false;
    // What is found pinned here stays so until its last unpin, which puts it back.
    while (!aside_.empty()) {
        if (!aside_.front().of->pinned()) return false;
        aside_.pop_front();
    }
    while (!doomed_.empty()) {
        if (!pinned(doomed_.front())) return false;
        doomed_.pop_front();
    }
    return true;
}

const char* chunk_store::fault(const chunk& one) const noexcept {
    if (const char* const wrong = one.fault()) return wrong;
    if ((cache_.find(one.file_number, one.piece) == &one) == one.doomed)
        return "a chunk is not in the table, or a doomed one is";
    if (one.fill != nullptr && (!one.fill->in_use() || one.fill->in_hand))
        return "a chunk has a fill of which nothing is under way";
    const bool kept = one.pinned() || one.under_way();
    if (!one.in_policy && !one.doomed && !one.waits_for_reader && !kept)
        return "a chunk is set aside that nothing will bring back";
    if (one.keep == retention::gone_when_idle && one.idle())
        return "a chunk is there that nobody retains and nothing keeps";
    for (const lease::owner_part& held : one.holders) {
        if (const char* const wrong = held.of().fault_at_owner()) return wrong;
    }
    return nullptr;
}

std::uint64_t chunk_store::entry_bytes() const noexcept {
    std::uint64_t all = chunks_.bytes() + fills_.bytes();
    chunks_.each([&](const chunk& one) { all += unit_bits::bytes_for(one.words()); });
    return all;
}

const char* chunk_store::fault() const noexcept {
    const char* wrong = chunks_.fault();
    if (wrong == nullptr) wrong = fills_.fault();
    std::uint64_t filling = 0;
    fragment_counts fragments;
    std::uint64_t filling_fragments = 0;
    chunks_.each([&](const chunk& one) {
        if (wrong == nullptr) wrong = fault(one);
        filling += one.fill != nullptr ? 1 : 0;
        if (one.piece.is_chunk()) return;
        fragments.add(one.start, one.length);
        filling_fragments += one.fill != nullptr ? 1 : 0;
    });
    if (wrong == nullptr && filling != fills_.count()) wrong = "a fill is of no chunk";
    if (wrong == nullptr && (fragments != fragments_ || filling_fragments != filling_fragments_))
        wrong = "fragments are counted wrongly";
    return wrong;
}

std::uint64_t chunk_store::close() noexcept {
    ahead_.clear();
    doomed_.clear();
    std::uint64_t pins = 0;
    chunks_.each([&](chunk& one) {
        pins += one.pins;
        policy_->erase(one);
        one.holders.clear();
        cache_.all().files().unrefer(*std::exchange(one.file, nullptr));
    });
    return pins;
}

}  // namespace leat::detail
