// Finds the run that a miss continues, and opens its window.
#include "runs.hpp"

#include <algorithm>

namespace leat::detail {

namespace {
constexpr std::uint64_t fragments_to_stream = 4;
constexpr std::uint8_t most_joins = 3;
// What misses tell of a reader who goes backwards: the first of which one lies before another, each
// at the distance of the one before, any other; from which sum on he is one, and has windows.
constexpr std::uint8_t first_back = 2;
constexpr std::uint8_t exact_back = 3;
constexpr std::uint8_t enough_back = first_back + exact_back;
constexpr std::uint8_t most_back = enough_back + exact_back;
constexpr std::uint8_t fewest_steps = 3;
// From so long ones on there are fragments between them that nobody asks for.
constexpr std::uint64_t longest_step = 2 * fragment_size;
constexpr std::int64_t one_ns = 1;
constexpr double much_quicker = 4;
}  // namespace

// A reader comes from the fragment in which he has stopped, but for one who says that he walks, or
// to the beginning of the next one, in a stream also to the middle of it. So what is asked for at
// once is no run, what happens to lie where a stream has been does not have the rest of its window,
// and a miss that happens to lie in the next fragment is no run either, nor one at its beginning
// where the only one before has not had what lies between.
bool runs::goes_on(const run& known, const miss& one, std::uint64_t at) noexcept {
    if (known.down != 0 || (known.walked && one.known == 0)) return false;
    if (one.stream || (known.streams && at >= known.end)) return true;
    if (at < known.end) return at + 1 >= known.at;
    if (one.in % fragment_size >= unit_size) return false;
    const bool lone = known.joins == 0 && one.known <= one.size;
    return !lone || known.last_end + unit_size > known.end << fragment_shift;
}

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

runs::run* runs::find_continued(const miss& one,
                                std::uint64_t first,
                                run* known,
                                std::uint64_t per_stretch,
                                steps& made) noexcept {
    run* const in_order = known != nullptr && goes_on(*known, one, first) ? known : nullptr;
    if (one.known > one.size) return in_order;
    const std::uint64_t offset = one.index * one.stretch + one.in;
    run* const before =
        in_order != nullptr ? in_order : find_before(one.file, offset, known, per_stretch);
    if (before == nullptr) return nullptr;
    const std::uint64_t bytes = offset - before->last;
    if (before != in_order && before->streams)
        return before->made.count != 0 && bytes % before->made.bytes == 0 ? before : nullptr;
    if (before->last + one.size < offset) {
        const bool again = same_steps(before->made.bytes, bytes);
        made.count = again ? before->made.count : std::uint8_t{0};
        if (made.count < fewest_steps) ++made.count;
        made.bytes = made.count > 1 ? std::min(bytes, before->made.bytes) : bytes;
    }
    return in_order;
}

// It begins in the fragment that follows the miss, or in that where it ends. One that has gone on
// forward is somebody else's.
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

// Whether it lies as far before the last as that before the one before it.
bool runs::by_steps(const run& mine, const miss& one) noexcept {
    const std::uint64_t offset = one.index * one.stretch + one.in;
    return offset < mine.last && mine.made.bytes == mine.last - offset;
}

// Misses at random come to lie before others, too, but hardly side by side, or at equal distances.
std::uint8_t runs::evidence_down(const run& mine, const miss& one) noexcept {
    if (mine.down == 0) return first_back;
    const std::uint64_t offset = one.index * one.stretch + one.in;
    const bool beside = offset + one.size + unit_size > mine.begin << fragment_shift;
    return mine.streams || beside || by_steps(mine, one) ? exact_back : std::uint8_t{1};
}

void runs::note_down(run& mine, std::uint64_t offset) noexcept {
    if (offset >= mine.last) return;
    mine.made = {mine.last - offset, 1};
    mine.last = offset;
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
    const std::uint8_t evidence = evidence_down(mine, one);
    const bool over_some = by_steps(mine, one) && mine.made.bytes > one.size + fragment_size;
    take_out(mine);
    if (mine.down == 0) {
        mine.start = mine.end;
        mine.streams = mine.spread = false;
        mine.until = 0;
    }
    mine.down = std::min<std::uint8_t>(mine.down + evidence, most_back);
    note_down(mine, one.index * one.stretch + one.in);
    forget_old();
    const std::uint64_t come_through = mine.start - first;
    std::uint64_t fragments = 0;
    if (mine.down == most_back && come_through >= fragments_to_stream && first != 0) {
        mine.streams = true;
        const std::uint64_t left = (first - 1) % per_stretch + 1;
        ++streams_;
        fragments = fit(std::min(window_after(come_through), left), left, per_stretch);
        fragments = std::min(fragments, most());
        --streams_;
    }
    clock_ += (end - first + fragments) << fragment_shift;
    of_stream_ = of_stream_ || mine.streams;
    mine.given = one.given;
    mine.begin = first - fragments;
    mine.end = mine.at = mine.had = end;
    mine.mark = mine.missed = 0;
    list(mine, per_stretch);
    front_ = {mine.begin << fragment_shift, fragments << fragment_shift, one.given, &mine.asked};
    backwards_ = mine.down >= enough_back;
    // By long steps he comes through fragments of which he asks for nothing.
    return backwards_ && (!over_some || fragments != 0) ? come_from(one, end) : one.size;
}

void runs::find_reach(const miss& one, const run* continued) noexcept {
    quick_ = false;
    reader_reach_ = one.stretch;
    // One request has all that it is for at once; and of those who come far the shares say enough.
    const bool at_once = one.known > one.size && !one.ends;
    if (at_once || one.reach >= short_window << fragment_shift) return;
    reader_reach_ = one.reach;
    const std::uint64_t offset = one.index * one.stretch + one.in;
    if (continued == nullptr || offset <= continued->last) return;
    const auto took = static_cast<double>(std::max(one.now - continued->missed_at, one_ns));
    const double pace = static_cast<double>(offset - continued->last) / took;
    const double own =
        std::min(pace * static_cast<double>(one.turnover), static_cast<double>(one.stretch));
    // Who has been held up is no slower than others for that, nor quicker for a moment of haste.
    if (own <= much_quicker * static_cast<double>(one.reach)) return;
    reader_reach_ = static_cast<std::uint64_t>(own);
    quick_ = true;
}

std::uint64_t runs::window(const miss& one) noexcept {
    backwards_ = false;
    find_reach(one, nullptr);
    // What crosses a fragment's border is asked for in pieces, and is no stream for that.
    const bool large = one.known > fragments_to_stream * fragment_size;
    of_stream_ = one.stream || (one.known > one.size && (one.ends || large));
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
        of_stream_ = of_stream_ || known->streams;
        backwards_ = known->down >= enough_back;
        note_down(*known, one.index * one.stretch + one.in);
        return backwards_ ? come_from(one, first + needed) : one.size;
    }
    steps made;
    known = find_continued(one, first, known, per_stretch, made);
    const bool continues = known != nullptr;
    if (!continues) {
        if (run* const above = find_above(one, first, first + needed, per_stretch))
            return window_down(*above, one, first, first + needed, per_stretch);
    }
    const bool inside = continues && first < known->end;
    find_reach(one, known);
    // More of what one request has told of itself is no evidence that others follow.
    const bool same = continues && first < known->until;
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
        mine.made = made;
        if (made.count == fewest_steps) {
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
    of_stream_ = of_stream_ || mine.streams;
    // It counts among those who share.
    streams_ += mine.streams ? 1 : 0;
    if (wanted != 0) fragments = std::max(fragments, fit(wanted, left, per_stretch));
    if (one.known > one.size)
        fragments = std::max(fragments, to_come < left ? to_come : fit(left, left, per_stretch));
    if (one.ends) fragments = std::min(fragments, to_come);
    fragments = std::min(fragments, most());
    if (!inside) {
        const std::uint64_t end = one.in % fragment_size + one.size + reader_reach_;
        fragments = std::min(fragments, end >> fragment_shift);
    }
    fragments = std::min(std::max(needed, fragments), left);
    streams_ -= mine.streams ? 1 : 0;
    const std::uint64_t end = whole_chunks(first + fragments, first + needed, one.chunk);
    fragments = end - first;
    if (!inside || end > mine.end) clock_ += (end - (inside ? mine.end : first)) << fragment_shift;
    mine.file = one.file;
    mine.given = one.given;
    mine.last = one.index * one.stretch + one.in;
    mine.last_end = mine.last + told;
    mine.missed_at = one.now;
    mine.begin = inside ? std::min(mine.begin, first) : first;
    mine.end = inside ? std::max(mine.end, end) : end;
    mine.at = first + needed;
    // Nothing is left to be read for him, then: he has no share any more.
    if (told_only && to_come <= short_window && mine.end >= mine.until) mine.streams = false;
    list(mine, per_stretch);
    if (!continues && made.count < fewest_steps && fragments == needed && one.known <= one.size)
        return one.size;
    return std::max((fragments << fragment_shift) - (one.in & (fragment_size - 1)), one.size);
}

}  // namespace leat::detail
