// Keys in buckets and in a policy.
#include "ghost_cache.hpp"

#include "policies.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace leat::detail {

namespace {
constexpr std::size_t bucket_count = 512;
// What is the size of thousands finds their places bit by bit: until then there is more than fits.
constexpr unsigned most_taken = 64;
constexpr std::uint64_t longest_buffer = std::numeric_limits<std::uint32_t>::max();
}  // namespace

ghost_cache::ghost_cache(cache_policy which, std::uint64_t capacity, latest_use of_real)
    : room_(capacity),
      of_real_(of_real),
      policy_(make_policy(which, capacity)),
      tell_(policy_->tell()),
      clock_(tell_, capacity),
      buckets_(bucket_count) {}

ghost_cache::~ghost_cache() {
    for (entry& one : entries_) policy_->erase(one);
}

ghost_cache::entry* ghost_cache::find(std::uint64_t key) noexcept {
    entry* found = bucket_of(key);
    while (found != nullptr && found->key != key) found = found->chain;
    return found;
}

std::int64_t ghost_cache::latest(const entry& of) const noexcept {
    if (of.real == nullptr) return of.last_use;
    return std::max(of.last_use, of_real_(*of.real));
}

bool ghost_cache::use(const ghost_use& one) noexcept {
    entry* const found = find(one.real.key);
    if (found != nullptr) {
        use_again(*found, one);
    } else {
        load(one);
    }
    return found != nullptr;
}

void ghost_cache::use_again(entry& again, const ghost_use& one) noexcept {
    again.real = &one.real;
    const bool visit = one.anew && std::max(again.last_use, one.before) < clock_.visits_horizon();
    if (tell_ == told_uses::all) again.used = one.now;
    if (tell_ == told_uses::all || (tell_ == told_uses::visits && visit)) policy_->reused(again);
    if (visit) clock_.visited(one.now, again.bytes);
    again.last_use = one.now;
}

void ghost_cache::load(const ghost_use& one) noexcept {
    clock_.visited(one.now, one.bytes);
    policy_->expect(one.real.key, one.bytes);
    make_room(one.bytes);
    policy_->loaded(one.bytes);
    insert(one.real.key, one.bytes, one.real.keep, &one.real, one.now);
}

void ghost_cache::adopt(const entry& other) noexcept {
    make_room(other.bytes);
    insert(other.key, other.bytes, other.keep, other.real, other.last_use);
}

void ghost_cache::insert(std::uint64_t key,
                         std::uint64_t bytes,
                         retention keep,
                         const resident* real,
                         std::int64_t used) noexcept {
    entry* const added = take_spare();
    if (added == nullptr) return;
    added->key = key;
    added->bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, longest_buffer));
    added->keep = keep;
    added->real = real;
    added->used = added->last_use = used;
    added->chain = std::exchange(bucket_of(key), added);
    ++size_;
    used_bytes_ += added->bytes;
    policy_->insert(*added);
}

void ghost_cache::served(std::uint64_t key, std::int64_t now) noexcept {
    entry* const found = find(key);
    if (found == nullptr) return;
    found->used = found->last_use = now;
    policy_->served(*found);
}

void ghost_cache::left(const resident& real, std::int64_t latest) noexcept {
    entry* const found = find(real.key);
    if (found == nullptr) return;
    found->last_use = std::max(found->last_use, latest);
    // A larger buffer may have taken its place.
    if (found->real == &real) found->real = nullptr;
}

void ghost_cache::moved(const resident& from, const resident& to) noexcept {
    entry* const found = find(from.key);
    if (found != nullptr && found->real == &from) found->real = &to;
}

ghost_cache::entry* ghost_cache::take_spare() noexcept {
    if (spare_ == nullptr) {
        try {
            entry& made = entries_.emplace_back();
            ++entry_count_;
            return &made;
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
    }
    entry& taken = *std::exchange(spare_, spare_->chain);
    taken.reuses = 0;
    taken.queue = 0;
    taken.placed = 0;
    return &taken;
}

void ghost_cache::remove(entry& gone) noexcept {
    entry** link = &bucket_of(gone.key);
    while (*link != &gone) link = &(*link)->chain;
    *link = gone.chain;
    gone.chain = std::exchange(spare_, &gone);
    used_bytes_ -= gone.bytes;
    --size_;
}

void ghost_cache::make_room(std::uint64_t bytes) noexcept {
    for (unsigned taken = 0; used_bytes_ != 0 && used_bytes_ + bytes > room_; ++taken) {
        if (taken == most_taken || take_coldest() == nullptr) return;
    }
}

ghost_cache::entry* ghost_cache::take_coldest() noexcept {
    resident* const victim = policy_->victim(
        [](void* self, resident& candidate) noexcept {
            auto& one = static_cast<entry&>(candidate);
            const auto& here = *static_cast<const ghost_cache*>(self);
            const std::int64_t latest = here.latest(one);
            if (latest == one.used) return verdict::evict;
            one.used = one.last_use = latest;
            // It is told of visits only, also where the policy wants to be told of each use.
            if (here.tell_ == told_uses::all) one.count_reuse();
            return here.clock_.saves(one) ? verdict::used : verdict::evict;
        },
        this);
    if (victim == nullptr) return nullptr;
    auto& gone = static_cast<entry&>(*victim);
    remove(gone);
    return &gone;
}

}  // namespace leat::detail
