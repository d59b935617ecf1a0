// Finds the run that a miss continues, and opens its window.
#include "runs.hpp"

#include "look_ahead.hpp"

#include <leat/cache/detail/entry_table.hpp>

#include <algorithm>

namespace leat::detail {

namespace {

constexpr std::size_t most_runs = 4096;
constexpr std::size_t bucket_count = 2 * most_runs;
constexpr std::uint64_t fragments_to_stream = 4;
constexpr std::uint8_t most_joins = 3;
constexpr std::uint8_t fewest_back = 2;  // misses at random come to lie before others, too
constexpr std::uint8_t fewest_steps = 3;
// From so long ones on there are fragments between them that nobody asks for.
constexpr std::uint64_t longest_step = 2 * fragment_size;
constexpr std::uint64_t first_window = 4;   // fragments
constexpr std::uint64_t short_window = 16;  // fragments

// More than half of what a stream has come through: as leat-bench patterns has it, players who
// stop early have read no more for that, and readers who do not stop have larger reads.
std::uint64_t window_after(std::uint64_t come_through) noexcept {
    return std::max(first_window, come_through * 5 / 8);
}

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

runs::run*& runs::bucket(std::uint64_t file, std::uint64_t place) noexcept {
    return buckets_[entry_table::hash(file, place) % bucket_count];
}

// The one listed there that has read last.
runs::run* runs::find_at(std::uint64_t file, std::uint64_t at, std::uint64_t place) noexcept {
    run* one = bucket(file, place);
    while (one != nullptr &&
           (one->file != file || one->place != place || at < one->begin || at > one->end))
        one = one->chain;
    return one;
}

runs::run* runs::find(std::uint64_t file, std::uint64_t at, std::uint64_t per_stretch) noexcept {
    // Its window ends here, or has just ended, or goes on beyond. Of several a long one.
    const std::uint64_t before = at - std::min<std::uint64_t>(at, 1);
    for (std::uint64_t in = before / per_stretch; in <= at / per_stretch + reach_; ++in) {
        if (run* const found = find_at(file, at, in << 1)) return found;
    }
    for (std::uint64_t in = before / short_window; in <= at / short_window + 1; ++in) {
        if (run* const found = find_at(file, at, in << 1 | 1)) return found;
    }
    return nullptr;
}

void runs::take_out(run& gone) noexcept {
    if (gone.listed) {
        run** link = &bucket(gone.file, gone.place);
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

void runs::list(run& added, std::uint64_t per_stretch) noexcept {
    added.place = place_of(added, per_stretch);
    run*& first = bucket(added.file, added.place);
    added.chain = first;
    first = &added;
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
    last.down = last.steps = 0;
    last.step = 0;
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

// A reader comes from the fragment in which he has stopped, but for one who says that he walks, or
// to the beginning of the next one, in a stream also to the middle of it. So what is asked for at
// once is no run, what happens to lie where a stream has been does not have the rest of its window,
// and a miss that happens to lie in the next fragment is no run either.
bool runs::goes_on(const run& known, const miss& one, std::uint64_t at) noexcept {
    if (known.down != 0 || (known.walked && one.known == 0)) return false;
    if (one.stream || (known.streams && at >= known.end)) return true;
    if (at < known.end) return at + 1 >= known.at;
    return one.in % fragment_size < unit_size;
}

namespace {
// A window over several small chunks has whole ones: what it had of the last one would be read
// again by who asks for all of that.
std::uint64_t whole_chunks(std::uint64_t end, std::uint64_t least, std::uint64_t chunk) noexcept {
    const std::uint64_t per_chunk = chunk >> fragment_shift;
    const std::uint64_t border = per_chunk == 0 ? end : end / per_chunk * per_chunk;
    return border >= least ? border : end;
}
}  // namespace

namespace {
// Every other one may have found in memory what lies in the fragment of the one before.
bool same_steps(std::uint64_t a, std::uint64_t b) noexcept {
    return a == b || (std::max(a, b) == 2 * std::min(a, b) && std::min(a, b) < fragment_size);
}
}  // namespace

runs::run* runs::find_before(std::uint64_t file,
                             std::uint64_t offset,
                             run* known,
                             std::uint64_t per_stretch) noexcept {
    const std::uint64_t first = offset >> fragment_shift;
    run* const found = known != nullptr || first == 0 ? known : find(file, first - 1, per_stretch);
    if (found == nullptr || found->down != 0 || found->walked) return nullptr;
    // The first that a stream misses lies behind what was read for it.
    const std::uint64_t least = found->streams ? found->end << fragment_shift : found->last + 1;
    const std::uint64_t from = found->streams ? least : found->last;
    return offset >= least && offset - from < longest_step ? found : nullptr;
}

// It begins where the miss ends, or in the same fragment. One that has gone on forward is somebody
// else's.
runs::run* runs::find_above(const miss& one,
                            std::uint64_t first,
                            std::uint64_t end,
                            std::uint64_t per_stretch) noexcept {
    if (one.known > one.size) return nullptr;
    run* const found = find(one.file, end, per_stretch);
    if (found == nullptr || found->begin <= first || found->begin + 1 < end) return nullptr;
    const bool lone = !found->streams && !found->walked && found->start == found->begin;
    return found->down != 0 || lone ? found : nullptr;
}

namespace {
// He has just come from the fragment that begins at `end`, so that costs nothing; and it says that
// he goes on: he does not compete with what is read for streams.
std::uint64_t come_from(const runs::miss& one, std::uint64_t end) noexcept {
    const std::uint64_t offset = one.index * one.stretch + one.in;
    return ((end + 1) << fragment_shift) - offset;
}
}  // namespace

std::uint64_t runs::window_down(run& mine,
                                const miss& one,
                                std::uint64_t first,
                                std::uint64_t end,
                                std::uint64_t per_stretch) noexcept {
    take_out(mine);
    if (mine.down == 0) {
        mine.start = mine.end;
        mine.streams = mine.spread = false;
        mine.until = 0;
    }
    if (mine.down < most_joins) ++mine.down;
    forget_old();
    const std::uint64_t come_through = mine.start - first;
    std::uint64_t fragments = 0;
    if (mine.down == most_joins && come_through >= fragments_to_stream && first != 0) {
        mine.streams = true;
        const std::uint64_t left = (first - 1) % per_stretch + 1;
        ++streams_;
        fragments = fit(std::min(window_after(come_through), left), left, per_stretch);
        fragments = std::min(fragments, most());
        --streams_;
    }
    clock_ += (end - first + fragments) << fragment_shift;
    mine.given = one.given;
    mine.begin = first - fragments;
    mine.end = mine.at = mine.had = end;
    mine.mark = mine.missed = 0;
    list(mine, per_stretch);
    front_ = {mine.begin << fragment_shift, fragments << fragment_shift, one.given, &mine.asked};
    backwards_ = mine.down >= fewest_back;
    return backwards_ ? come_from(one, end) : one.size;
}

std::uint64_t runs::window(const miss& one) noexcept {
    backwards_ = false;
    const std::uint64_t per_stretch = one.stretch >> fragment_shift;
    const std::uint64_t in = one.in >> fragment_shift;
    const std::uint64_t first = one.index * per_stretch + in;
    const std::uint64_t needed = ((one.in + one.size - 1) >> fragment_shift) - in + 1;
    const std::uint64_t left = per_stretch - in;
    const std::uint64_t told = std::max(one.known, one.size);
    const std::uint64_t to_come = ((one.in + told - 1) >> fragment_shift) - in + 1;
    run* known = find(one.file, first, per_stretch);
    if (known != nullptr && known->down != 0 && first < known->end) {
        // More of the fragment that he is in, or some of what is being read for him that is not
        // there yet.
        front_.size = 0;
        backwards_ = known->down >= fewest_back;
        return backwards_ ? come_from(one, first + needed) : one.size;
    }
    const std::uint64_t offset = one.index * one.stretch + one.in;
    bool continues = known != nullptr && goes_on(*known, one, first);
    std::uint64_t step = 0;
    std::uint8_t steps = 0;
    if (one.known <= one.size) {
        run* const before = continues ? known : find_before(one.file, offset, known, per_stretch);
        if (before != nullptr && !continues && before->streams) {
            continues = before->steps != 0 && (offset - before->last) % before->step == 0;
            if (continues) known = before;
        } else if (before != nullptr && before->last + one.size < offset) {
            step = offset - before->last;
            steps = same_steps(before->step, step) ? before->steps : 0;
            if (steps < fewest_steps) ++steps;
            if (steps > 1) step = std::min(step, before->step);
        }
    }
    if (!continues) {
        if (run* const above = find_above(one, first, first + needed, per_stretch))
            return window_down(*above, one, first, first + needed, per_stretch);
    }
    const bool inside = continues && first < known->end;
    // More of what one request has told of itself is no evidence that others follow.
    const bool same = continues && first < known->until;
    const bool large = one.known > fragments_to_stream * fragment_size;
    // Large ones that lie side by side are asked for one after the other by chance, too.
    const bool anew = !continues || (large && !same && !known->recent);
    if (continues) take_out(*known);
    run& mine = continues ? *known : spare();
    if (anew) {
        mine.start = mine.had = first;
        mine.joins = 0;
        mine.streams = false;
        mine.until = 0;
    } else if (!same && mine.joins < most_joins) {
        ++mine.joins;
    }
    if (!mine.streams) {
        mine.step = step;
        mine.steps = steps;
        if (steps == fewest_steps) {
            mine.start = first - std::min(first, fragments_to_stream - 1);
            mine.streams = true;
        }
    }
    if (!inside) {
        mine.walked = mine.spread = false;
        mine.mark = 0;
    }
    mine.missed = inside && first < mine.had ? first + 1 : 0;
    forget_old();
    std::uint64_t wanted = 0;
    std::uint64_t fragments = needed;
    bool told_only = false;
    if (inside) {
        // What was read for it meanwhile it comes to by a lease, or somebody else has evicted it.
        fragments = std::max(fragments, mine.end - first);
    } else {
        const std::uint64_t come_through = first - std::min(mine.start, first) + 1;
        const unsigned joins = one.known <= one.size ? 0 : large ? most_joins : 2;
        const bool shown = one.stream || (mine.streams && mine.until == 0) ||
                           (!same && come_through >= fragments_to_stream && mine.joins >= joins);
        // Who says how far he goes shares the memory as others do.
        told_only = !shown && !one.ends && large;
        if (shown || large) {
            mine.streams = true;
            wanted = told_only ? 0 : window_after(come_through);
            mine.until = shown ? 0 : first + to_come;
        }
    }
    if (one.ends) mine.until = first + to_come;
    // It counts among those who share.
    streams_ += mine.streams ? 1 : 0;
    if (wanted != 0) fragments = std::max(fragments, fit(wanted, left, per_stretch));
    if (one.known > one.size)
        fragments = std::max(fragments, to_come < left ? to_come : fit(left, left, per_stretch));
    if (one.ends) fragments = std::min(fragments, to_come);
    fragments = std::min(std::max(needed, std::min(fragments, most())), left);
    streams_ -= mine.streams ? 1 : 0;
    const std::uint64_t end = whole_chunks(first + fragments, first + needed, one.chunk);
    fragments = end - first;
    if (!inside || end > mine.end) clock_ += (end - (inside ? mine.end : first)) << fragment_shift;
    mine.file = one.file;
    mine.given = one.given;
    mine.last = offset;
    mine.begin = inside ? std::min(mine.begin, first) : first;
    mine.end = inside ? std::max(mine.end, end) : end;
    mine.at = first + needed;
    // Nothing is left to be read for him, then: he has no share any more.
    if (told_only && to_come <= short_window && mine.end >= mine.until) mine.streams = false;
    list(mine, per_stretch);
    if (!continues && steps < fewest_steps && fragments == needed && one.known <= one.size)
        return one.size;
    return std::max((fragments << fragment_shift) - (one.in & (fragment_size - 1)), one.size);
}

bool runs::due(std::uint64_t file, std::uint64_t at, std::uint64_t stretch) noexcept {
    const run* const known = find(file, (at - 1) >> fragment_shift, stretch >> fragment_shift);
    return known != nullptr && known->streams && known->mark != 0 && at > known->mark &&
           known->asked == nullptr;
}

runs::next_window runs::ahead(std::uint64_t file,
                              std::uint64_t at,
                              std::uint64_t stretch,
                              std::uint64_t chunk,
                              std::uint64_t file_size) noexcept {
    next_window next;
    if (!due(file, at, stretch)) return next;
    const std::uint64_t per_stretch = stretch >> fragment_shift;
    const std::uint64_t here = (at - 1) >> fragment_shift;
    run& mine = *find(file, here, per_stretch);
    std::uint64_t all = (file_size + fragment_size - 1) >> fragment_shift;
    if (mine.until != 0) all = std::min(all, mine.until);
    mine.mark = 0;
    mine.spread = false;
    if (mine.end >= all) return next;
    const std::uint64_t first = mine.end;
    const std::uint64_t in = first % per_stretch;
    const std::uint64_t left = std::min(per_stretch - in, all - first);
    const std::uint64_t come_through = here - std::min(mine.start, here) + 1;
    const std::uint64_t fragments = fit(window_after(come_through), left, per_stretch);
    take_out(mine);
    mine.begin = here;
    mine.end = first + fragments;
    if (mine.end != all) mine.end = whole_chunks(mine.end, first + 1, chunk);
    clock_ += (mine.end - first) << fragment_shift;
    forget_old();
    list(mine, per_stretch);
    next.begin = first << fragment_shift;
    next.size = std::min(mine.end << fragment_shift, file_size) - next.begin;
    next.given = mine.given;
    next.asked = &mine.asked;
    return next;
}

std::uint64_t runs::brought(std::uint64_t file,
                            std::uint64_t begin,
                            std::uint64_t size,
                            std::uint64_t stretch) noexcept {
    const std::uint64_t per_stretch = stretch >> fragment_shift;
    const std::uint64_t first = begin >> fragment_shift;
    run* const known = find(file, first, per_stretch);
    if (known == nullptr || !known->streams || known->down != 0) return 0;
    const std::uint64_t end = (begin + size + fragment_size - 1) >> fragment_shift;
    if (known->missed == first + 1) {
        // It was there, and is gone, unread.
        take_out(*known);
        known->start = known->begin = first;
        known->end = end;
        list(*known, per_stretch);
    }
    if (end > known->end) {  // its whole chunk
        take_out(*known);
        known->end = end;
        list(*known, per_stretch);
    }
    known->had = std::max(known->had, end);
    if (known->spread) return begin < known->mark && known->mark < begin + size ? known->mark : 0;
    if (known->walked || end - first < 2 || end < known->end) return 0;
    known->mark = begin + size / 2;
    return known->mark;
}

bool runs::spread(std::uint64_t file,
                  std::uint64_t begin,
                  std::uint64_t mark,
                  std::uint64_t stretch) noexcept {
    run* const known = find(file, begin >> fragment_shift, stretch >> fragment_shift);
    if (known == nullptr || !known->streams || known->walked || known->spread) return false;
    known->spread = true;
    known->mark = mark;
    return true;
}

look_ahead** runs::asked_for(std::uint64_t file,
                             std::uint64_t begin,
                             std::uint64_t stretch) noexcept {
    run* const known = find(file, begin >> fragment_shift, stretch >> fragment_shift);
    return known != nullptr && known->streams ? &known->asked : nullptr;
}

std::uint64_t runs::left_for_walk(std::uint64_t own) const noexcept {
    const std::uint64_t free = memory_ - std::min(pinned_, memory_);
    const std::uint64_t others = walks_ahead_ - own;
    return others == 0 ? free : free / 3 - std::min(free / 3, others);
}

void runs::came_to_nothing(std::uint64_t file,
                           std::uint64_t begin,
                           std::uint64_t stretch) noexcept {
    const std::uint64_t per_stretch = stretch >> fragment_shift;
    const std::uint64_t first = begin >> fragment_shift;
    run* const known = find(file, first, per_stretch);
    if (known == nullptr || known->begin >= first) return;
    take_out(*known);
    known->end = first;
    list(*known, per_stretch);
}

void runs::asked(std::uint64_t file,
                 std::uint64_t at,
                 std::uint64_t begin,
                 std::uint64_t end,
                 std::uint64_t stretch) noexcept {
    const std::uint64_t per_stretch = stretch >> fragment_shift;
    run* const known = find(file, begin >> fragment_shift, per_stretch);
    if (known == nullptr) return;
    take_out(*known);
    known->mark = 0;
    known->streams = known->walked = true;
    known->down = 0;
    known->at = std::max(known->at, at >> fragment_shift);
    known->begin = std::min(known->at, begin >> fragment_shift);
    known->end = std::max(known->end, (end + fragment_size - 1) >> fragment_shift);
    reach_ = std::max(reach_, (known->end - 1) / per_stretch - known->begin / per_stretch);
    list(*known, per_stretch);
}

bool runs::reaches(std::uint64_t file,
                   std::uint64_t at,
                   std::uint64_t end,
                   std::uint64_t stretch) noexcept {
    const run* const known = find(file, at >> fragment_shift, stretch >> fragment_shift);
    return known == nullptr || known->walked || known->end == end >> fragment_shift;
}

void runs::unread(std::uint64_t file, std::uint64_t at, std::uint64_t stretch) noexcept {
    run* const known = find(file, at >> fragment_shift, stretch >> fragment_shift);
    if (known == nullptr) return;
    if (known->down != 0) {
        known->start -= (known->start - known->end) / 2;
    } else {
        known->start += (known->end - known->start) / 2;
    }
}

bool runs::came_through(std::uint64_t file,
                        std::uint64_t from,
                        std::uint64_t to,
                        std::uint64_t at,
                        std::uint64_t stretch) noexcept {
    const std::uint64_t per_stretch = stretch >> fragment_shift;
    const std::uint64_t first = from >> fragment_shift;
    const std::uint64_t last = to >> fragment_shift;
    for (std::uint64_t in = (first - std::min<std::uint64_t>(first, 1)) / per_stretch;
         in <= last / per_stretch; ++in) {
        run* one = bucket(file, in << 1);
        while (one != nullptr && (one->file != file || one->place != in << 1 || !one->streams ||
                                  one->down != 0 || one->end < first || one->end > last))
            one = one->chain;
        if (one == nullptr) continue;
        take_out(*one);
        one->begin = one->end = one->at = at >> fragment_shift;
        one->mark = one->missed = 0;
        one->spread = false;
        list(*one, per_stretch);
        return true;
    }
    return false;
}

void runs::ended(std::uint64_t file, std::uint64_t at, std::uint64_t stretch) noexcept {
    // A reader who has found some in memory may have left several.
    while (run* const known = find(file, at >> fragment_shift, stretch >> fragment_shift)) {
        take_out(*known);
        while (known->asked != nullptr) known->asked->drop();
        known->streams = false;
        old_.push_back(*known);
    }
}

}  // namespace leat::detail
