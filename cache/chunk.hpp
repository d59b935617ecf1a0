// A chunk at its owner, and a lease of one at another shard.
#pragma once

#include "eviction_policy.hpp"

#include <leat/cache/chunk_request.hpp>
#include <leat/cache/entry.hpp>
#include <leat/engine/work.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <memory>

namespace leat {

struct lease_link_tag;
using lease_link = boost::intrusive::list_base_hook<boost::intrusive::tag<lease_link_tag>>;
struct rest_link_tag;
using rest_link = boost::intrusive::list_base_hook<boost::intrusive::tag<rest_link_tag>>;

/// This shard's right to serve hits on a chunk of another. Two threads use it, each its own part.
struct lease : entry {
    // Home's part.
    struct back_pointer : work {
        using work::work;
        leat::lease* self = nullptr;
    };
    shard_cache* owner = nullptr;
    std::uint64_t generation = 0;  ///< of the grant it lives by
    unsigned outstanding = 0;      ///< requests on their way through it
    bool granted = false;
    bool ever_granted = false;
    bool revoke_held = false;  ///< a revoke waits here for the last unpin
    bool giving_back = false;
    lease* next_free = nullptr;
    boost::intrusive::list_member_hook<> home_link;
    back_pointer give_back_message;  ///< home, owner, home again

    // Owner's part, in lines of its own.
    struct alignas(64) owner_part : lease_link {
        leat::lease* self = nullptr;
        leat::chunk* of = nullptr;  ///< while the owner counts it as held
        std::uint64_t generation = 0;
        std::int64_t seen_use = 0;
        std::uint64_t revoked_generation = 0;
        bool revoke_out = false;
        bool give_back_waits = false;  ///< for the revoke to come back
    } at_owner;
    back_pointer revoke_message;  ///< owner, home, owner again
};

/// A chunk of one version of a file, in a buffer of its owner's shard.
struct chunk : entry, resident, rest_link {
    std::unique_ptr<std::atomic<std::uint64_t>[]> landed_words;
    std::unique_ptr<std::uint64_t[]> asked_words;  ///< units landed or in reads in flight
    std::uint64_t words = 0;
    std::uint64_t buffer_size = 0;
    std::uint64_t units = 0;  ///< that the file has in this chunk
    std::uint64_t landed_units = 0;
    std::uint64_t asked_units = 0;
    std::uint64_t cursor = 0;  ///< where the rest goes on: behind what was demanded last
    std::atomic<bool> everything_landed{false};
    unsigned demands = 0;           ///< of the reads in flight, those that somebody waits for alone
    unsigned reads = 0;             ///< in flight
    bool doomed = false;            ///< out of the table; freed when nothing refers to it
    bool on_demand_only = false;    ///< a background read has failed
    bool waiting_for_rest = false;  ///< in its manager's queue of those to fill
    bool demanded = false;          ///< there, among those that somebody waits for
    chunk* next_free = nullptr;
    boost::intrusive::list<chunk_request, boost::intrusive::constant_time_size<false>> waiters;
    boost::intrusive::list<lease::owner_part,
                           boost::intrusive::base_hook<lease_link>,
                           boost::intrusive::constant_time_size<false>>
        holders;

    [[nodiscard]] bool asked(std::uint64_t unit) const noexcept {
        return (asked_words[unit / 64] >> (unit % 64) & 1) != 0;
    }
    /// The first unit from `unit` on that has been asked for, or not; `units` if there is none.
    [[nodiscard]] std::uint64_t next(std::uint64_t unit, bool asked_for) const noexcept {
        while (unit < units) {
            const std::uint64_t word = asked_words[unit / 64];
            const std::uint64_t left = (asked_for ? word : ~word) >> (unit % 64);
            if (left != 0) {
                return std::min(units, unit + static_cast<unsigned>(std::countr_zero(left)));
            }
            unit = (unit / 64 + 1) * 64;
        }
        return units;
    }
    /// Precondition: none of them has been asked for.
    void ask(std::uint64_t first, std::uint64_t count) noexcept {
        each_word(first, first + count - 1, [this](std::uint64_t word, std::uint64_t mask) {
            asked_words[word] |= mask;
            return true;
        });
        asked_units += count;
    }
    /// What ask() did for units that could not be read.
    void take_back(std::uint64_t first, std::uint64_t count) noexcept {
        each_word(first, first + count - 1, [this](std::uint64_t word, std::uint64_t mask) {
            asked_words[word] &= ~mask;
            return true;
        });
        asked_units -= count;
    }
    void land(std::uint64_t first, std::uint64_t count) noexcept {
        land_units(landed_words.get(), first, count);
        landed_units += count;
    }
    /// Whether somebody waits for units that no read in flight will bring.
    [[nodiscard]] bool demanded_unasked() const noexcept {
        return std::any_of(waiters.begin(), waiters.end(), [this](const chunk_request& waiter) {
            return next(first_unit(waiter), false) <= last_unit(waiter);
        });
    }
    /// Units of the request's range.
    [[nodiscard]] std::uint64_t first_unit(const chunk_request& wanted) const noexcept {
        return wanted.in >> unit_shift;
    }
    [[nodiscard]] std::uint64_t last_unit(const chunk_request& wanted) const noexcept {
        return (wanted.in + wanted.size - 1) >> unit_shift;
    }
};

}  // namespace leat
