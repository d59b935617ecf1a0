// Finds chunks, tells the policy of their uses, and has it choose who goes.
#include "replay/simulated_cache.hpp"

#include "policy/policies.hpp"

#include <leat/cache/detail/entry_table.hpp>

#include <utility>

namespace leat::perf {

namespace {

std::uint64_t key_of(std::uint32_t file, std::uint64_t index) noexcept {
    // Small numbers would keep their squares small, which the first chunks of many files have as
    // hashes: the odd factor makes them large and different.
    return detail::entry_table::hash((std::uint64_t{file} + 1) * 0x9e3779b97f4a7c15u, index);
}

}  // namespace

simulated_cache::simulated_cache(cache_policy policy,
                                 std::uint64_t memory,
                                 std::uint64_t chunk_size)
    : which_(policy),
      memory_(memory),
      chunk_size_(chunk_size),
      policy_(detail::make_policy(policy, memory)),
      tell_(policy_->tell()),
      clock_(tell_, memory) {}

simulated_cache::~simulated_cache() {
    for (entry& one : entries_) policy_->erase(one);
}

void simulated_cache::estimate_curve() {
    const auto latest_use = [](const detail::resident& real) noexcept {
        return static_cast<const entry&>(real).last_use;
    };
    curve_ = std::make_unique<detail::ghost_curve>(which_, memory_, latest_use);
}

simulated_cache::entry* simulated_cache::find(std::uint64_t key,
                                              std::uint32_t file,
                                              std::uint64_t index) const noexcept {
    entry* found = buckets_[key & (buckets_.size() - 1)];
    while (found != nullptr && (found->key != key || found->index != index || found->file != file))
        found = found->chain;
    return found;
}

bool simulated_cache::has(std::uint32_t file, std::uint64_t index) const noexcept {
    return find(key_of(file, index), file, index) != nullptr;
}

bool simulated_cache::serve(const chunk_piece& piece) {
    ++now_;
    const std::uint64_t key = key_of(piece.file, piece.index);
    entry* const found = find(key, piece.file, piece.index);
    entry& served = found != nullptr ? *found : load(key, piece);
    if (found != nullptr) use(served, piece);
    if (served.keep == detail::retention::gone_when_idle) remove(served);
    return found != nullptr;
}

void simulated_cache::use(entry& again, const chunk_piece& piece) noexcept {
    retain(again, detail::retention_after(again.keep, piece.hint));
    if (!detail::counts_as_use(piece.hint)) return;
    if (again.last_use < clock_.horizon()) {
        const bool visit = again.last_use < clock_.visits_horizon();
        const bool anew = visit && !again.ends.continued_at(piece.in);
        if (visit && curve_) curve_->visited(again, again.last_use, now_, anew);
        if (tell_ == detail::told_uses::all) {
            again.used = now_;
            policy_->reused(again);
        } else if (anew && tell_ == detail::told_uses::visits) {
            policy_->reused(again);
        }
        if (anew) clock_.visited(now_, again.bytes);
    }
    again.ends.note(piece.in + piece.size);
    again.last_use = now_;
}

void simulated_cache::retain(entry& used, detail::retention keep) noexcept {
    if (used.keep == keep) return;
    policy_->erase(used);
    used.keep = keep;
    policy_->insert(used);
}

simulated_cache::entry& simulated_cache::load(std::uint64_t key, const chunk_piece& piece) {
    policy_->expect(key, chunk_size_);
    make_room();
    entry& added = take_entry();
    added.key = key;
    added.bytes = static_cast<std::uint32_t>(chunk_size_);
    added.file = piece.file;
    added.index = piece.index;
    added.used = added.last_use = added.made = now_;
    added.keep = detail::retention_of(piece.hint);
    added.ends = {};
    added.ends.note(piece.in + piece.size);
    added.chain = std::exchange(bucket_of(key), &added);
    used_bytes_ += added.bytes;
    policy_->loaded(added.bytes);
    policy_->insert(added);
    clock_.visited(now_, added.bytes);
    if (curve_) curve_->loaded(added, now_);
    return added;
}

void simulated_cache::make_room() noexcept {
    const auto judge = [](void* self, detail::resident& candidate) noexcept {
        const auto& here = *static_cast<const simulated_cache*>(self);
        auto& one = static_cast<entry&>(candidate);
        if (one.last_use == one.used) return detail::verdict::evict;
        one.used = one.last_use;
        return here.clock_.saves(one) ? detail::verdict::used : detail::verdict::evict;
    };
    while (used_bytes_ + chunk_size_ > memory_) {
        detail::resident* const victim = policy_->victim(judge, this);
        if (victim == nullptr) return;
        remove(static_cast<entry&>(*victim));
    }
}

void simulated_cache::remove(entry& gone) noexcept {
    if (curve_) curve_->left(gone, gone.last_use);
    policy_->erase(gone);
    entry** link = &bucket_of(gone.key);
    while (*link != &gone) link = &(*link)->chain;
    *link = gone.chain;
    gone.chain = std::exchange(spare_, &gone);
    used_bytes_ -= gone.bytes;
}

simulated_cache::entry& simulated_cache::take_entry() {
    if (spare_ == nullptr) {
        if (entries_.size() == buckets_.size()) grow();
        return entries_.emplace_back();
    }
    entry& taken = *std::exchange(spare_, spare_->chain);
    taken.keep = detail::retention::normal;
    taken.reuses = 0;
    taken.in_policy = false;
    taken.queue = 0;
    taken.placed = 0;
    return taken;
}

void simulated_cache::grow() {
    std::vector<entry*> before(buckets_.size() * 2);
    before.swap(buckets_);
    for (entry* next : before) {
        while (next != nullptr) {
            entry& moved = *std::exchange(next, next->chain);
            moved.chain = std::exchange(bucket_of(moved.key), &moved);
        }
    }
}

}  // namespace leat::perf
