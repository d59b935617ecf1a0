// What streams ask for ahead, and what becomes of it.
#include "look_ahead.hpp"
#include "runs.hpp"

#include <leat/cache/detail/entry_table.hpp>

#include <algorithm>

namespace leat::detail {

bool runs::due(std::uint64_t file, std::uint64_t at, std::uint64_t stretch) noexcept {
    const run* const known = find_offset(file, at - 1, stretch);
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
    if (known == nullptr) return 0;
    known->last_end = std::max(known->last_end, begin + size);
    if (!known->streams || known->down != 0) return 0;
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

void runs::read_on(std::uint64_t file,
                   std::uint64_t begin,
                   std::uint64_t size,
                   std::uint64_t stretch) noexcept {
    const std::uint64_t end = (begin + size + fragment_size - 1) >> fragment_shift;
    run* const known = find_offset(file, begin, stretch);
    if (known == nullptr || known->streams || known->down != 0 || end <= known->end) return;
    take_out(*known);
    known->end = known->had = end;
    known->last_end = begin + size;
    list(*known, stretch >> fragment_shift);
}

bool runs::spread(std::uint64_t file,
                  std::uint64_t begin,
                  std::uint64_t mark,
                  std::uint64_t stretch) noexcept {
    run* const known = find_offset(file, begin, stretch);
    if (known == nullptr || !known->streams || known->walked || known->spread) return false;
    known->spread = true;
    known->mark = mark;
    return true;
}

look_ahead** runs::asked_for(std::uint64_t file,
                             std::uint64_t begin,
                             std::uint64_t stretch) noexcept {
    run* const known = find_offset(file, begin, stretch);
    return known != nullptr && known->streams ? &known->asked : nullptr;
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
    run* const known = find_offset(file, begin, stretch);
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
    const run* const known = find_offset(file, at, stretch);
    return known == nullptr || known->walked || known->end == end >> fragment_shift;
}

void runs::unread(std::uint64_t file, std::uint64_t at, std::uint64_t stretch) noexcept {
    run* const known = find_offset(file, at, stretch);
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
        run* const one = find_listed(file, in << 1, [&](const run& listed) {
            return listed.streams && listed.down == 0 && listed.end >= first && listed.end <= last;
        });
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
    while (run* const known = find_offset(file, at, stretch)) {
        take_out(*known);
        while (known->asked != nullptr) known->asked->drop();
        known->streams = false;
        old_.push_back(*known);
    }
}

}  // namespace leat::detail
