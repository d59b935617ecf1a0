// The table in which a shard finds its chunks and leases.
#pragma once

#include <leat/cache/detail/entry.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace leat::detail {

/// Twice as wide as any other integer, for products.
__extension__ typedef unsigned __int128 wide_integer;

/// Fixed buckets of intrusive links: neither insert() nor find() allocates, so that messages cannot
/// fail on it. One thread.
class entry_table {
public:
    using buckets = std::vector<entry*>;

    /// `count` is a power of two.
    explicit entry_table(std::uint64_t count)
        : own_(count), buckets_(own_.data()), mask_(count - 1) {}

    /// Mixes file and index so that any arithmetic progression of indices spreads as a random set
    /// does, both over buckets (lower half) and over shards (upper half). A product alone is linear
    /// in the index, and so is each half of it; the square of the product is not. The numbers of
    /// files are spread already: see file_number.hpp.
    [[nodiscard]] static std::uint64_t hash(std::uint64_t file, std::uint64_t index) noexcept {
        const std::uint64_t linear = index * 0xd6e8feb86659fd93u + file;
        const auto square = static_cast<wide_integer>(linear) * linear;
        return static_cast<std::uint64_t>(square) ^ static_cast<std::uint64_t>(square >> 64);
    }

    /// The entry of this key, or nullptr.
    [[nodiscard]] entry* find(std::uint64_t file, std::uint64_t index) const noexcept {
        entry* found = buckets_[hash(file, index) & mask_];
        for (; found != nullptr; found = found->chain) {
            if (found->index == index && found->file_number == file) [[likely]]
                return found;
        }
        return nullptr;
    }
    /// The entry of this key, or nullptr if the `size` bytes at `in` cannot be served to `manager`
    /// now.
    [[nodiscard, gnu::always_inline]] entry* find_ready(const manager_core& manager,
                                                        std::uint64_t file,
                                                        std::uint64_t index,
                                                        std::uint64_t in,
                                                        std::uint32_t size) const noexcept {
        entry* const found = find(file, index);
        if (found == nullptr || !found->ready(manager, in, size)) [[unlikely]]
            return nullptr;
        return found;
    }
    void insert(entry& added) noexcept {
        entry*& bucket = bucket_of(added);
        added.chain = bucket;
        bucket = &added;
    }
    /// Precondition: it is in the table.
    void erase(entry& gone) noexcept {
        entry** link = &bucket_of(gone);
        while (*link != &gone) link = &(*link)->chain;
        *link = gone.chain;
    }
    /// Moves all entries to `larger`, empty buckets, as many as a power of two. Nothing allocates.
    void adopt(buckets larger) noexcept {
        own_.swap(larger);  // the former ones are freed last
        buckets_ = own_.data();
        mask_ = own_.size() - 1;
        for (entry* next : larger) {
            while (next != nullptr) insert(*std::exchange(next, next->chain));
        }
    }
    [[nodiscard]] std::uint64_t size() const noexcept { return mask_ + 1; }

private:
    [[nodiscard]] entry*& bucket_of(const entry& of) noexcept {
        return buckets_[hash(of.file_number, of.index) & mask_];
    }

    buckets own_;
    entry** buckets_;
    std::uint64_t mask_;
};

}  // namespace leat::detail
