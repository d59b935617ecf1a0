// What becomes of a read that has ended, and of those who waited for it.
#include "chunk_reader.hpp"
#include "fills.hpp"
#include "shard_parts.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace leat::detail {

void fills::read_ended(chunk& filling,
                       const fill_read& ended,
                       std::uint64_t bytes,
                       boost::system::error_code code,
                       bool withdrawn) noexcept {
    counts_.bytes_read += bytes;
    settle_read(filling, ended, code, withdrawn);
    if (!filling.doomed) drop_if_unwanted(filling);
}

void fills::settle_read(chunk& filling,
                        const fill_read& ended,
                        boost::system::error_code code,
                        bool withdrawn) noexcept {
    fill_state& fill = *filling.fill;
    if (--fill.reads == 0) fill.end_withdrawal();
    fill_queue& queue = queue_of(filling);
    const bool served = !code && !withdrawn;
    if (ended.in_piece()) {
        queue.line.pieces.end(ended.begun, served);
    } else if (ended.begun.some()) {
        queue.line.turns.end(ended.begun, served);
        if (!queue.line.empty()) chunks_.note_room();
    }
    // What hangs no more leaves room for others of both kinds.
    if (!queue.empty() || !queue.line.empty()) cache_.parts().owner_requests.let_reads_age();
    // The device would stand idle until those who are woken have run.
    if (!queue.empty()) cache_.home().submit_soon();
    if (ended.demanded()) --fill.demands;
    if (fill.turn >= largest_read) fill.turn = 0;
    if (filling.doomed) return chunks_.settle(filling);
    // Another may begin meanwhile, and fail at once.
    const bool in_hand = std::exchange(fill.in_hand, true);
    const bool stopping = cache_.home().stopping();
    if (!code) {
        filling.land(ended.first, ended.count);
        fill.trust(ended.demanded());
        serve_landed(filling);
        tell_those_in_line(filling, ended);
    } else if (withdrawn && !stopping && code != errc::file_changed) {
        // No error: somebody may have come since who shares the read.
        filling.take_back(ended.first, ended.count);
        static_cast<void>(answer_or_retry(filling, ended, {}));
    } else {
        // One that was withdrawn before, and has ended as the shard stops, ends for that.
        const bool overtaken = withdrawn && stopping && code == errc::cancelled;
        read_failed(filling, ended, overtaken ? make_error_code(errc::stopped) : code);
    }
    if (filling.doomed) return;
    rank(filling);
    fill.in_hand = in_hand;
    if (fill.reads == 0) chunks_.settle(filling);
    assert(filling.fault() == nullptr);
}

// Who waits for a turn, or for a buffer, is not looked at before he has it.
void fills::tell_those_in_line(const chunk& filling, const fill_read& landed) noexcept {
    owner_requests& owned = cache_.parts().owner_requests;
    if (!owned.waiting()) return;
    // Some begin in what has landed before. Not all that begin there are looked at each time, of
    // whom there may be many: the longest have theirs when the chunk is complete.
    constexpr std::uint64_t back = fragment_size >> unit_shift;
    const bool complete = filling.ready_length != 0;
    const std::uint64_t first = complete ? 0 : landed.first - std::min(landed.first, back);
    const std::uint64_t last = complete ? filling.units() : landed.end();
    owned.serve_landed(filling, filling.start + (first << unit_shift),
                       filling.start + (last << unit_shift));
}

void fills::serve_landed(chunk& filling) noexcept {
    if (filling.ready_length != 0 && filling.piece.is_chunk()) supersede_fragments(filling);
    for (auto next = filling.fill->waiters.begin(); next != filling.fill->waiters.end();) {
        chunk_request& waiter = *next++;
        if (!filling.has_landed(waiter)) continue;
        filling.remove(waiter);
        answers_.grant(filling, waiter);
    }
}

void fills::supersede_fragments(const chunk& complete) noexcept {
    chunks_.any_fragment(*complete.file, complete.piece.index(), 0, complete.length,
                         [this](chunk& part) {
                             granted_.revoke(part);
                             chunks_.supersede(part);
                             return false;
                         });
}

void fills::read_failed(chunk& filling,
                        const fill_read& failed,
                        boost::system::error_code code) noexcept {
    ++counts_.failed_reads;
    filling.take_back(failed.first, failed.count);
    if (code == errc::file_changed) {
        file_changed(filling, code);
        return;
    }
    // A file that was closed meanwhile is no reason to distrust the device.
    const bool ended = code == errc::closed || cache_.home().stopping();
    if (!ended && !failed.demanded()) filling.fill->distrust();
    const bool told = answer_or_retry(filling, failed, code);
    if (filling.on_demand_only()) end_aheads(filling, code);
    if (ended || failed.told || (told && failed.demanded())) return;
    warn(filling, code);
}

// What is read on demand only does not come by itself.
void fills::end_aheads(chunk& filling, boost::system::error_code code) noexcept {
    for (auto next = filling.fill->waiters.begin(); next != filling.fill->waiters.end();) {
        chunk_request& waiter = *next++;
        if (!waiter.asked_ahead) continue;
        filling.remove(waiter);
        answers_.send(waiter, code);
    }
}

void fills::warn(const chunk& filling, boost::system::error_code code) noexcept {
    try {
        cache_.home().engine().report(
            event::level::warning,
            "reading ahead in \"" + filling.file->name + "\" failed: " + code.message() +
                "; that part of the file is read on demand until a read of it succeeds");
    } catch (...) {  // no memory for the sentence: the count stands
    }
}

void fills::file_changed(chunk& stale, boost::system::error_code code) noexcept {
    unqueue(stale);
    chunks_.doom(stale);
    while (stale.has_waiters()) {
        chunk_request& first = stale.fill->waiters.front();
        stale.remove(first);
        answers_.send(first, code);
    }
    granted_.revoke(stale);
    stale.fill->in_hand = false;
    chunks_.settle(stale);
}

bool fills::answer_or_retry(chunk& filling,
                            const fill_read& failed,
                            boost::system::error_code code) noexcept {
    bool told = false;
    boost::intrusive::list<chunk_request, boost::intrusive::constant_time_size<false>> again;
    for (auto next = filling.fill->waiters.begin(); next != filling.fill->waiters.end();) {
        chunk_request& waiter = *next++;
        const std::uint64_t from = filling.first_unit(waiter);
        const std::uint64_t to = filling.last_unit(waiter) + 1;
        if (to <= failed.first || from >= failed.end()) continue;
        filling.remove(waiter);
        // The error may be another's: where more was read than this one asked for, its units are
        // read alone, once.
        const bool all_its_own = !failed.of_window && from <= failed.first && failed.end() <= to;
        if (code && (all_its_own || waiter.retried || cache_.home().stopping())) {
            told = true;
            answers_.send(waiter, code);
        } else {
            if (code) waiter.retried = true;
            again.push_back(waiter);
        }
    }
    while (!again.empty()) {
        chunk_request& waiter = again.front();
        again.pop_front();
        if (queue_of(filling).line.turns.full(turn_of(waiter))) {
            cache_.parts().owner_requests.stand_for_turn(waiter);
            continue;
        }
        filling.add(waiter);
        want(filling, waiter);
    }
    return told;
}

}  // namespace leat::detail
