// Chunks come and go: headers, buffers, eviction.
#include "cache_storage.hpp"

#include <leat/cache/detail/shard_cache.hpp>

#include <algorithm>
#include <new>

namespace leat::detail {

namespace {
// Chunks asked back at once: enough to have victims ready, few enough not to strip every holder.
constexpr unsigned most_coming = 4;

constexpr const char* plain_buffers =
    "buffers cannot be registered with the kernel, as a rule for want of locked memory "
    "(ulimit -l); plain ones serve, at more CPU a read";
constexpr const char* refused_pages =
    "huge pages are reserved that cannot be used here, as a rule since a control group forbids "
    "them (hugetlb); others serve";

void tell_of_memory(leat::engine& engine, const char* sentence) noexcept {
    try {
        engine.report_once(event::level::information, sentence);
    } catch (...) {  // no memory for the sentence: the count stands
    }
}
}  // namespace

chunk* shard_cache::make_chunk(file_record& file, std::uint64_t index) noexcept {
    const manager_core& manager = *file.manager;
    own_->out_of_memory = false;
    own_->coming = 0;
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
        tell_of_memory(shard_.engine(), plain_buffers);
    }
    if (!own_->told_of_refused_pages && shard_.arena()->statistics().hugetlb_refusals != 0) {
        own_->told_of_refused_pages = true;
        tell_of_memory(shard_.engine(), refused_pages);
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
    table_.insert(*made);
    own_->policy->insert(*made);
    ++own_->live_chunks;
    ++counts_.fills;
    return made;
}

bool shard_cache::evict_one() noexcept {
    own_->coming = 0;
    resident* const found = own_->policy->victim(
        [](void* self, resident& candidate) noexcept {
            return static_cast<shard_cache*>(self)->judge(static_cast<chunk&>(candidate));
        },
        this);
    if (found == nullptr) {
        // Where all are in use by others the next look may find one that is not.
        if (own_->coming == 0 && !own_->policy->empty()) own_->buffer_may_be_free = true;
        return false;
    }
    ++counts_.evictions;
    discard(static_cast<chunk&>(*found));
    return true;
}

verdict shard_cache::judge(chunk& candidate) noexcept {
    if (candidate.pinned() || !candidate.waiters.empty()) return set_aside(candidate);
    const std::int64_t latest = candidate.latest_use();
    if (latest != candidate.used) {
        candidate.used = latest;
        return verdict::used;
    }
    const bool leased = !candidate.holders.empty();
    // Nothing younger goes in place of what is on its way: that is a message each, not a read.
    if (own_->coming == most_coming || (own_->coming != 0 && !leased)) return verdict::stop;
    unqueue(candidate);  // nobody waits inside: what is not submitted is not read
    if (leased) {
        ++own_->coming;
        for (lease::owner_part& held : candidate.holders) {
            if (!held.revoke_out) revoke(*held.self);
        }
        return verdict::pass;
    }
    return candidate.reads != 0 ? set_aside(candidate) : verdict::evict;
}

verdict shard_cache::set_aside(chunk& candidate) noexcept {
    candidate.attention = true;
    if (!candidate.pinned()) own_->aside.push_back(candidate);
    return verdict::set_aside;
}

void shard_cache::back_to_policy(chunk& aside) noexcept {
    own_->buffer_may_be_free = true;
    if (aside.pins != 0 || !aside.waiters.empty()) {
        aside.attention = true;  // whoever waits will pin, and whoever pins will unpin
        return;
    }
    if (aside.in_policy || aside.pinned()) return;
    leave_aside(aside);
    aside.used = aside.latest_use();
    own_->policy->put_back(aside);
}

void shard_cache::leave_aside(chunk& back) noexcept {
    if (static_cast<boost::intrusive::list_base_hook<>&>(back).is_linked())
        own_->aside.erase(own_->aside.iterator_to(back));
}

boost::system::error_code shard_cache::shortage() noexcept {
    if (own_->out_of_memory) return system_error_code(ENOMEM);
    if (!own_->policy->empty()) return errc::no_buffer;
    // What is found pinned here stays so until its last unpin, which puts it back.
    while (!own_->aside.empty()) {
        if (!static_cast<chunk&>(own_->aside.front()).pinned()) return errc::no_buffer;
        own_->aside.pop_front();
    }
    return errc::all_pinned;
}

void shard_cache::discard(chunk& gone) noexcept {
    if (!gone.doomed) table_.erase(gone);
    own_->policy->erase(gone);
    leave_aside(gone);
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
        table_.erase(stale);
        own_->policy->erase(stale);
        leave_aside(stale);
        own_->aside.push_back(stale);
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

}  // namespace leat::detail
