// Keeps the latest runs, finds them by where they are, and says how long their windows are.
#include "runs.hpp"

#include "look_ahead.hpp"

#include <algorithm>

namespace leat::detail {

namespace {
constexpr std::uint32_t most_runs = 4096;
constexpr std::uint64_t first_window = 4;  // fragments
}  // namespace

runs::runs(std::uint64_t memory)
    : memory_(memory), all_(std::make_unique<run[]>(most_runs)), listed_(most_runs) {
    for (std::size_t i = 0; i < most_runs; ++i) old_.push_back(all_[i]);
}

runs::~runs() {
    recent_.clear();
    old_.clear();
}

std::uint64_t runs::share() const noexcept {
    const std::uint64_t free = memory_ - std::min(pinned_, memory_);
    return std::max(fragment_size, free / 2 / std::max<std::size_t>(streams_, 1));
}

std::uint64_t runs::most() const noexcept {
    return (share() + share() / 3) >> fragment_shift;
}

std::uint64_t runs::place_of(const run& one, std::uint64_t per_stretch) noexcept {
    const bool is_short = !one.streams && one.end - one.begin <= short_window;
    const std::uint64_t last = one.end - 1;
    return is_short ? last / short_window << 1 | 1 : last / per_stretch << 1;
}

// The one listed there that has read last.
runs::run* runs::find_at(std::uint64_t file, std::uint64_t at, std::uint64_t place) noexcept {
    return find_listed(file, place,
                       [&](const run& one) { return at >= one.begin && at <= one.end; });
}

runs::run* runs::find(std::uint64_t file, std::uint64_t at, std::uint64_t per_stretch) noexcept {
    // Its window ends here, or has just ended, or goes on beyond. Of several a long one.
    const std::uint64_t before = at - std::min<std::uint64_t>(at, 1);
    const std::uint64_t last = at / per_stretch + reach_;
    for (std::uint64_t in = before / per_stretch; long_ones_ != 0 && in <= last; ++in) {
        if (run* const found = find_at(file, at, in << 1)) return found;
    }
    const std::uint64_t last_short = (at + short_window - 1) / short_window;
    for (std::uint64_t in = before / short_window; in <= last_short; ++in) {
        if (run* const found = find_at(file, at, in << 1 | 1)) return found;
    }
    return nullptr;
}

void runs::take_out(run& gone) noexcept {
    if (gone.listed) {
        listed_.remove(entry_table::hash(gone.file, gone.place), number_of(gone));
        long_ones_ -= is_short(gone.place) ? 0 : 1;
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

void runs::list(run& added, std::uint64_t per_stretch) noexcept {
    added.place = place_of(added, per_stretch);
    listed_.add(entry_table::hash(added.file, added.place), number_of(added));
    long_ones_ += is_short(added.place) ? 0 : 1;
    added.listed = added.recent = true;
    added.clock = clock_;
    streams_ += added.streams ? 1 : 0;
    recent_.push_front(added);
}

// The one that has not read for the longest time.
runs::run& runs::spare() noexcept {
    run& last = old_.empty() ? recent_.back() : old_.back();
    take_out(last);
    while (last.asked != nullptr) last.asked->drop();
    last.streams = last.walked = last.spread = false;
    last.down = 0;
    last.made = {};
    last.start = last.begin = last.end = last.at = last.until = last.had = last.mark = last.missed =
        0;
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

// More than half of what a stream has come through: as leat-bench patterns has it, players who
// stop early have read no more for that, and readers who do not stop have larger reads.
std::uint64_t runs::window_after(std::uint64_t come_through) noexcept {
    return std::max(first_window, come_through * 5 / 8);
}

std::uint64_t runs::fit(std::uint64_t fragments,
                        std::uint64_t left,
                        std::uint64_t per_stretch) const noexcept {
    const bool all = left == per_stretch && fragments >= left;
    // A chunk as a whole is there until it has been come through, and half the next one beside it.
    if (all && share() >> fragment_shift >= left + left / 2) return left;
    fragments = std::min({fragments, most(), most_fragments_at_once});
    std::uint64_t windows = (left + fragments - 1) / fragments;
    if (windows == 1 && left == per_stretch && left > 1) windows = 2;
    return (left + windows - 1) / windows;
}

// A window over several small chunks has whole ones: what it had of the last one would be read
// again by who asks for all of that.
std::uint64_t runs::whole_chunks(std::uint64_t end,
                                 std::uint64_t least,
                                 std::uint64_t chunk) noexcept {
    const std::uint64_t per_chunk = chunk >> fragment_shift;
    const std::uint64_t border = per_chunk == 0 ? end : end / per_chunk * per_chunk;
    return border >= least ? border : end;
}

std::uint64_t runs::left_for_walk(std::uint64_t own) const noexcept {
    const std::uint64_t free = memory_ - std::min(pinned_, memory_);
    const std::uint64_t others = walks_ahead_ - own;
    return others == 0 ? free : free / 3 - std::min(free / 3, others);
}

}  // namespace leat::detail
