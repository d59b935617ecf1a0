// Filling chunks: demanded bytes first and alone, the rest behind them, nothing for nobody.
#include "fills.hpp"

#include "chunk_reader.hpp"
#include "shard_parts.hpp"
#include "window_reader.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>

namespace leat::detail {

namespace {
// A demand of so many units (256 KiB), one more if it begins inside one, is read at once and alone;
// a larger one is a matter of throughput.
constexpr std::uint64_t small_demand_units = 64;
// With so many demands in flight the device has no time for bytes that nobody waits for.
constexpr unsigned crowd = 4;
// As much of the device's time as that many small demands a piece takes: who waits for more than
// they do is not to wait the longer the more of them there are.
constexpr unsigned small_demands_a_piece = 8;
// But a crowd that grows while it waits for them is not to wait for more and more.
constexpr unsigned most_pieces_beside = 8;
// Without competition, reads of chunks at once a shard.
constexpr unsigned chunks_at_once = 8;
// How long after two reads met demands are expected to meet again.
constexpr std::chrono::milliseconds competition_memory{5};
}  // namespace

bool fills::streams(const chunk& filling, const chunk_request& wanted) noexcept {
    return filling.piece.is_chunk() && wanted.window > wanted.size && !wanted.asked_ahead &&
           !wanted.retried;
}

std::uint64_t fills::last_unit_for(const chunk& filling, const chunk_request& wanted) noexcept {
    const std::uint64_t last = filling.last_unit(wanted);
    if (!streams(filling, wanted)) return last;
    // What a stream comes to next it would demand before the rest has its turn.
    const std::uint64_t end = (wanted.in - filling.start + wanted.window - 1) >> unit_shift;
    const std::uint64_t most = filling.first_unit(wanted) + largest_read - 1;
    return std::max(last, std::min<std::uint64_t>({end, filling.units() - 1, most}));
}

void fills::want(chunk& filling, chunk_request& wanted) noexcept {
    // Of a fragment all is read at once: it holds little more than what is asked for.
    const bool whole =
        !filling.piece.is_chunk() && filling.units() <= small_demand_units && !wanted.retried;
    const std::uint64_t first = whole ? 0 : filling.first_unit(wanted);
    const std::uint64_t last = whole ? filling.units() - 1 : last_unit_for(filling, wanted);
    std::uint64_t small_units = small_demand_units + (wanted.in % unit_size != 0 ? 1 : 0);
    // A stream's window is read at once, but a long one not for those who wait for less: they would
    // wait behind all of it.
    if (streams(filling, wanted) && !competing(queue_of(filling))) small_units = largest_read;
    if (wanted.asked_ahead && filling.on_demand_only()) {
        end_aheads(filling, system_error_code(EIO));
    } else if (wanted.asked_ahead) {
        // Nothing at once: its chunk's rank says when it is read.
    } else if (last - first < small_units) {
        // Who waits for what is being read competes, too; a stream waits for its own window.
        if (last - first <= small_demand_units && wanted.window <= wanted.size)
            note_competition(queue_of(filling));
        // The request may end inside, when a read cannot begin, and was perhaps the only one.
        for (std::uint64_t unit = filling.next(first, false);
             unit <= last && filling.has_waiters();) {
            const std::uint64_t end = std::min(filling.next(unit, true), last + 1);
            // A window that a stream waits for is no competitor of what others have asked ahead.
            const bool small = end - unit <= small_demand_units + 1;
            const auto why =
                small ? fill_read::purpose::small_demand : fill_read::purpose::window_demand;
            if (!small) ++counts_.demand_reads;
            const aged_reads::begun turn =
                take_turn(filling, turn_of(wanted), buffer_of(filling, end - unit), 1, small);
            const bool begun = read(filling, {unit, end - unit, why, false, false, turn});
            assert(begun);  // who waits holds the file
            static_cast<void>(begun);
            unit = filling.next(end, false);
        }
        if (filling.fill != nullptr) filling.fill->cursor = static_cast<std::uint32_t>(last + 1);
    } else if (filling.next(first, false) <= filling.last_unit(wanted)) {
        wanted.unread = true;
        ++filling.fill->unread;
    }
    rank(filling);
}

fill_queue& fills::queue_of(const chunk& filling) const noexcept {
    return filling.file->manager->fills[cache_.home().index()];
}

// Counted once, for the first of its reads.
std::uint64_t fills::buffer_of(const chunk& filling, std::uint64_t units) noexcept {
    return filling.reads() == 0 ? filling.bytes : units << unit_shift;
}

aged_reads::begun fills::take_turn(const chunk& filling,
                                   read_turn kind,
                                   std::uint64_t bytes,
                                   std::size_t fragments,
                                   bool small) noexcept {
    manager_line& line = queue_of(filling).line;
    line.turns.fit(chunks_.memory().bytes());
    cache_.parts().owner_requests.turns_change(line);
    return line.turns.begin(kind, bytes, fragments, small);
}

fill_rank fills::rank_of(const chunk& filling) noexcept {
    const fill_state& fill = *filling.fill;
    // A chunk whose turn is over waits for its read, and then behind the others.
    if (filling.asked_units() == filling.units() || fill.turn >= largest_read)
        return fill_rank::none;
    if (fill.unread != 0) return fill_rank::demanded;
    if (fill.on_demand_only()) return fill_rank::none;
    if (fill.aheads != 0 && filling.ever_used()) return fill_rank::entered;
    // Behind the demanded bytes, not beside them: what is submitted together completes together.
    if (fill.demands != 0) return fill_rank::none;
    if (fill.aheads != 0) return fill_rank::ahead;
    if (filling.keep == retention::gone_when_idle || !filling.piece.is_chunk())
        return fill_rank::none;
    return !fill.waiters.empty() || filling.ever_used() ? fill_rank::rest : fill_rank::none;
}

void fills::rank(chunk& filling) noexcept {
    if (filling.fill == nullptr) return;  // nobody waits, and nobody has begun
    const fill_rank now = rank_of(filling);
    if (filling.rank() == now) return;
    if (now == fill_rank::none) return unqueue(filling);
    leave_queue(filling);
    fill_queue& queue = queue_of(filling);
    if (queue.empty()) to_fill_.push_back(queue);
    filling.fill->rank = now;
    queue.of(now).push_back(*filling.fill);
}

void fills::unqueue(chunk& filling) noexcept {
    leave_queue(filling);
    chunks_.end_fill(filling);
}

void fills::leave_queue(chunk& filling) noexcept {
    if (filling.rank() == fill_rank::none) return;
    fill_queue& queue = queue_of(filling);
    fill_queue::chunks& in = queue.of(std::exchange(filling.fill->rank, fill_rank::none));
    in.erase(in.iterator_to(*filling.fill));
    // A queue that is listed has chunks, and with them a manager.
    if (queue.empty()) to_fill_.erase(to_fill_.iterator_to(queue));
}

bool fills::read(chunk& filling, fill_read wanted) noexcept {
    if (cache_.all().files().acquire(filling.file_number) == nullptr) return false;
    begin_read(filling, wanted);
    ++counts_.reads;
    try {
        const chunk_reader reader =
            chunk_reader::run(*this, filling, wanted, withdrawal_of(filling));
        begin_soon(reader.beginning());
    } catch (const std::bad_alloc&) {
        cache_.all().files().release(*filling.file);
        settle_read(filling, wanted, system_error_code(ENOMEM), false);
    }
    return true;
}

void fills::begin_read(chunk& filling, fill_read& wanted) noexcept {
    if (wanted.in_piece())
        wanted.begun =
            queue_of(filling).line.pieces.begin({.all = 1,
                                                 .background = wanted.demanded() ? 0U : 1U,
                                                 .bytes = buffer_of(filling, wanted.count)});
    filling.ask(wanted.first, wanted.count);
    ++filling.fill->reads;
    if (wanted.why == fill_read::purpose::small_demand) ++counts_.demand_reads;
    if (wanted.demanded()) ++filling.fill->demands;
}

void fills::note_competition(fill_queue& queue) const noexcept {
    if (queue.in_flight() != 0) queue.last_competition = cache_.home().turn_time();
}

std::stop_token fills::withdrawal_of(chunk& filling) {
    std::stop_source& source = filling.fill->withdrawal;
    // One that has stopped the reads of a fill that nobody wanted cannot serve another.
    if (!source.stop_possible() || source.stop_requested()) source = std::stop_source{};
    if (reads_stopped_) source.request_stop();
    return source.get_token();
}

fill_read fills::part_of_window(const fill_window& whole, const chunk& part) noexcept {
    const bool first = &part == whole.parts.front();
    const auto why =
        first && !whole.ahead ? fill_read::purpose::window_demand : fill_read::purpose::window;
    return {0, part.units(), why, true, !first, first ? whole.begun : aged_reads::begun{}};
}

void fills::join_window(fill_window& whole, chunk& part) noexcept {
    whole.parts.push_back(&part);
    whole.buffers.emplace_back(part.data(), std::size_t{part.units()} << unit_shift);
    fill_read wanted = part_of_window(whole, part);
    part.ahead = !wanted.demanded();
    if (wanted.demanded()) ++counts_.demand_reads;
    begin_read(part, wanted);
}

void fills::read_window(std::unique_ptr<fill_window> window) noexcept {
    chunk& first = *window->parts.front();
    // The request that waits for the first holds the file.
    file_record* const file = cache_.all().files().acquire(first.file_number);
    assert(file != nullptr);
    ++counts_.reads;
    std::uint64_t bytes = 0;
    for (const chunk* const part : window->parts) bytes += part->bytes;
    window->begun = take_turn(first, window->kind, bytes, window->parts.size(), false);
    try {
        const window_reader reader = window_reader::run(*this, window.get(), withdrawal_of(first));
        static_cast<void>(window.release());  // it is the reader's
        begin_soon(reader.beginning());
    } catch (const std::bad_alloc&) {
        cache_.all().files().release(*file);
        for (chunk* const part : window->parts)
            read_ended(*part, part_of_window(*window, *part), 0, system_error_code(ENOMEM), false);
    }
}

void fills::waiter_left(chunk& filling) noexcept {
    rank(filling);
    assert(filling.fault() == nullptr);
    drop_if_unwanted(filling);
}

void fills::drop_if_unwanted(chunk& filling) noexcept {
    if (!filling.has_waiters() && !filling.ever_used()) {
        if (filling.reads() != 0) {
            filling.fill->withdrawal.request_stop();
        } else if (filling.landed_units() == 0 && !filling.distrusted()) {
            assert(filling.pins == 0 && filling.holders.empty());
            unqueue(filling);
            chunks_.discard(filling);
            return;
        }
    }
    if (filling.reads() == 0) chunks_.settle(filling);
}

std::size_t fills::begin_all() noexcept {
    for (auto next = to_fill_.begin(); next != to_fill_.end();) {
        fill_queue& queue = *next++;  // it may leave the list
        if (cache_.home().stopping()) {
            give_up(queue);
        } else {
            while (chunk* const filling = next_to_read(queue)) read_more(*filling);
            if (queue.is_linked() && queue.line.restless())
                cache_.parts().owner_requests.let_reads_age();
        }
    }
    return begin_reads();
}

void fills::begin_soon(work& read) noexcept {
    cache_.home().hold();
    to_begin_.push(read);
}

std::size_t fills::begin_reads() noexcept {
    std::size_t count = 0;
    work_queue present;
    present.splice(to_begin_);
    for (; work* const one = present.pop(); ++count) one->run(*one);
    return count;
}

bool fills::can_submit() noexcept {
    return !to_begin_.empty() ||
           std::any_of(to_fill_.begin(), to_fill_.end(),
                       [this](fill_queue& queue) { return next_to_read(queue) != nullptr; });
}

bool fills::age_reads() noexcept {
    bool some = false;
    for (fill_queue& queue : to_fill_)
        if (!queue.line.is_linked()) some = queue.line.grow_older(chunks_.memory().bytes()) || some;
    return some;
}

void fills::give_up(fill_queue& queue) noexcept {
    for (fill_queue::chunks& one : queue.ranks) {
        while (!one.empty()) {
            chunk& unread = *one.front().of;
            unqueue(unread);
            while (unread.has_waiters()) {
                chunk_request& waiter = unread.fill->waiters.front();
                unread.remove(waiter);
                answers_.send(waiter, errc::stopped);
            }
            if (unread.reads() == 0) chunks_.settle(unread);
        }
    }
}

void fills::stop_reads() noexcept {
    if (std::exchange(reads_stopped_, true)) return;
    chunks_.each([](chunk& one) {
        if (one.reads() != 0) one.fill->withdrawal.request_stop();
    });
}

bool fills::competing(const fill_queue& queue) const noexcept {
    return queue.small_in_flight() != 0 ||
           cache_.home().turn_time() - queue.last_competition < competition_memory;
}

std::uint64_t fills::most_at_once(const chunk& filling) const noexcept {
    return competing(queue_of(filling)) ? fill_piece >> unit_shift : largest_read;
}

chunk* fills::next_to_read(fill_queue& queue) const noexcept {
    const auto first_of = [&](fill_rank rank) -> chunk* {
        return queue.of(rank).empty() ? nullptr : queue.of(rank).front().of;
    };
    const bool crowded = competing(queue);
    const unsigned window = crowded ? queue.pieces_at_once : chunks_at_once;
    if (chunk* const demanded = first_of(fill_rank::demanded)) {
        const unsigned before = crowded ? queue.background_in_flight() : 0;
        const unsigned part = queue.small_in_flight() / small_demands_a_piece;
        const unsigned most = std::max(window, std::min(part, most_pieces_beside));
        // Beside windows, which do not wait for it either: turns say how many there are.
        return queue.large_in_flight() + before < most ? demanded : nullptr;
    }
    const unsigned demands = queue.large_in_flight() + queue.window_demands_in_flight();
    if (demands + queue.background_in_flight() >= window) return nullptr;
    if (chunk* const entered = first_of(fill_rank::entered)) return entered;
    if (chunk* const ahead = first_of(fill_rank::ahead)) return ahead;
    return queue.small_in_flight() < crowd ? first_of(fill_rank::rest) : nullptr;
}

void fills::read_more(chunk& filling) noexcept {
    const std::uint64_t most = most_at_once(filling);
    fill_read wanted;
    std::uint64_t limit = filling.units();
    if (filling.rank() == fill_rank::demanded) {
        const chunk_request& waiter = filling.first_unread();
        wanted.why = fill_read::purpose::large_demand;
        wanted.first = filling.next(filling.first_unit(waiter), false);
        limit = last_unit_for(filling, waiter) + 1;
    } else {
        wanted.first = filling.next(filling.fill->cursor, false);
        if (wanted.first >= filling.units()) wanted.first = filling.next(0, false);
    }
    wanted.count =
        std::min({filling.next(wanted.first, true), wanted.first + most, limit}) - wanted.first;
    assert(wanted.count != 0);
    filling.fill->cursor = static_cast<std::uint32_t>(wanted.end());
    filling.fill->turn += static_cast<std::uint32_t>(wanted.count);
    if (read(filling, wanted)) {
        rank(filling);
    } else {
        filling.fill->turn -= static_cast<std::uint32_t>(wanted.count);
        unqueue(filling);  // nobody has the file open
        if (filling.reads() == 0) chunks_.settle(filling);
    }
}

std::uint64_t fills::reads_of(const fill_queue& queue) const noexcept {
    std::uint64_t sum = 0;
    chunks_.each([&](const chunk& one) { sum += &queue_of(one) == &queue ? one.reads() : 0; });
    return sum;
}

const char* fills::fault() noexcept {
    for (fill_queue& queue : to_fill_) {
        if (queue.empty()) return "a fill queue without chunks is listed";
        for (std::size_t rank = 0; rank < fill_ranks; ++rank) {
            for (const fill_state& one : queue.ranks[rank]) {
                if (static_cast<std::size_t>(one.rank) != rank)
                    return "a chunk is in a fill queue of another rank than its own";
            }
        }
    }
    const char* wrong = nullptr;
    const fill_queue* last = nullptr;
    chunks_.each([&](const chunk& one) {
        const fill_queue& queue = queue_of(one);
        if (one.rank() != fill_rank::none && queue.empty())
            wrong = "a chunk has a rank but is in no fill queue";
        const unsigned hanging =
            queue.line.turns.reads().hanging().all + queue.line.pieces.hanging().all;
        const std::uint64_t counted = std::uint64_t{queue.in_flight()} + hanging;
        if (one.reads() > counted)
            wrong = "a chunk has more reads in flight than its fill queue counts";
        // One of a window is of several chunks.
        if (std::exchange(last, &queue) != &queue && reads_of(queue) < counted)
            wrong = "a fill queue counts more reads in flight than its chunks have";
    });
    return wrong;
}

}  // namespace leat::detail
