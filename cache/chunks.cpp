// Chunks come and go: headers, buffers, eviction.
#include "cache_storage.hpp"

#include <leat/cache/shard_cache.hpp>

#include <algorithm>
#include <new>

namespace leat {

namespace {
// Revokes on their way at once: enough to have victims ready, few enough not to strip every holder.
constexpr unsigned maximum_revokes = 4;

constexpr const char* plain_buffers =
    "buffers cannot be registered with the kernel, as a rule for want of locked memory "
    "(ulimit -l); plain ones serve, at more CPU a read";
constexpr const char* refused_pages =
    "huge pages are reserved that cannot be used here, as a rule since a control group forbids "
    "them (hugetlb); others serve";

void tell_of_memory(engine& owner, const char* sentence) noexcept {
    try {
        owner.report_once(event::level::information, sentence);
    } catch (...) {  // no memory for the sentence: the count stands
    }
}
}  // namespace

chunk* shard_cache::make_chunk(file_record& file, std::uint64_t index) noexcept {
    const manager_core& manager = *file.manager;
    own_->out_of_memory = false;
    std::byte* buffer = shard_.arena()->allocate(manager.chunk_size);
    if (buffer == nullptr) take_foreign();  // a victim may be pinned only by what is gone
    while (buffer == nullptr) {
        if (!evict_one()) {
            // Without a chunk there is none to wait for.
            own_->out_of_memory = own_->live_chunks == 0;
            return nullptr;
        }
        buffer = shard_.arena()->allocate(manager.chunk_size);
    }
    if (!own_->told_of_plain_buffers && shard_.arena()->statistics().registration_failures != 0) {
        own_->told_of_plain_buffers = true;
        tell_of_memory(shard_.owner(), plain_buffers);
    }
    if (!own_->told_of_refused_pages && shard_.arena()->statistics().hugetlb_refusals != 0) {
        own_->told_of_refused_pages = true;
        tell_of_memory(shard_.owner(), refused_pages);
    }
    constexpr std::uint64_t unit = unit_size;
    const std::uint64_t words = ((manager.chunk_size + unit - 1) / unit + 63) / 64;
    chunk* made = nullptr;
    try {
        if (own_->free_chunks_by_words.size() <= words)
            own_->free_chunks_by_words.resize(words + 1);
        chunk*& free = own_->free_chunks_by_words[words];
        if (free != nullptr) {
            made = free;
            free = made->next_free;
        } else {
            auto landed = std::make_unique<std::atomic<std::uint64_t>[]>(words);
            auto asked = std::make_unique<std::uint64_t[]>(words);
            made = &own_->chunks.emplace_back();
            made->landed_words = std::move(landed);
            made->asked_words = std::move(asked);
            made->words = words;
        }
    } catch (const std::bad_alloc&) {
        shard_.arena()->release(buffer, manager.chunk_size);
        own_->out_of_memory = true;
        return nullptr;
    }
    for (std::uint64_t word = 0; word < words; ++word) {
        made->landed_words[word].store(0, std::memory_order_relaxed);
        made->asked_words[word] = 0;
    }
    file_registry::refer(file);
    made->file = &file;
    made->file_number = file.number;
    made->index = index;
    made->data = buffer;
    made->home = this;
    made->used = made->made = stamp();
    made->last_use.note(made->used);
    made->length = static_cast<std::uint32_t>(
        std::min(manager.chunk_size, file.size - index * manager.chunk_size));
    made->presence = made->landed_words.get();
    made->all_landed = &made->everything_landed;
    made->everything_landed.store(false, std::memory_order_relaxed);
    made->ready_length = 0;
    made->referred = 0;
    made->attention = made->doomed = made->served = false;
    made->bytes = made->buffer_size = manager.chunk_size;
    made->units = (made->length + unit - 1) / unit;
    made->landed_units = made->asked_units = made->cursor = made->turn = 0;
    made->distrusted = made->demands_read = 0;
    insert(*made);
    own_->policy->insert(*made);
    ++own_->live_chunks;
    ++counts_.fills;
    return made;
}

bool shard_cache::evict_one() noexcept {
    own_->revokes_sent = 0;
    resident* const found = own_->policy->victim(
        [](void* self, resident& candidate) noexcept {
            auto& judged = static_cast<chunk&>(candidate);
            const verdict said = static_cast<shard_cache*>(self)->judge(judged);
            if (said == verdict::set_aside) judged.attention = true;
            return said;
        },
        this);
    if (found == nullptr) return false;
    ++counts_.evictions;
    discard(static_cast<chunk&>(*found));
    return true;
}

verdict shard_cache::judge(chunk& candidate) noexcept {
    if (candidate.pins != 0 || !candidate.waiters.empty()) return verdict::set_aside;
    const std::int64_t last_use = candidate.last_use.latest();
    bool used = last_use != candidate.used;
    candidate.used = last_use;
    for (lease::owner_part& held : candidate.holders) {
        const std::int64_t use = held.self->last_use.latest();
        used = used || use != held.seen_use;
        held.seen_use = use;
    }
    if (used) return verdict::used;
    unqueue(candidate);  // nobody waits inside: what is not submitted is not read
    if (!candidate.holders.empty()) {
        bool asked_back = false;
        for (lease::owner_part& held : candidate.holders) {
            if (!held.revoke_out) {
                if (own_->revokes_sent < maximum_revokes) {
                    revoke(*held.self);
                } else {
                    own_->buffer_may_be_free = true;  // the next search asks for more
                }
            }
            asked_back = asked_back || held.revoke_out;
        }
        // A returning revoke puts it back.
        return asked_back ? verdict::set_aside : verdict::used;
    }
    return candidate.reads != 0 ? verdict::set_aside : verdict::evict;
}

void shard_cache::back_to_policy(chunk& aside) noexcept {
    if (aside.pins != 0 || !aside.waiters.empty()) {
        aside.attention = true;  // whoever waits will pin, and whoever pins will unpin
        return;
    }
    own_->buffer_may_be_free = true;
    if (!aside.in_policy) own_->policy->put_back(aside);
}

void shard_cache::discard(chunk& gone) noexcept {
    if (!gone.doomed) erase(gone);
    own_->policy->erase(gone);
    unqueue(gone);
    shard_.arena()->release(gone.data, gone.buffer_size);
    all_.files().unrefer(*std::exchange(gone.file, nullptr));
    gone.next_free = own_->free_chunks_by_words[gone.words];
    own_->free_chunks_by_words[gone.words] = &gone;
    --own_->live_chunks;
    own_->buffer_may_be_free = true;
}

void shard_cache::doom(chunk& stale, boost::system::error_code code) noexcept {
    if (!stale.doomed) {
        stale.doomed = true;
        erase(stale);
        own_->policy->erase(stale);
        unqueue(stale);
    }
    while (!stale.waiters.empty()) {
        chunk_request& first = stale.waiters.front();
        stale.remove(first);
        answer(first, code);
    }
    for (lease::owner_part& held : stale.holders) {
        if (!held.revoke_out) revoke(*held.self);
    }
    release_if_unused(stale);
}

void shard_cache::release_if_unused(chunk& stale) noexcept {
    stale.attention = true;
    if (stale.pins == 0 && stale.reads == 0 && stale.holders.empty()) discard(stale);
}

}  // namespace leat
