// A chunk, or a fragment of one, at its owner.
#pragma once

#include "fill_rank.hpp"
#include "fill_state.hpp"
#include "lease.hpp"
#include "policy/eviction_policy.hpp"
#include "unit_bits.hpp"

#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/detail/entry.hpp>

#include <boost/intrusive/slist.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

namespace leat::detail {

/// A chunk of one version of a file, or a fragment of it, in a buffer of its owner's shard.
///
/// Invariants: units landed have been asked for, and those asked for that have not landed are in
/// reads in flight; it is ready exactly when all have landed; each count is that of what it counts;
/// a doomed chunk is in no queue.
struct chunk : entry, resident {
    /// With bits for `length_` bytes. In use from here on when the others have been set that a file
    /// and a buffer give. Throws std::bad_alloc.
    explicit chunk(std::uint32_t length_);
    /// In another place: a hit goes by the bits of that one, once show_bits() was called, and those
    /// who link to it have to be told. Precondition: idle(), without a fill.
    chunk(chunk&& moved) noexcept;
    ~chunk() { bits.forget(words()); }
    void show_bits() noexcept {
        if (presence != nullptr) presence = landed_words();
    }

    bool doomed : 1 = false;      ///< out of the table: stale, or replaced; freed when idle
    bool replaced : 1 = false;    ///< doomed since another has its bytes, not since they are stale
    bool superseded : 1 = false;  ///< it goes when nothing keeps it, however it was used
    bool waits_for_reader : 1 = false;  ///< outside of the policy, until a stream comes to it
    bool is_held : 1 = false;           ///< set aside since it is pinned
    bool ahead : 1 = false;   ///< it was read as a part of a stream's window, for what comes next
    bool served : 1 = false;  ///< somebody who did not ask ahead has been given bytes of it
    std::uint16_t asked_by = 0;  ///< of a fragment, the shard that had a lease last, plus one
    unit_bits bits;
    fill_state* fill = nullptr;  ///< while something of it is under way
    boost::intrusive::slist<lease::owner_part,
                            boost::intrusive::base_hook<lease_link>,
                            boost::intrusive::constant_time_size<false>>
        holders;

    /// Whether nothing refers to it, or will.
    [[nodiscard]] bool idle() const noexcept {
        return pins == 0 && holders.empty() &&
               (fill == nullptr || (!under_way() && fill->rank == fill_rank::none));
    }
    /// Whether it is being read, or somebody waits for units of it.
    [[nodiscard]] bool under_way() const noexcept { return fill != nullptr && fill->under_way(); }
    /// In flight.
    [[nodiscard]] unsigned reads() const noexcept { return fill != nullptr ? fill->reads : 0; }
    [[nodiscard]] bool has_waiters() const noexcept {
        return fill != nullptr && !fill->waiters.empty();
    }
    /// In which of its manager's queues it is.
    [[nodiscard]] fill_rank rank() const noexcept {
        return fill != nullptr ? fill->rank : fill_rank::none;
    }
    [[nodiscard]] bool in_use() const noexcept { return file != nullptr; }
    /// What is wrong with it between two messages, or nullptr: of a chunk in use.
    [[nodiscard]] const char* fault() const noexcept;
    /// Whether slices keep it, here or, as far as is known, at a holder of a lease.
    [[nodiscard]] bool pinned() const noexcept {
        return pins != 0 ||
               std::any_of(holders.begin(), holders.end(), [](const lease::owner_part& held) {
                   return held.state == lease::owner_state::kept;
               });
    }
    /// When it was used last, through leases, too.
    [[nodiscard]] std::int64_t latest_use() const noexcept {
        std::int64_t latest = std::max(used, last_use.latest());
        for (const lease::owner_part& held : holders)
            latest = std::max(latest, held.of().last_use.latest());
        return latest;
    }
    /// Counts the visits that holders of leases have told of; returns whether there are any.
    bool take_reuses() noexcept {
        bool any = false;
        for (lease::owner_part& held : holders) {
            if (!held.of().take_reuses()) continue;
            count_reuse();
            any = true;
        }
        return any;
    }
    /// That the file has in it.
    [[nodiscard]] std::uint32_t units() const noexcept {
        return static_cast<std::uint32_t>((length + unit_size - 1) / unit_size);
    }
    /// Of presence, for so many bytes.
    [[nodiscard]] static constexpr std::uint64_t words_for(std::uint64_t bytes) noexcept {
        return (bytes + 64 * unit_size - 1) / (64 * unit_size);
    }
    [[nodiscard]] std::uint64_t words() const noexcept { return words_for(length); }
    [[nodiscard]] std::uint32_t landed_units() const noexcept { return bits.landed_count(words()); }
    [[nodiscard]] std::uint32_t asked_units() const noexcept { return bits.asked_count(words()); }
    [[nodiscard]] unit_bits::word* landed_words() noexcept { return bits.landed(words()); }
    [[nodiscard]] const unit_bits::word* landed_words() const noexcept {
        return bits.landed(words());
    }
    [[nodiscard]] std::uint64_t asked_word(std::uint64_t which) const noexcept {
        return bits.asked_word(words(), which);
    }
    [[nodiscard]] bool asked(std::uint64_t unit) const noexcept {
        return (asked_word(unit / 64) >> (unit % 64) & 1) != 0;
    }
    /// The first unit from `unit` on that has been asked for, or not; units() if there is none.
    [[nodiscard]] std::uint64_t next(std::uint64_t unit, bool asked_for) const noexcept {
        const std::uint64_t end = units();
        while (unit < end) {
            const std::uint64_t word = asked_word(unit / 64);
            const std::uint64_t left = (asked_for ? word : ~word) >> (unit % 64);
            if (left != 0) {
                const std::uint64_t found = unit + static_cast<unsigned>(std::countr_zero(left));
                return std::min(end, found);
            }
            unit = (unit / 64 + 1) * 64;
        }
        return end;
    }
    /// Whether somebody has had bytes of it, as an answer or by a hit.
    [[nodiscard]] bool ever_used() const noexcept {
        return served || touched || last_use.latest() != used;
    }
    /// Whether the last read of it ended so close to its end that a reader who skips less than two
    /// fragments at a time has come through it.
    [[nodiscard]] bool come_through() const noexcept {
        const std::uint64_t end = std::uint64_t{start} + length;
        const std::uint64_t last = ends.last();
        return last <= end && last + 2 * fragment_size >= end;
    }
    /// `used` is brought up to what has come of it since, through leases, too.
    void note_uses() noexcept {
        const std::int64_t latest = latest_use();
        touched = touched || latest != used;
        used = latest;
    }

    /// Precondition, here and below where waiters are concerned: it has a fill.
    void add(chunk_request& waiter) noexcept {
        fill->waiters.push_back(waiter);
        if (waiter.asked_ahead) ++fill->aheads;
    }
    void remove(chunk_request& waiter) noexcept {
        fill->waiters.erase(fill->waiters.iterator_to(waiter));
        if (waiter.asked_ahead) --fill->aheads;
        if (std::exchange(waiter.unread, false)) --fill->unread;
    }
    /// Of the waiters with units that no read in flight brings, the first. There must be one.
    [[nodiscard]] const chunk_request& first_unread() const noexcept {
        return *std::find_if(fill->waiters.begin(), fill->waiters.end(),
                             [](const chunk_request& waiter) { return waiter.unread; });
    }

    [[nodiscard]] bool distrusted() const noexcept {
        return fill != nullptr && fill->distrusted != 0;
    }
    [[nodiscard]] bool on_demand_only() const noexcept {
        return fill != nullptr && fill->on_demand_only();
    }
    /// Precondition: none of them has been asked for.
    void ask(std::uint64_t first, std::uint64_t count) noexcept {
        each_word(first, first + count - 1, [this](std::uint64_t word, std::uint64_t mask) {
            bits.set_asked_word(words(), word, asked_word(word) | mask);
            return true;
        });
        bits.count_asked(words(), static_cast<std::int64_t>(count));
        if (fill == nullptr || fill->unread == 0) return;
        for (chunk_request& waiter : fill->waiters) {
            if (!waiter.unread || next(first_unit(waiter), false) <= last_unit(waiter)) continue;
            waiter.unread = false;
            --fill->unread;
        }
    }
    /// What ask() did for units that could not be read.
    void take_back(std::uint64_t first, std::uint64_t count) noexcept {
        each_word(first, first + count - 1, [this](std::uint64_t word, std::uint64_t mask) {
            bits.set_asked_word(words(), word, asked_word(word) & ~mask);
            return true;
        });
        bits.count_asked(words(), -static_cast<std::int64_t>(count));
    }
    void land(std::uint64_t first, std::uint64_t count) noexcept {
        land_units(landed_words(), first, count);
        bits.count_landed(words(), count);
        if (landed_units() == units()) complete();
    }
    /// Whether the request's bytes are there. Precondition: covers() them.
    [[nodiscard]] bool has_landed(const chunk_request& wanted) const noexcept {
        return ready_length != 0 || landed(wanted.in - start, wanted.size);
    }
    /// Whether they are, or reads in flight bring them.
    [[nodiscard]] bool has_asked(const chunk_request& wanted) const noexcept {
        return next(first_unit(wanted), false) > last_unit(wanted);
    }
    [[nodiscard]] bool covers(const chunk_request& wanted) const noexcept {
        return entry::covers(wanted.in, wanted.size);
    }
    /// Where its first byte lies in its file.
    [[nodiscard]] std::uint64_t file_offset() const noexcept;
    /// Units of the request's range.
    [[nodiscard]] std::uint64_t first_unit(const chunk_request& wanted) const noexcept {
        return (wanted.in - start) >> unit_shift;
    }
    [[nodiscard]] std::uint64_t last_unit(const chunk_request& wanted) const noexcept {
        return (wanted.in - start + wanted.size - 1) >> unit_shift;
    }
};
// Four cache lines: hits write the first two, releases on other threads the third.
static_assert(sizeof(chunk) <= 256);

}  // namespace leat::detail
