// Filling chunks: demanded bytes first and alone, the rest behind them.
#include "cache_storage.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/shard_cache.hpp>
#include <leat/engine/spawned.hpp>

#include <algorithm>
#include <string>

namespace leat {

namespace {
// A demand up to this size is read at once and alone; a larger one is a matter of throughput.
constexpr std::uint64_t small_demand = 256 * KiB;
// With so many demands in flight the device has no time for bytes that nobody waits for.
constexpr unsigned crowd = 4;
// Without competition, chunks read at once a shard.
constexpr unsigned chunks_at_once = 8;
// How long after two reads met demands are expected to meet again.
constexpr std::chrono::milliseconds competition_memory{5};
}  // namespace

/// Reads a part of a chunk from its source; a root of its own, which the shard waits for when it
/// stops.
class chunk_reader {
public:
    struct promise_type : promise_base {
        chunk_reader get_return_object() noexcept {
            return chunk_reader{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
        resumption begin;
    };

    /// From the ready queue, so that nothing of it runs inside the call that starts it.
    void start(shard& here) const noexcept {
        promise_type& promise = handle_.promise();
        promise.stop = &here.stop_token();
        promise.begin.coroutine = handle_;
        here.hold();
        here.schedule(promise.begin);
    }

    struct part {
        std::uint64_t first;
        std::uint64_t count;
        bool demand;
    };
    static chunk_reader run(shard_cache& cache, chunk& filling, part wanted) {
        const std::uint64_t begin = wanted.first << unit_shift;
        const std::uint64_t size =
            std::min(wanted.count << unit_shift, filling.buffer_size - begin);
        const std::uint64_t expected = std::min<std::uint64_t>(size, filling.length - begin);
        file_record& file = *filling.file;
        const manager_core& manager = *file.manager;
        std::uint64_t count = 0;
        boost::system::error_code code;
        try {
            count = co_await manager.source->read(
                *file.opened, filling.index * manager.chunk_size + begin,
                std::span{filling.data + begin, size},
                wanted.demand ? priority::demand : priority::background);
            if (count < expected) code = errc::short_read;
        } catch (const boost::system::system_error& failure) {
            code = failure.code();
        } catch (const std::bad_alloc&) {
            code = system_error_code(ENOMEM);
        } catch (...) {
            code = errc::unhandled_exception;
        }
        cache.all().files().release(file);
        cache.home().unhold();
        cache.read_ended(filling, wanted.first, wanted.count, wanted.demand, count, code);
    }

private:
    explicit chunk_reader(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

void shard_cache::want(chunk& filling, std::uint64_t first, std::uint64_t last) noexcept {
    const std::uint64_t bytes = (last - first + 1) << unit_shift;
    if (bytes <= small_demand || filling.on_demand_only) {
        for (std::uint64_t unit = filling.next(first, false); unit <= last;) {
            const std::uint64_t end = std::min(filling.next(unit, true), last + 1);
            read(filling, unit, end - unit, true);
            unit = filling.next(end, false);
        }
        filling.cursor = last + 1;
    } else {
        filling.cursor = first;
    }
    // Large demands go before the rest of chunks of which somebody has got what he asked for.
    queue_rest(filling, bytes > small_demand);
}

fill_queue& shard_cache::queue_of(const chunk& filling) const noexcept {
    return filling.file->manager->fills[shard_.index()];
}

void shard_cache::queue_rest(chunk& filling, bool demanded) noexcept {
    if (filling.waiting_for_rest) {
        if (!demanded || filling.demanded) return;
        unqueue(filling);
    }
    if (filling.asked_units == filling.units) return;
    // Behind the demanded bytes, not beside them: what is submitted together completes together.
    if (filling.demands != 0) return;
    if (filling.on_demand_only && !filling.demanded_unasked()) return;
    fill_queue& queue = queue_of(filling);
    if (queue.empty()) own_->to_fill.push_back(queue);
    filling.waiting_for_rest = true;
    filling.demanded = demanded;
    (demanded ? queue.demanded : queue.rests).push_back(filling);
}

void shard_cache::unqueue(chunk& filling) noexcept {
    if (!filling.waiting_for_rest) return;
    fill_queue& queue = queue_of(filling);
    filling.waiting_for_rest = false;
    fill_queue::chunks& in = filling.demanded ? queue.demanded : queue.rests;
    in.erase(in.iterator_to(filling));
    // A queue that is listed has chunks, and with them a manager.
    if (queue.empty()) own_->to_fill.erase(own_->to_fill.iterator_to(queue));
}

void shard_cache::read(chunk& filling,
                       std::uint64_t first,
                       std::uint64_t count,
                       bool demand) noexcept {
    filling.ask(first, count);
    ++filling.reads;
    ++counts_.reads;
    fill_queue& queue = queue_of(filling);
    if (demand) {
        ++counts_.demand_reads;
        if (queue.demands_in_flight + queue.rests_in_flight != 0)
            queue.last_competition = shard_.turn_time();
        ++queue.demands_in_flight;
        ++filling.demands;
    } else {
        ++queue.rests_in_flight;
    }
    boost::system::error_code code;
    if (all_.files().acquire(filling.file_number) == nullptr) {
        code = errc::closed;
    } else {
        try {
            const chunk_reader reader = chunk_reader::run(*this, filling, {first, count, demand});
            reader.start(shard_);
            return;
        } catch (const std::bad_alloc&) {
            all_.files().release(*filling.file);
            code = system_error_code(ENOMEM);
        }
    }
    read_ended(filling, first, count, demand, 0, code);
}

void shard_cache::read_ended(chunk& filling,
                             std::uint64_t first,
                             std::uint64_t count,
                             bool demand,
                             std::uint64_t bytes,
                             boost::system::error_code code) noexcept {
    --filling.reads;
    fill_queue& queue = queue_of(filling);
    --(demand ? queue.demands_in_flight : queue.rests_in_flight);
    if (demand) --filling.demands;
    counts_.bytes_read += bytes;
    if (filling.doomed) {
        release_if_unused(filling);
        return;
    }
    if (code) {
        read_failed(filling, first, count, code);
    } else {
        filling.land(first, count);
        landed(filling);
    }
    if (!filling.doomed && (!code || filling.demanded_unasked()))
        queue_rest(filling, filling.demanded_unasked());
    if (filling.file != nullptr && !filling.doomed && filling.reads == 0) back_to_policy(filling);
}

void shard_cache::landed(chunk& filling) noexcept {
    if (filling.landed_units == filling.units) {
        filling.ready_length = filling.length;
        filling.everything_landed.store(true, std::memory_order_release);
    }
    for (auto next = filling.waiters.begin(); next != filling.waiters.end();) {
        chunk_request& waiter = *next++;
        if (filling.ready_length == 0 && !filling.landed(waiter.in, waiter.size)) continue;
        filling.waiters.erase(filling.waiters.iterator_to(waiter));
        waiter.waits = chunk_request::place::nowhere;
        grant(filling, waiter);
    }
}

void shard_cache::read_failed(chunk& filling,
                              std::uint64_t first,
                              std::uint64_t count,
                              boost::system::error_code code) noexcept {
    ++counts_.failed_reads;
    filling.take_back(first, count);
    if (code == errc::file_changed) {
        doom(filling, code);
        return;
    }
    unqueue(filling);
    // A file that was closed meanwhile is no reason to distrust the device.
    const bool ended = code == errc::closed || shard_.stopping();
    filling.on_demand_only = filling.on_demand_only || !ended;
    const std::uint64_t end = first + count;
    bool anybody = false;
    requests again;
    for (auto next = filling.waiters.begin(); next != filling.waiters.end();) {
        chunk_request& waiter = *next++;
        const std::uint64_t from = filling.first_unit(waiter);
        const std::uint64_t to = filling.last_unit(waiter) + 1;
        if (to <= first || from >= end) continue;
        anybody = true;
        filling.waiters.erase(filling.waiters.iterator_to(waiter));
        // The error may be another's: where more was read than this one asked for, its units are
        // read alone, once.
        const bool all_its_own = from <= first && end <= to;
        if (all_its_own || waiter.retried || shard_.stopping()) {
            answer(waiter, code);
        } else {
            waiter.retried = true;
            again.push_back(waiter);
        }
    }
    while (!again.empty()) {
        chunk_request& waiter = again.front();
        again.pop_front();
        filling.waiters.push_back(waiter);
        want(filling, filling.first_unit(waiter), filling.last_unit(waiter));
    }
    if (anybody || ended) return;
    try {
        shard_.owner().report(event::level::warning, "reading ahead in \"" + filling.file->name +
                                                         "\" failed: " + code.message() +
                                                         "; that chunk is now read on demand");
    } catch (...) {  // no memory for the sentence: the count stands
    }
}

void shard_cache::submit_rests() noexcept {
    for (auto next = own_->to_fill.begin(); next != own_->to_fill.end();) {
        fill_queue& queue = *next++;  // it may leave the list
        if (shard_.stopping()) {
            give_up_rests(queue);
        } else {
            submit_rests_of(queue);
        }
    }
}

void shard_cache::give_up_rests(fill_queue& queue) noexcept {
    while (!queue.empty()) {
        chunk& unread = queue.demanded.empty() ? queue.rests.front() : queue.demanded.front();
        unqueue(unread);
        while (!unread.waiters.empty()) {
            chunk_request& waiter = unread.waiters.front();
            unread.waiters.pop_front();
            answer(waiter, errc::stopped);
        }
    }
}

void shard_cache::submit_rests_of(fill_queue& queue) noexcept {
    const bool competing = queue.demands_in_flight != 0 ||
                           shard_.turn_time() - queue.last_competition < competition_memory;
    const unsigned window = competing ? queue.pieces_at_once : chunks_at_once;
    while (!queue.empty() && queue.rests_in_flight < window) {
        if (queue.demanded.empty() && competing && queue.demands_in_flight >= crowd) return;
        chunk& filling = queue.demanded.empty() ? queue.rests.front() : queue.demanded.front();
        const std::uint64_t most = competing ? fill_piece >> unit_shift : filling.units;
        std::uint64_t first = filling.next(filling.cursor, false);
        if (first >= filling.units) first = filling.next(0, false);
        const std::uint64_t end = std::min(filling.next(first, true), first + most);
        filling.cursor = end;
        if (filling.asked_units + (end - first) == filling.units) unqueue(filling);
        if (first < end) read(filling, first, end - first, false);
    }
}

}  // namespace leat
