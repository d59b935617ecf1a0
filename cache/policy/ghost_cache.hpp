// A cache of keys without bytes, which tells what would be there with some memory.
#pragma once

#include "eviction_policy.hpp"
#include "visit_clock.hpp"

#include <leat/engine/cache_policy.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace leat::detail {

/// A use of a chunk of the real cache.
struct ghost_use {
    const resident& real;
    std::int64_t before;  ///< stamp of the use before it in the real cache; least: not known
    std::int64_t now;
    bool anew;            ///< it does not go on where a reader stopped
    std::uint64_t bytes;  ///< of the chunk, as ghosts count them
};

/// Keys that the policy would keep. Of uses that it is not told of it learns as the real cache
/// does, when it looks for a victim: from the chunk of the real cache, while that is there. Where
/// there is no memory for a key it is forgotten. One thread.
class ghost_cache {
public:
    /// When a chunk of the real cache was used last.
    using latest_use = std::int64_t (*)(const resident& real) noexcept;

    /// `capacity` is what the policy is made for. Throws std::bad_alloc.
    ghost_cache(cache_policy which, std::uint64_t capacity, latest_use of_real);
    ghost_cache(const ghost_cache&) = delete;
    ghost_cache& operator=(const ghost_cache&) = delete;
    ~ghost_cache();

    /// Returns whether the chunk was there; it is now.
    bool use(const ghost_use& one) noexcept;
    /// The use for which the chunk was loaded, at `now`.
    void served(std::uint64_t key, std::int64_t now) noexcept;
    /// The real cache lets the chunk go, which it used last at `latest`.
    void left(const resident& real, std::int64_t latest) noexcept;
    /// A chunk of the real cache has another header now.
    void moved(const resident& from, const resident& to) noexcept;
    /// It holds so many bytes from now on, at first its capacity; what is too much goes, some of it
    /// each time. Returns whether all has gone.
    bool set_room(std::uint64_t bytes) noexcept {
        room_ = bytes;
        make_room(0);
        return used_bytes_ <= room_;
    }
    /// What its keys take, in bytes.
    [[nodiscard]] std::uint64_t memory_bytes() const noexcept {
        return entry_count_ * sizeof(entry) + buckets_.size() * sizeof(entry*) +
               policy_->remembered_bytes();
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Gives each key to `to` which `keep(key)` wants, the coldest first, and forgets all.
    template <class Keep>
    void hand_over(ghost_cache& to, Keep keep) noexcept {
        while (entry* const one = take_coldest()) {
            if (keep(one->key)) to.adopt(*one);
        }
    }

private:
    struct entry final : resident {
        entry* chain = nullptr;          ///< in its bucket, or of the spare ones
        const resident* real = nullptr;  ///< the chunk of the real cache, while it is there
        std::int64_t last_use = 0;       ///< the latest known
    };

    [[nodiscard]] entry*& bucket_of(std::uint64_t key) noexcept {
        return buckets_[key & (buckets_.size() - 1)];
    }
    [[nodiscard]] entry* find(std::uint64_t key) noexcept;
    [[nodiscard]] std::int64_t latest(const entry& of) const noexcept;
    void use_again(entry& again, const ghost_use& one) noexcept;
    void load(const ghost_use& one) noexcept;
    void adopt(const entry& other) noexcept;
    void insert(std::uint64_t key,
                std::uint64_t bytes,
                retention keep,
                const resident* real,
                std::int64_t used) noexcept;
    [[nodiscard]] entry* take_spare() noexcept;
    void make_room(std::uint64_t bytes) noexcept;
    [[nodiscard]] entry* take_coldest() noexcept;
    void remove(entry& gone) noexcept;

    std::uint64_t room_;
    latest_use of_real_;
    std::unique_ptr<eviction_policy> policy_;
    told_uses tell_;
    visit_clock clock_;
    std::deque<entry> entries_;
    std::size_t entry_count_ = 0;  ///< of them, which a deque computes
    entry* spare_ = nullptr;
    std::vector<entry*> buckets_;  ///< as many as a power of two
    std::size_t size_ = 0;
    std::uint64_t used_bytes_ = 0;
};

}  // namespace leat::detail
