// Keys of what was evicted, the latest first, up to a number of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace leat::detail {

/// Remembers what is gone, the latest of it that there is memory for. The table is as large as
/// `most_bytes` of pieces of 4 KiB need, and grows with the number of smaller ones. No call but
/// set_most() takes long.
class ghost_list {
public:
    /// Throws std::bad_alloc.
    explicit ghost_list(std::uint64_t most_bytes);

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] bool contains(std::uint64_t key) const noexcept { return find(key) != none; }
    /// What it takes to remember them, in bytes.
    [[nodiscard]] std::uint64_t memory_bytes() const noexcept {
        return bucket_count_ * sizeof(index) + node_count_ * sizeof(node);
    }
    /// Remembers so many bytes from now on, in memory for so many, if there is memory to change
    /// that.
    void set_most(std::uint64_t bytes) noexcept;
    /// Remembers it as the latest, and forgets the oldest as long as they are more than most_bytes,
    /// or where this would take more memory and may not.
    void push(std::uint64_t key, std::uint64_t bytes, bool may_grow = true) noexcept;
    /// By how much memory_bytes() may grow with one key.
    static constexpr std::uint64_t bytes_a_key = 40;
    /// What has this key is wanted: it is not forgotten for the sake of what makes room for it.
    /// Returns whether it is there.
    bool refresh(std::uint64_t key) noexcept;
    /// Returns whether it was there.
    bool erase(std::uint64_t key) noexcept;
    void erase_oldest() noexcept;

private:
    using index = std::uint32_t;
    static constexpr index none = 0xffffffff;
    struct node {
        std::uint64_t key = 0;
        std::uint64_t bytes = 0;
        index older = none;
        index younger = none;
        index chain = none;  ///< in its bucket, or of the free ones
    };
    static_assert(sizeof(node) + sizeof(index) <= bytes_a_key);

    [[nodiscard]] index& bucket_of(std::uint64_t key) noexcept { return buckets_[place_of(key)]; }
    [[nodiscard]] std::size_t place_of(std::uint64_t key) const noexcept;
    void add_bucket() noexcept;
    [[nodiscard]] index find(std::uint64_t key) const noexcept;
    [[nodiscard]] index take_node(bool may_grow) noexcept;
    void remove(index gone) noexcept;

    // With their counts, which deques compute.
    std::deque<index> buckets_;
    std::deque<node> nodes_;
    std::size_t bucket_count_;
    std::size_t node_count_ = 0;
    index free_ = none;
    index oldest_ = none;
    index youngest_ = none;
    std::uint64_t bytes_ = 0;
    std::uint64_t most_bytes_;
};

}  // namespace leat::detail
