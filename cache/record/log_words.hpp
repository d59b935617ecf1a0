// How requests lie in the slots of a request_log.
#pragma once

#include <leat/cache/detail/request_log.hpp>

#include <span>

namespace leat::detail {

/// A hit that fits takes one slot: `first` is twice the offset, and one more for hint::no_wait;
/// `second` the place of the file in the upper half and the size in the lower. All else has
/// log_wide set in `second`, which no size of a hit reaches, and its kind in the bits below: a time
/// and a number of lost requests stand in `first` of one slot; requests take two, of which the
/// other holds the number of the file and the size.
enum class log_kind : std::uint8_t { time, lost, repeats, hit, miss, refused, failed };
inline constexpr std::uint64_t log_wide = std::uint64_t{1} << 31;
inline constexpr unsigned log_hint_shift = 8;
inline constexpr unsigned log_category_shift = 16;
inline constexpr unsigned log_code_shift = 32;
/// Slots that a request takes at most.
inline constexpr std::size_t log_widest = 2;

/// What a log says: a time in ns, a count, or a request.
struct log_note {
    log_kind kind = log_kind::hit;
    hint given = hint::normal;
    bool system_code = false;  ///< of a failure: the code is the system's, else one of errc
    std::int32_t code = 0;
    std::uint32_t size = 0;
    std::uint64_t file = 0;
    std::uint64_t offset = 0;  ///< or the time, or the count
};

/// Reads the note that begins at `slot`, and returns how many slots it takes.
inline std::size_t read_note(const log_slot* slot, log_note& into) noexcept {
    const std::uint64_t first = slot->first;
    const std::uint64_t second = slot->second;
    if ((second & log_wide) == 0) {
        into.kind = log_kind::hit;
        into.given = (first & 1) != 0 ? hint::no_wait : hint::normal;
        into.size = static_cast<std::uint32_t>(second);
        into.file = number_of_place(second >> 32);
        into.offset = first >> 1;
        return 1;
    }
    into.kind = static_cast<log_kind>(second & 0xff);
    into.offset = first;
    if (into.kind < log_kind::hit) return 1;
    into.given = static_cast<hint>((second >> log_hint_shift) & 0xff);
    into.system_code = ((second >> log_category_shift) & 1) != 0;
    into.code = static_cast<std::int32_t>(second >> log_code_shift);
    into.file = slot[1].first;
    into.size = static_cast<std::uint32_t>(slot[1].second);
    return 2;
}

/// Whether it is a request, rather than something about others.
[[nodiscard]] constexpr bool is_request(log_kind kind) noexcept {
    return kind == log_kind::hit || kind == log_kind::miss || kind == log_kind::refused;
}

/// Requests among the slots.
[[nodiscard]] inline std::uint64_t count_requests(const log_slot* from,
                                                  const log_slot* to) noexcept {
    std::uint64_t count = 0;
    log_note one;
    while (from != to) {
        from += read_note(from, one);
        if (is_request(one.kind)) ++count;
        if (one.kind == log_kind::repeats) count += one.offset;
    }
    return count;
}

}  // namespace leat::detail
