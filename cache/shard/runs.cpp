// Finds the run that a miss continues, and opens its window.
#include "runs.hpp"

#include <leat/cache/detail/chunk_place.hpp>
#include <leat/cache/detail/entry_table.hpp>

#include <algorithm>

namespace leat::detail {

namespace {

constexpr std::size_t most_runs = 4096;
constexpr std::size_t bucket_count = 2 * most_runs;
constexpr std::uint64_t fragments_to_stream = 4;
constexpr std::uint64_t first_window = 4;  // fragments

}  // namespace

runs::runs(std::uint64_t memory)
    : memory_(memory),
      all_(std::make_unique<run[]>(most_runs)),
      buckets_(std::make_unique<run*[]>(bucket_count)) {
    for (std::size_t i = 0; i < most_runs; ++i) old_.push_back(all_[i]);
}

runs::~runs() {
    recent_.clear();
    old_.clear();
}

std::uint64_t runs::share() const noexcept {
    return std::max(fragment_size, memory_ / 2 / (streams_ + 1));
}

runs::run*& runs::bucket(std::uint64_t file, std::uint64_t index) noexcept {
    return buckets_[entry_table::hash(file, index) % bucket_count];
}

runs::run* runs::find(std::uint64_t file, std::uint64_t index, std::uint64_t at) noexcept {
    run* best = nullptr;
    for (run* one = bucket(file, index); one != nullptr; one = one->chain) {
        if (one->file != file || one->index != index || at < one->begin || at > one->end) continue;
        // Of several a stream, else the one that has read last.
        if (best == nullptr || (one->streams && !best->streams)) best = one;
    }
    return best;
}

void runs::take_out(run& gone) noexcept {
    if (gone.listed) {
        run** link = &bucket(gone.file, gone.index);
        while (*link != &gone) link = &(*link)->chain;
        *link = gone.chain;
        gone.listed = false;
    }
    if (gone.recent) {
        streams_ -= gone.streams ? 1 : 0;
        gone.recent = false;
        recent_.erase(recent_.iterator_to(gone));
    } else {
        old_.erase(old_.iterator_to(gone));
    }
}

void runs::list(run& added) noexcept {
    run*& first = bucket(added.file, added.index);
    added.chain = first;
    first = &added;
    added.listed = added.recent = true;
    streams_ += added.streams ? 1 : 0;
    recent_.push_front(added);
}

// The one that has not read for the longest time.
runs::run& runs::spare() noexcept {
    run& last = old_.empty() ? recent_.back() : old_.back();
    take_out(last);
    last.come_through = 1;
    last.streams = false;
    last.begin = last.end = 0;
    return last;
}

void runs::forget_old() noexcept {
    while (!recent_.empty() && clock_ - recent_.back().clock > memory_) {
        run& last = recent_.back();
        streams_ -= last.streams ? 1 : 0;
        last.recent = false;
        recent_.pop_back();
        old_.push_front(last);
    }
}

std::uint64_t runs::window(const miss& one) noexcept {
    const std::uint64_t first = one.in >> fragment_shift;
    const std::uint64_t needed = ((one.in + one.size - 1) >> fragment_shift) - first + 1;
    const std::uint64_t of_chunk = one.chunk_size >> fragment_shift;
    const std::uint64_t left = of_chunk - first;
    run* known = find(one.file, one.index, first);
    if (known == nullptr && first == 0 && one.index != 0)
        known = find(one.file, one.index - 1, of_chunk);
    const bool continues = known != nullptr;
    const bool inside = continues && known->index == one.index && first < known->end;
    if (continues) take_out(*known);
    run& mine = continues ? *known : spare();
    forget_old();
    std::uint64_t fragments = needed;
    if (inside) {
        // What was read for it meanwhile it comes to by a lease, or somebody else has evicted it.
        fragments = std::max(fragments, mine.end - first);
    } else {
        mine.come_through += mine.end - mine.begin;
        if (one.stream || mine.come_through >= fragments_to_stream) {
            fragments = std::max({fragments, first_window, mine.come_through / 2});
            mine.streams = true;
        }
    }
    if (one.known > one.size) {
        const std::uint64_t last = (one.in + one.known - 1) >> fragment_shift;
        fragments = std::max(fragments, last - first + 1);
    }
    fragments = std::min(std::max(needed, std::min(fragments, share() >> fragment_shift)), left);
    const std::uint64_t end = first + fragments;
    if (!inside || end > mine.end) clock_ += (end - (inside ? mine.end : first)) << fragment_shift;
    mine.file = one.file;
    mine.index = one.index;
    mine.begin = inside ? std::min(mine.begin, first) : first;
    mine.end = end;
    mine.clock = clock_;
    list(mine);
    if (!continues && fragments == needed && one.known <= one.size) return one.size;
    return std::max((fragments << fragment_shift) - (one.in & (fragment_size - 1)), one.size);
}

}  // namespace leat::detail
