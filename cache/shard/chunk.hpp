// A chunk, or a fragment of one, at its owner.
#pragma once

#include "fill_rank.hpp"
#include "lease.hpp"
#include "policy/eviction_policy.hpp"
#include "unit_bits.hpp"

#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/detail/entry.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/slist.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <stop_token>
#include <utility>

namespace leat::detail {

struct turn_link_tag;
/// For one of its manager's fill queues, or the chunks that nothing keeps at the turn's end.
using turn_link = boost::intrusive::list_base_hook<boost::intrusive::tag<turn_link_tag>>;

/// A chunk of one version of a file, or a fragment of it, in a buffer of its owner's shard.
///
/// Invariants: units landed have been asked for, and those asked for that have not landed are in
/// reads in flight; it is ready exactly when all have landed; each count is that of what it counts;
/// a doomed chunk is in no queue.
struct chunk : entry, resident, turn_link, unit_bits {
    /// With bits for `words` times 64 units. In use from here on when the others have been set that
    /// a file and a buffer give. Throws std::bad_alloc.
    explicit chunk(std::uint64_t words_);
    /// In another place: a hit goes by the bits of that one, once show_bits() was called, and those
    /// who link to it have to be told. Precondition: idle().
    chunk(chunk&& moved) noexcept = default;
    void show_bits() noexcept {
        if (presence != nullptr) presence = landed_words();
        all_landed = &everything_landed;
    }

    bool doomed = false;      ///< out of the table: stale, or replaced; freed when idle
    bool replaced = false;    ///< doomed since another has its bytes, not since they are stale
    bool superseded = false;  ///< another has its bytes: it goes when nothing keeps it
    std::stop_source withdrawal{std::nostopstate};  ///< of its reads, while there are some
    std::uint32_t units = 0;                        ///< that the file has in it
    std::uint32_t landed_units = 0;
    std::uint32_t asked_units = 0;
    std::uint32_t cursor = 0;    ///< where the rest goes on: behind what was demanded last
    std::uint32_t turn = 0;      ///< units submitted since it came to its queue's end
    unsigned demands = 0;        ///< of the reads in flight, those that somebody waits for alone
    unsigned reads = 0;          ///< in flight
    unsigned demands_read = 0;   ///< since the last background read that failed
    unsigned unread = 0;         ///< of the waiters, those with units that no read in flight brings
    unsigned aheads = 0;         ///< of the waiters, those for whom nobody waits yet
    std::uint32_t asked_by = 0;  ///< of a fragment, the shard that had a lease last, plus one
    std::uint8_t distrusted = 0;       ///< background reads that have failed, one after the other
    bool waits_for_reader = false;     ///< outside of the policy, until a stream comes to it
    bool is_held = false;              ///< set aside since it is pinned
    fill_rank rank = fill_rank::none;  ///< in which of its manager's queues it is
    bool ahead = false;   ///< it was read as a part of a stream's window, for what comes next
    bool served = false;  ///< somebody who did not ask ahead has been given bytes of it
    boost::intrusive::list<chunk_request, boost::intrusive::constant_time_size<false>> waiters;
    boost::intrusive::slist<lease::owner_part,
                            boost::intrusive::base_hook<lease_link>,
                            boost::intrusive::constant_time_size<false>>
        holders;

    /// Whether nothing refers to it, or will.
    [[nodiscard]] bool idle() const noexcept {
        return pins == 0 && reads == 0 && holders.empty() && waiters.empty() &&
               rank == fill_rank::none;
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
            latest = std::max(latest, held.of->last_use.latest());
        return latest;
    }
    /// Counts the visits that holders of leases have told of; returns whether there are any.
    bool take_reuses() noexcept {
        bool any = false;
        for (lease::owner_part& held : holders) {
            if (!held.of->take_reuses()) continue;
            count_reuse();
            any = true;
        }
        return any;
    }
    [[nodiscard]] bool asked(std::uint64_t unit) const noexcept {
        return (asked_word(unit / 64) >> (unit % 64) & 1) != 0;
    }
    /// The first unit from `unit` on that has been asked for, or not; `units` if there is none.
    [[nodiscard]] std::uint64_t next(std::uint64_t unit, bool asked_for) const noexcept {
        while (unit < units) {
            const std::uint64_t word = asked_word(unit / 64);
            const std::uint64_t left = (asked_for ? word : ~word) >> (unit % 64);
            if (left != 0) {
                const std::uint64_t found = unit + static_cast<unsigned>(std::countr_zero(left));
                return std::min<std::uint64_t>(units, found);
            }
            unit = (unit / 64 + 1) * 64;
        }
        return units;
    }
    /// Whether somebody has had bytes of it, as an answer or by a hit.
    [[nodiscard]] bool ever_used() const noexcept {
        return served || touched || last_use.latest() != used;
    }
    /// `used` is brought up to what has come of it since, through leases, too.
    void note_uses() noexcept {
        const std::int64_t latest = latest_use();
        touched = touched || latest != used;
        used = latest;
    }

    void add(chunk_request& waiter) noexcept {
        waiters.push_back(waiter);
        if (waiter.asked_ahead) ++aheads;
    }
    void remove(chunk_request& waiter) noexcept {
        waiters.erase(waiters.iterator_to(waiter));
        if (waiter.asked_ahead) --aheads;
        if (std::exchange(waiter.unread, false)) --unread;
    }
    /// Of the waiters with units that no read in flight brings, the first. There must be one.
    [[nodiscard]] const chunk_request& first_unread() const noexcept {
        return *std::find_if(waiters.begin(), waiters.end(),
                             [](const chunk_request& waiter) { return waiter.unread; });
    }

    /// A background read has failed, or a read has succeeded. Background reads go on after one
    /// demand has been read, after two when they fail again, then four: a bad sector that every
    /// read of the rest meets is not met each time.
    void distrust() noexcept {
        if (distrusted < 31) ++distrusted;
        demands_read = 0;
    }
    void trust(bool demanded) noexcept {
        if (demanded) {
            ++demands_read;
        } else {
            distrusted = 0;
        }
    }
    [[nodiscard]] bool on_demand_only() const noexcept {
        return distrusted != 0 && demands_read < 1U << (distrusted - 1);
    }

    /// No read of it is in flight.
    void end_withdrawal() noexcept { withdrawal = std::stop_source{std::nostopstate}; }
    /// Precondition: none of them has been asked for.
    void ask(std::uint64_t first, std::uint64_t count) noexcept {
        each_word(first, first + count - 1, [this](std::uint64_t word, std::uint64_t mask) {
            set_asked_word(word, asked_word(word) | mask);
            return true;
        });
        asked_units += static_cast<std::uint32_t>(count);
        if (unread == 0) return;
        for (chunk_request& waiter : waiters) {
            if (!waiter.unread || next(first_unit(waiter), false) <= last_unit(waiter)) continue;
            waiter.unread = false;
            --unread;
        }
    }
    /// What ask() did for units that could not be read.
    void take_back(std::uint64_t first, std::uint64_t count) noexcept {
        each_word(first, first + count - 1, [this](std::uint64_t word, std::uint64_t mask) {
            set_asked_word(word, asked_word(word) & ~mask);
            return true;
        });
        asked_units -= static_cast<std::uint32_t>(count);
    }
    void land(std::uint64_t first, std::uint64_t count) noexcept {
        land_units(landed_words(), first, count);
        landed_units += static_cast<std::uint32_t>(count);
        if (landed_units != units) return;
        complete();
        everything_landed.store(true, std::memory_order_release);
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

}  // namespace leat::detail
