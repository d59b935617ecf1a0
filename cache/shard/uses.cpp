// Tells visits from continued reads, and what hints change.
#include "uses.hpp"

#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace leat::detail {

namespace {
// What ghosts may take at most, of little memory, and for each chunk that they follow.
constexpr std::uint64_t ghost_share = 256;
constexpr std::uint64_t bytes_a_follower = 1536;

// So many times as long as before a reader may take for a step.
constexpr double hardly_slower = 4;

std::size_t most_followed(std::uint64_t memory) noexcept {
    return std::clamp<std::uint64_t>(memory / ghost_share / bytes_a_follower, 64, 1024);
}
}  // namespace

uses::uses(shard_cache& cache, chunk_store& chunks) noexcept
    : cache_(cache),
      chunks_(chunks),
      clock_(chunks.policy().tell(), chunks.memory().for_buffers()),
      curve_(
          cache.all().engine().options().policy,
          chunks.memory().for_buffers(),
          [](const resident& real) noexcept {
              return static_cast<const chunk&>(real).latest_use();
          },
          most_followed(chunks.memory().for_buffers())) {
    cache_.set_horizon(clock_.horizon());
}

void uses::set_memory(std::uint64_t bytes) noexcept {
    chunks_.policy().set_capacity(bytes);
    clock_.set_capacity(bytes);
    curve_.set_memory(bytes, most_followed(bytes));
}

void uses::time_passes(std::uint64_t bytes) noexcept {
    clock_.visited(cache_.stamp(), bytes);
    cache_.set_horizon(clock_.horizon());
    cache_.home().part_stamps();
}

void uses::loaded(const chunk& made) noexcept {
    time_passes(made.bytes);
    curve_.loaded(made, cache_.stamp());
    const std::uint64_t memory = chunks_.memory().bytes();
    reach_.set_memory(memory - std::min(chunks_.held_bytes(), memory));
    // What was there already is not read again.
    reach_.loaded(made.length - std::min<std::uint64_t>(
                                    made.length, std::uint64_t{made.landed_units()} << unit_shift),
                  cache_.stamp());
}

void uses::left(const chunk& gone) noexcept {
    curve_.left(gone, gone.latest_use());
    if (gone.to_come != 0) note_reach(gone);
}

// Where others have used it, too, or by leases, the last end says nothing of him.
void uses::note_reach(const chunk& gone) noexcept {
    if (gone.asked_by != 0 || gone.ends.visited_anew()) return;
    const std::uint64_t end = std::uint64_t{gone.start} + gone.length;
    const std::uint64_t at = gone.ever_used() ? gone.ends.last() : gone.start;
    if (at < gone.start || at > end) return;
    const std::uint64_t step = std::uint64_t{gone.step} << unit_shift;
    const std::uint64_t came = gone.to_come - std::min<std::uint64_t>(gone.to_come, end - at);
    const std::int64_t now = cache_.stamp();
    const std::int64_t took = gone.latest_use() - gone.since;
    if (end - at < step) {
        // What he asks for next lies in another piece, in part.
        if (came != 0) reach_.came_through(came, took, now);
        return;
    }
    if (gone.doomed || gone.superseded) return;
    // Who would have been here again long ago has stopped, and is not slow.
    const auto idle = static_cast<double>(now - gone.latest_use());
    const double due = hardly_slower * static_cast<double>(took) * static_cast<double>(step);
    if (idle * static_cast<double>(came) > due && came != 0) return;
    reach_.came_through(came, now - gone.since, now);
}

void uses::visited_elsewhere(const chunk& found, std::int64_t before) noexcept {
    curve_.visited(found, before, found.latest_use(), true);
}

void uses::first_used(chunk& landed) noexcept {
    chunks_.first_used(landed);
    curve_.served(landed, landed.used);
}

void uses::visited(entry& found, std::uint64_t in) noexcept {
    const told_uses tell = chunks_.policy().tell();
    const bool visit = found.last_use.latest() < clock_.visits_horizon();
    const bool anew = visit && !found.ends.continued_at(static_cast<std::uint32_t>(in));
    if (found.leased) {
        if (anew || tell == told_uses::all) static_cast<lease&>(found).count_reuse();
        if (anew) time_passes(static_cast<const lease&>(found).bytes);
        return;
    }
    auto& again = static_cast<chunk&>(found);
    chunks_.retain(again, hint::normal);
    // What was asked for ahead is used for the first time.
    if (!again.ever_used()) return first_used(again);
    again.served = true;
    if (visit) curve_.visited(again, again.latest_use(), cache_.stamp(), anew);
    if (tell == told_uses::all) again.used = cache_.stamp();
    if (tell == told_uses::all || (tell == told_uses::visits && anew))
        chunks_.policy().reused(again);
    if (anew) time_passes(again.bytes);
}

void uses::note(chunk& found, std::uint64_t in, std::uint32_t size) noexcept {
    if (!found.ever_used()) {
        first_used(found);
    } else if (found.last_use.latest() < cache_.horizon()) {
        visited(found, in);
    }
    found.served = true;
    found.note_use(in, size, cache_.stamp());
}

void uses::retain(chunk& found, hint given) noexcept {
    const retention before = found.keep;
    chunks_.retain(found, given);
    if (found.keep == before || found.keep != retention::gone_when_idle) return;
    // No more of it is read than somebody waits for, and nobody is to hold it for long.
    cache_.parts().fills.rank(found);
    cache_.parts().granted_leases.revoke(found);
}

bool uses::hit(entry& found, std::uint64_t in, std::uint32_t size, hint given) noexcept {
    if (found.leased) {
        const bool kept = static_cast<const lease&>(found).kept;
        if (given == hint::no_retain || (given == hint::keep && !kept)) return false;
    }
    if (counts_as_use(given)) {
        if (found.last_use.latest() < cache_.horizon()) visited(found, in);
        found.note_use(in, size, cache_.stamp());
    }
    if (!found.leased) {
        auto& mine = static_cast<chunk&>(found);
        mine.served = true;
        retain(mine, given);
    }
    found.pin(size, cache_.stamp());
    return true;
}

void uses::granted(chunk& found, chunk_request& wanted) noexcept {
    if (wanted.asked_ahead) {
        // Its use is still to come.
    } else if (counts_as_use(wanted.given)) {
        note(found, wanted.in, wanted.size);
    } else {
        found.served = true;
    }
    wanted.used = found.last_use.latest();
    retain(found, wanted.given);
}

void uses::granted(lease& by, const chunk_request& wanted) noexcept {
    // As far as this shard knows it was loaded for it.
    if (by.since == 0) time_passes(by.bytes);
    if (wanted.given == hint::keep) by.kept = true;
    if (wanted.given == hint::no_retain) by.kept = false;
    by.fleeting = wanted.given == hint::no_retain || wanted.fleeting || by.retired;
    by.attention = by.attention || by.fleeting;
    by.since = cache_.stamp();
    // By the owner's stamp: it is the use that the owner has noted, not another.
    if (counts_as_use(wanted.given) && !wanted.asked_ahead)
        by.note_use(wanted.in, wanted.size, std::max(by.last_use.latest(), wanted.used));
}

}  // namespace leat::detail
