// Filling chunks: demanded bytes first and alone, the rest behind them, nothing for nobody.
#include "cache_storage.hpp"
#include "chunk_reader.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/detail/shard_cache.hpp>

#include <algorithm>
#include <cassert>
#include <string>

namespace leat::detail {

namespace {
// A demand of so many units (256 KiB), one more if it begins inside one, is read at once and alone;
// a larger one is a matter of throughput.
constexpr std::uint64_t small_demand_units = 64;
// The largest read: nobody waits longer for bytes that are under way than one such read takes.
constexpr std::uint64_t largest_read = 10 * MiB >> unit_shift;
// With so many demands in flight the device has no time for bytes that nobody waits for.
constexpr unsigned crowd = 4;
// Without competition, reads of chunks at once a shard.
constexpr unsigned chunks_at_once = 8;
// How long after two reads met demands are expected to meet again.
constexpr std::chrono::milliseconds competition_memory{5};
}  // namespace

void shard_cache::want(chunk& filling, chunk_request& wanted) noexcept {
    const std::uint64_t first = filling.first_unit(wanted);
    const std::uint64_t last = filling.last_unit(wanted);
    const std::uint64_t small_units = small_demand_units + (wanted.in % unit_size != 0 ? 1 : 0);
    if (wanted.asked_ahead) {
        // Nothing at once: its chunk's rank says when it is read.
    } else if (last - first < small_units) {
        // The request may end inside, when a read cannot begin.
        for (std::uint64_t unit = filling.next(first, false); unit <= last;) {
            const std::uint64_t end = std::min(filling.next(unit, true), last + 1);
            const bool begun = read(filling, {unit, end - unit, fill_read::purpose::small_demand});
            assert(begun);  // the request holds the file
            static_cast<void>(begun);
            unit = filling.next(end, false);
        }
        filling.cursor = last + 1;
    } else if (filling.next(first, false) <= last) {
        wanted.unread = true;
        ++filling.unread;
    }
    rank(filling);
}

fill_queue& shard_cache::queue_of(const chunk& filling) const noexcept {
    return filling.file->manager->fills[shard_.index()];
}

fill_rank shard_cache::rank_of(const chunk& filling) noexcept {
    // A chunk whose turn is over waits for its read, and then behind the others.
    if (filling.asked_units == filling.units || filling.turn >= largest_read)
        return fill_rank::none;
    if (filling.unread != 0) return fill_rank::demanded;
    // Behind the demanded bytes, not beside them: what is submitted together completes together.
    if (filling.demands != 0 || filling.on_demand_only()) return fill_rank::none;
    if (filling.aheads != 0) return fill_rank::ahead;
    return !filling.waiters.empty() || filling.ever_used() ? fill_rank::rest : fill_rank::none;
}

void shard_cache::rank(chunk& filling) noexcept {
    const fill_rank now = rank_of(filling);
    if (filling.rank == now) return;
    unqueue(filling);
    if (now == fill_rank::none) return;
    fill_queue& queue = queue_of(filling);
    if (queue.empty()) own_->to_fill.push_back(queue);
    filling.rank = now;
    queue.of(now).push_back(filling);
}

void shard_cache::unqueue(chunk& filling) noexcept {
    if (filling.rank == fill_rank::none) return;
    fill_queue& queue = queue_of(filling);
    fill_queue::chunks& in = queue.of(std::exchange(filling.rank, fill_rank::none));
    in.erase(in.iterator_to(filling));
    // A queue that is listed has chunks, and with them a manager.
    if (queue.empty()) own_->to_fill.erase(own_->to_fill.iterator_to(queue));
}

bool shard_cache::read(chunk& filling, const fill_read& wanted) noexcept {
    if (all_.files().acquire(filling.file_number) == nullptr) return false;
    filling.ask(wanted.first, wanted.count);
    ++filling.reads;
    ++counts_.reads;
    fill_queue& queue = queue_of(filling);
    if (wanted.why == fill_read::purpose::small_demand) {
        ++counts_.demand_reads;
        if (queue.small_in_flight + queue.large_in_flight + queue.background_in_flight != 0)
            queue.last_competition = shard_.turn_time();
    }
    ++queue.in_flight(wanted.why);
    if (wanted.demanded()) ++filling.demands;
    try {
        // One that has stopped the reads of a fill that nobody wanted cannot serve another.
        if (filling.withdrawal.stop_requested() && !shard_.stopping())
            filling.withdrawal = std::stop_source{};
        const chunk_reader reader =
            chunk_reader::run(*this, filling, wanted, filling.withdrawal.get_token());
        reader.start(shard_);
    } catch (const std::bad_alloc&) {
        all_.files().release(*filling.file);
        read_ended(filling, wanted, 0, system_error_code(ENOMEM), false);
    }
    return true;
}

void shard_cache::read_ended(chunk& filling,
                             const fill_read& ended,
                             std::uint64_t bytes,
                             boost::system::error_code code,
                             bool withdrawn) noexcept {
    --filling.reads;
    --queue_of(filling).in_flight(ended.why);
    if (ended.demanded()) --filling.demands;
    if (filling.turn >= largest_read) filling.turn = 0;
    counts_.bytes_read += bytes;
    if (filling.doomed) {
        release_if_unused(filling);
        return;
    }
    if (!code) {
        filling.land(ended.first, ended.count);
        filling.trust(ended.demanded());
        landed(filling);
    } else if (withdrawn && !shard_.stopping() && code != errc::file_changed) {
        // No error: somebody may have come since who shares the read.
        filling.take_back(ended.first, ended.count);
        static_cast<void>(answer_or_retry(filling, ended, {}));
    } else {
        read_failed(filling, ended, code);
    }
    if (filling.doomed) return;
    rank(filling);
    if (filling.reads == 0) back_to_policy(filling);
    assert(filling.fault() == nullptr);
}

void shard_cache::landed(chunk& filling) noexcept {
    if (filling.landed_units == filling.units) {
        filling.ready_length = filling.length;
        filling.everything_landed.store(true, std::memory_order_release);
    }
    for (auto next = filling.waiters.begin(); next != filling.waiters.end();) {
        chunk_request& waiter = *next++;
        if (filling.ready_length == 0 && !filling.landed(waiter.in, waiter.size)) continue;
        filling.remove(waiter);
        waiter.waits = chunk_request::place::nowhere;
        grant(filling, waiter);
    }
}

void shard_cache::read_failed(chunk& filling,
                              const fill_read& failed,
                              boost::system::error_code code) noexcept {
    ++counts_.failed_reads;
    filling.take_back(failed.first, failed.count);
    if (code == errc::file_changed) {
        doom(filling, code);
        return;
    }
    // A file that was closed meanwhile is no reason to distrust the device.
    const bool ended = code == errc::closed || shard_.stopping();
    if (!ended && !failed.demanded()) filling.distrust();
    const bool told = answer_or_retry(filling, failed, code);
    if (ended || (told && failed.demanded())) return;
    try {
        shard_.engine().report(event::level::warning,
                               "reading ahead in \"" + filling.file->name +
                                   "\" failed: " + code.message() +
                                   "; that chunk is read on demand until a read of it succeeds");
    } catch (...) {  // no memory for the sentence: the count stands
    }
}

bool shard_cache::answer_or_retry(chunk& filling,
                                  const fill_read& failed,
                                  boost::system::error_code code) noexcept {
    bool told = false;
    requests again;
    for (auto next = filling.waiters.begin(); next != filling.waiters.end();) {
        chunk_request& waiter = *next++;
        const std::uint64_t from = filling.first_unit(waiter);
        const std::uint64_t to = filling.last_unit(waiter) + 1;
        if (to <= failed.first || from >= failed.end()) continue;
        filling.remove(waiter);
        // The error may be another's: where more was read than this one asked for, its units are
        // read alone, once.
        const bool all_its_own = from <= failed.first && failed.end() <= to;
        if (code && (all_its_own || waiter.retried || shard_.stopping())) {
            told = true;
            answer(waiter, code);
        } else {
            if (code) waiter.retried = true;
            again.push_back(waiter);
        }
    }
    while (!again.empty()) {
        chunk_request& waiter = again.front();
        again.pop_front();
        filling.add(waiter);
        want(filling, waiter);
    }
    return told;
}

void shard_cache::drop_if_unwanted(chunk& filling) noexcept {
    if (filling.waiters.empty() && !filling.ever_used()) {
        if (filling.reads != 0) {
            filling.withdrawal.request_stop();
        } else if (filling.landed_units == 0 && filling.distrusted == 0) {
            assert(filling.pins == 0 && filling.holders.empty());
            discard(filling);
            return;
        }
    }
    if (filling.reads == 0) back_to_policy(filling);
}

void shard_cache::submit_fills() noexcept {
    for (auto next = own_->to_fill.begin(); next != own_->to_fill.end();) {
        fill_queue& queue = *next++;  // it may leave the list
        if (shard_.stopping()) {
            give_up(queue);
        } else {
            while (chunk* const filling = next_to_read(queue)) read_more(*filling);
        }
    }
}

void shard_cache::give_up(fill_queue& queue) noexcept {
    for (fill_queue::chunks& one : queue.ranks) {
        while (!one.empty()) {
            chunk& unread = one.front();
            unqueue(unread);
            while (!unread.waiters.empty()) {
                chunk_request& waiter = unread.waiters.front();
                unread.remove(waiter);
                answer(waiter, errc::stopped);
            }
        }
    }
}

void shard_cache::stop_reads() noexcept {
    if (std::exchange(own_->reads_stopped, true)) return;
    for (chunk& one : own_->chunks) {
        if (one.reads != 0) one.withdrawal.request_stop();
    }
}

bool shard_cache::competing(const fill_queue& queue) const noexcept {
    return queue.small_in_flight != 0 ||
           shard_.turn_time() - queue.last_competition < competition_memory;
}

chunk* shard_cache::next_to_read(fill_queue& queue) const noexcept {
    const auto first_of = [&](fill_rank rank) -> chunk* {
        return queue.of(rank).empty() ? nullptr : &queue.of(rank).front();
    };
    const bool crowded = competing(queue);
    const unsigned window = crowded ? queue.pieces_at_once : chunks_at_once;
    if (chunk* const demanded = first_of(fill_rank::demanded))
        return queue.large_in_flight < window ? demanded : nullptr;
    if (queue.large_in_flight + queue.background_in_flight >= window) return nullptr;
    if (chunk* const ahead = first_of(fill_rank::ahead)) return ahead;
    return queue.small_in_flight < crowd ? first_of(fill_rank::rest) : nullptr;
}

void shard_cache::read_more(chunk& filling) noexcept {
    const std::uint64_t most =
        competing(queue_of(filling)) ? fill_piece >> unit_shift : largest_read;
    fill_read wanted;
    std::uint64_t limit = filling.units;
    if (filling.rank == fill_rank::demanded) {
        const chunk_request& waiter = filling.first_unread();
        wanted.why = fill_read::purpose::large_demand;
        wanted.first = filling.next(filling.first_unit(waiter), false);
        limit = filling.last_unit(waiter) + 1;
    } else {
        wanted.first = filling.next(filling.cursor, false);
        if (wanted.first >= filling.units) wanted.first = filling.next(0, false);
    }
    wanted.count =
        std::min({filling.next(wanted.first, true), wanted.first + most, limit}) - wanted.first;
    assert(wanted.count != 0);
    filling.cursor = wanted.end();
    filling.turn += wanted.count;
    if (read(filling, wanted)) {
        rank(filling);
    } else {
        filling.turn -= wanted.count;
        unqueue(filling);  // nobody has the file open
    }
}

}  // namespace leat::detail
