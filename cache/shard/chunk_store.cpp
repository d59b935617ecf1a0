// Chunks come and go, and come back to the policy when nothing keeps them.
#include "chunk_store.hpp"

#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>
#include <new>

namespace leat::detail {

chunk_store::chunk_store(shard_cache& cache)
    : cache_(cache),
      policy_(make_policy(cache.all().engine().options().policy,
                          cache.all().engine().memory_per_shard())) {}

chunk* chunk_store::header(std::uint64_t words) noexcept {
    try {
        if (free_by_words_.size() <= words) free_by_words_.resize(words + 1);
        chunk*& free = free_by_words_[words];
        if (free == nullptr) return &chunks_.emplace_back(chunk_allocations{words});
        chunk* const used = std::exchange(free, free->next_free);
        chunk_allocations kept{std::move(*used)};
        std::destroy_at(used);
        return std::construct_at(used, std::move(kept));
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
    chunk* const made = header((bytes / unit_size + 63) / 64);
    if (made == nullptr) return nullptr;
    file_registry::refer(file);
    made->file = &file;
    made->file_number = file.number;
    made->piece = what.piece;
    made->set_place(buffer, what.start);
    made->home = &cache_;
    made->used = made->made = cache_.stamp();
    made->last_use.note(made->used);
    made->length = static_cast<std::uint32_t>(what.length);
    made->bytes = bytes;
    made->key = key_of(file, what.piece);
    made->keep = keep;
    made->attention = keep == retention::gone_when_idle;
    made->units = (made->length + unit_size - 1) / unit_size;
    cache_.table().insert(*made);
    policy_->insert(*made);
    ++count_;
    return made;
}

void chunk_store::first_used(chunk& landed) noexcept {
    landed.served = true;
    landed.used = cache_.stamp();
    landed.last_use.note(landed.used);
    if (landed.in_policy) policy_->served(landed);
}

void chunk_store::retain(chunk& used, hint given) noexcept {
    const retention before = used.keep;
    change_retention(used, retention_after(before, given));
    // Uses of before save it no more.
    if (used.keep != before && used.keep == retention::gone_when_idle)
        used.used = used.latest_use();
}

void chunk_store::supersede(chunk& superfluous) noexcept {
    superfluous.superseded = true;
    superfluous.used = superfluous.latest_use();
    change_retention(superfluous, retention::gone_when_idle);
    settle(superfluous);
}

void chunk_store::change_retention(chunk& of, retention to) noexcept {
    if (of.keep == to) return;
    const bool stands = of.in_policy;
    if (stands) policy_->erase(of);
    of.keep = to;
    of.attention = of.attention || to == retention::gone_when_idle;
    if (stands) policy_->insert(of);
}

void chunk_store::discard(chunk& gone) noexcept {
    cache_.parts().uses.left(gone);
    if (!gone.doomed) cache_.table().erase(gone);
    policy_->erase(gone);
    leave_aside(gone);
    stay(gone);
    cache_.home().arena()->release(gone.data, gone.bytes);
    cache_.all().files().unrefer(*std::exchange(gone.file, nullptr));
    gone.next_free = std::exchange(free_by_words_[gone.words], &gone);
    --count_;
    note_room();
}

void chunk_store::doom(chunk& stale) noexcept {
    stale.doomed = true;
    cache_.table().erase(stale);
    policy_->erase(stale);
    leave_aside(stale);
    stay(stale);
    aside_.push_back(stale);
}

void chunk_store::settle(chunk& left) noexcept {
    // Somebody has used it who said nothing against its staying.
    if (left.keep == retention::gone_when_idle && !left.superseded &&
        left.latest_use() != left.used)
        change_retention(left, retention::normal);
    if (left.keep == retention::gone_when_idle) {
        left.attention = true;
        if (left.idle() && !left.leaving_link::is_linked()) leaving_.push_back(left);
    }
    if (!left.doomed) return put_back(left);
    left.attention = true;
    if (left.idle()) discard(left);
}

void chunk_store::stay(chunk& still) noexcept {
    if (still.leaving_link::is_linked()) leaving_.erase(leaving_.iterator_to(still));
}

void chunk_store::let_go() noexcept {
    while (!leaving_.empty()) {
        chunk& first = leaving_.front();
        leaving_.pop_front();
        if (first.idle() && first.keep == retention::gone_when_idle) discard(first);
    }
}

void chunk_store::unpinned(chunk& left) noexcept {
    left.attention = false;
    // Whoever was met while it was pinned was in use until now.
    if (!left.doomed && !left.in_policy && left.keep == retention::normal)
        left.last_use.note(cache_.stamp());
    settle(left);
}

void chunk_store::put_back(chunk& aside) noexcept {
    note_room();
    if (aside.pins != 0 || !aside.waiters.empty()) {
        aside.attention = true;  // whoever waits will pin, and whoever pins will unpin
        return;
    }
    if (aside.in_policy || aside.pinned()) return;
    leave_aside(aside);
    aside.used = aside.latest_use();
    policy_->put_back(aside);
}

verdict chunk_store::set_aside(chunk& kept) noexcept {
    kept.attention = true;
    if (!kept.pinned()) aside_.push_back(kept);
    return verdict::set_aside;
}

void chunk_store::leave_aside(chunk& back) noexcept {
    if (back.aside_link::is_linked()) aside_.erase(aside_.iterator_to(back));
}

bool chunk_store::all_pinned() noexcept {
    if (!policy_->empty()) return false;
    // What is found pinned here stays so until its last unpin, which puts it back.
    while (!aside_.empty()) {
        if (!static_cast<chunk&>(aside_.front()).pinned()) return false;
        aside_.pop_front();
    }
    return true;
}

const char* chunk_store::fault() const noexcept {
    std::uint64_t in_use = 0;
    for (const chunk& one : chunks_) {
        if (one.file == nullptr) continue;
        ++in_use;
        if (const char* const wrong = one.fault()) return wrong;
        if ((cache_.find(one.file_number, one.piece) == &one) == one.doomed)
            return "a chunk is not in the table, or a doomed one is";
        const bool kept = one.pinned() || !one.waiters.empty() || one.reads != 0;
        if (!one.in_policy && !one.doomed && !kept)
            return "a chunk is set aside that nothing will bring back";
        if (one.keep == retention::gone_when_idle && one.idle())
            return "a chunk is there that nobody retains and nothing keeps";
        for (const lease::owner_part& held : one.holders) {
            if (const char* const wrong = held.of->fault_at_owner()) return wrong;
        }
    }
    return in_use == count_ ? nullptr : "chunks are counted wrongly";
}

std::uint64_t chunk_store::close() noexcept {
    leaving_.clear();
    std::uint64_t pins = 0;
    for (chunk& one : chunks_) {
        pins += one.pins;
        policy_->erase(one);
        one.holders.clear();
        if (one.file != nullptr) cache_.all().files().unrefer(*std::exchange(one.file, nullptr));
    }
    return pins;
}

}  // namespace leat::detail
