// Keeps nodes in a list by age and in buckets by key.
#include "ghost_list.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace leat::detail {

namespace {
// A bucket for so many bytes: with pieces of 4 KiB four share one, and the table takes a quarter of
// a thousandth of the bytes remembered.
constexpr std::uint64_t bytes_a_bucket = 16384;
// Pieces that are smaller than that, as those of a cache that is simulated at a smaller scale, get
// more buckets as they come.
constexpr std::size_t keys_a_bucket = 4;

std::uint64_t buckets_for(std::uint64_t bytes) noexcept {
    return std::bit_ceil(bytes / bytes_a_bucket + 1);
}
}  // namespace

ghost_list::ghost_list(std::uint64_t most_bytes)
    : buckets_(buckets_for(most_bytes), none),
      bucket_count_(buckets_.size()),
      most_bytes_(most_bytes) {}

ghost_list::index ghost_list::find(std::uint64_t key) const noexcept {
    index found = buckets_[place_of(key)];
    while (found != none && nodes_[found].key != key) found = nodes_[found].chain;
    return found;
}

ghost_list::index ghost_list::take_node(bool may_grow) noexcept {
    if (free_ == none && may_grow && node_count_ != none) {
        try {
            nodes_.emplace_back();
            ++node_count_;
            if (node_count_ > keys_a_bucket * bucket_count_) add_bucket();
            return static_cast<index>(node_count_ - 1);
        } catch (const std::bad_alloc&) {  // the oldest makes room
        }
    }
    if (free_ == none) erase_oldest();
    if (free_ == none) return none;
    const index taken = free_;
    free_ = nodes_[taken].chain;
    return taken;
}

// Linear hashing (Litwin, VLDB 1980): the buckets of a table that is half as large are parted one
// by one, so that no key waits for all others.
std::size_t ghost_list::place_of(std::uint64_t key) const noexcept {
    const std::size_t half = std::bit_floor(bucket_count_);
    const std::size_t place = key & (2 * half - 1);
    return place < bucket_count_ ? place : place - half;
}

void ghost_list::add_bucket() noexcept {
    const std::size_t added = bucket_count_;
    try {
        buckets_.push_back(none);
    } catch (const std::bad_alloc&) {
        return;
    }
    ++bucket_count_;
    index* link = &buckets_[added - std::bit_floor(added)];
    while (*link != none) {
        const index next = *link;
        if (place_of(nodes_[next].key) == added) {
            *link = nodes_[next].chain;
            nodes_[next].chain = std::exchange(buckets_[added], next);
        } else {
            link = &nodes_[next].chain;
        }
    }
}

void ghost_list::push(std::uint64_t key, std::uint64_t bytes, bool may_grow) noexcept {
    erase(key);
    const index added = take_node(may_grow);
    if (added == none) return;
    index& bucket = bucket_of(key);
    nodes_[added] = {
        .key = key, .bytes = bytes, .older = youngest_, .younger = none, .chain = bucket};
    bucket = added;
    (youngest_ == none ? oldest_ : nodes_[youngest_].younger) = added;
    youngest_ = added;
    bytes_ += bytes;
    while (bytes_ > most_bytes_) erase_oldest();
}

void ghost_list::set_most(std::uint64_t bytes) noexcept {
    const bool fits = buckets_for(bytes) == buckets_for(most_bytes_);
    most_bytes_ = bytes;
    while (bytes_ > most_bytes_) erase_oldest();
    if (fits) return;
    try {
        ghost_list fitting{bytes};
        for (index next = oldest_; next != none; next = nodes_[next].younger)
            fitting.push(nodes_[next].key, nodes_[next].bytes);
        *this = std::move(fitting);
    } catch (const std::bad_alloc&) {  // what there is serves, too
    }
}

bool ghost_list::refresh(std::uint64_t key) noexcept {
    const index found = find(key);
    if (found != none) push(key, nodes_[found].bytes);
    return found != none;
}

bool ghost_list::erase(std::uint64_t key) noexcept {
    const index found = find(key);
    if (found != none) remove(found);
    return found != none;
}

void ghost_list::erase_oldest() noexcept {
    if (oldest_ != none) remove(oldest_);
}

void ghost_list::remove(index gone) noexcept {
    node& one = nodes_[gone];
    index* link = &bucket_of(one.key);
    while (*link != gone) link = &nodes_[*link].chain;
    *link = one.chain;
    (one.older == none ? oldest_ : nodes_[one.older].younger) = one.younger;
    (one.younger == none ? youngest_ : nodes_[one.younger].older) = one.older;
    bytes_ -= one.bytes;
    one.chain = free_;
    free_ = gone;
}

}  // namespace leat::detail
