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
    [[nodiscard]] entry* find(std::uint64_t file, piece_number piece) const noexcept {
        return find_in(buckets_[bucket_number(file, piece) & mask_], file, piece);
    }
    /// The entry that can serve the `size` bytes at `place` of a file to `manager` now, the chunk's
    /// or else that of the fragment in which they begin, or nullptr.
    [[nodiscard, gnu::always_inline]] entry* find_ready(const manager_core& manager,
                                                        std::uint64_t file,
                                                        chunk_place place,
                                                        std::uint32_t size) const noexcept {
        const std::uint64_t hashed = hash(file, place.index);
        entry* const found =
            find_in(buckets_[hashed & mask_], file, piece_number::chunk(place.index));
        if (found != nullptr && found->ready(manager, place.in, size)) [[likely]]
            return found;
        const piece_number piece = piece_number::fragment(place);
        // Loaded again from where they are: kept in registers for this, they would cost the hit of
        // a chunk some instructions.
        const entry_table* table = this;
        asm("" : "+r"(table));
        entry* const bucket = table->buckets_[(hashed + piece.fragment()) & table->mask_];
        return find_ready_fragment(bucket, manager, file, piece, place.in, size);
    }
    /// Calls visit(entry) for the fragments of a chunk that are found by one from byte `begin` of
    /// it on and before `end`, in order, until it returns true. Whether it did. It may take out
    /// the one it is given. Where none is, it looks at a bucket for each.
    template <class Visit>
    bool any_fragment(std::uint64_t file,
                      std::uint64_t index,
                      std::uint64_t begin,
                      std::uint64_t end,
                      Visit visit) const {
        if (begin >= end) return false;
        const std::uint64_t hashed = hash(file, index);
        entry* const* const all = buckets_;
        const std::uint64_t mask = mask_;
        const std::uint64_t last = piece_number::fragment({index, end - 1}).fragment();
        for (std::uint64_t number = piece_number::fragment({index, begin}).fragment();
             number <= last; ++number) {
            entry* const bucket = all[(hashed + number) & mask];
            if (bucket == nullptr) [[likely]]
                continue;
            const std::uint64_t in = (number - 1) << fragment_shift;
            entry* const found = find_in(bucket, file, piece_number::fragment({index, in}));
            if (found != nullptr && visit(*found)) return true;
        }
        return false;
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
    /// `by`, of the same key, takes its place.
    void replace(entry& gone, entry& by) noexcept {
        entry** link = &bucket_of(gone);
        while (*link != &gone) link = &(*link)->chain;
        by.chain = gone.chain;
        *link = &by;
    }
    /// Moves all entries to `other`, empty buckets, as many as a power of two. Nothing allocates.
    void adopt(buckets other) noexcept {
        own_.swap(other);  // the former ones are freed last
        buckets_ = own_.data();
        mask_ = own_.size() - 1;
        for (entry* next : other) {
            while (next != nullptr) insert(*std::exchange(next, next->chain));
        }
    }
    [[nodiscard]] std::uint64_t size() const noexcept { return mask_ + 1; }

private:
    // A chunk's fragments lie in the buckets that follow its own: one hash finds all.
    [[nodiscard]] static std::uint64_t bucket_number(std::uint64_t file,
                                                     piece_number piece) noexcept {
        return hash(file, piece.index()) + piece.fragment();
    }
    [[nodiscard]] entry*& bucket_of(const entry& of) noexcept {
        return buckets_[bucket_number(of.file_number, of.piece) & mask_];
    }
    [[nodiscard, gnu::always_inline]] static entry* find_in(entry* bucket,
                                                            std::uint64_t file,
                                                            piece_number piece) noexcept {
        for (; bucket != nullptr; bucket = bucket->chain) {
            if (bucket->piece == piece && bucket->file_number == file) [[likely]]
                return bucket;
        }
        return nullptr;
    }
    // Apart, for the sake of the registers that the hit of a chunk has; what it needs is in six.
    [[nodiscard, gnu::noinline]] static entry* find_ready_fragment(entry* bucket,
                                                                   const manager_core& manager,
                                                                   std::uint64_t file,
                                                                   piece_number piece,
                                                                   std::uint64_t in,
                                                                   std::uint32_t size) noexcept {
        entry* const part = find_in(bucket, file, piece);
        if (part == nullptr || in < part->start) return nullptr;
        return part->ready(manager, in - part->start, size) ? part : nullptr;
    }

    buckets own_;
    entry** buckets_;
    std::uint64_t mask_;
};

}  // namespace leat::detail
