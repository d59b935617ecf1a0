// Requests that wait for a buffer, or behind a read that is in the way of their own.
#include "owner_requests.hpp"
#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>
#include <bitset>
#include <cerrno>
#include <chrono>
#include <limits>
#include <utility>

namespace leat::detail {

namespace {
// In one turn of the shard, so that it does not take long.
constexpr std::size_t most_turns_at_once = 256;
// Longer than a read takes that only waits for others.
constexpr std::chrono::seconds age_of_reads{1};

// Of one that has had its turn already.
read_turn again(read_turn kind) noexcept {
    if (kind == read_turn::ahead) return kind;
    return kind == read_turn::alone ? read_turn::alone_again : read_turn::walk_again;
}
}  // namespace

bool owner_requests::may_wait(const chunk_request& wanted) const noexcept {
    return !room_.out_of_memory() && (wanted.patience == patience::deadline ||
                                      (wanted.patience == patience::brief && room_.coming()));
}

// Those that a read holds up, or that never had a turn, wait as long as it takes, as others who
// wait for a read.
void owner_requests::start_deadline(chunk_request& wanted) noexcept {
    const auto was = std::exchange(wanted.limit, chunk_request::time_limit::runs);
    if (was == chunk_request::time_limit::runs) return;
    if (was == chunk_request::time_limit::none) {
        ++counts_.buffer_waits;
    } else {
        --overdue_;
    }
    wanted.deadline.run = &waited_too_long;
    shard& here = cache_.home();
    here.add_timer(wanted.deadline, here.after(wanted.file->manager->pin_deadline));
}

void owner_requests::stop_deadline(chunk_request& wanted) noexcept {
    const auto was = std::exchange(wanted.limit, chunk_request::time_limit::none);
    if (was == chunk_request::time_limit::runs) cache_.home().remove_timer(wanted.deadline);
    if (was == chunk_request::time_limit::over) --overdue_;
}

void owner_requests::stand_in_line(chunk_request& wanted, std::size_t queue) noexcept {
    line_.push(wanted, line_of(wanted), queue);
    if (wanted.via != nullptr) ++wanted.via->at_owner.in_line;
    start_deadline(wanted);
}

void owner_requests::stand_behind(chunk_request& wanted, fill_state& by) noexcept {
    line_.push_behind(wanted, line_of(wanted), by);
    if (wanted.via != nullptr) ++wanted.via->at_owner.in_line;
}

void owner_requests::move_in_line(chunk_request& waiting, std::size_t to) noexcept {
    if (waiting.line == to) return;
    line_.move(waiting, to);
    start_deadline(waiting);
}

void owner_requests::move_behind(chunk_request& waiting, fill_state& by) noexcept {
    stop_deadline(waiting);
    line_.move_behind(waiting, by);
}

void owner_requests::stand_for_turn(chunk_request& wanted) noexcept {
    ++counts_.turn_waits;
    line_.push_turn(wanted, line_of(wanted), turn_of(wanted));
    if (wanted.via != nullptr) ++wanted.via->at_owner.in_line;
    let_reads_age();
}

void owner_requests::move_to_turns(chunk_request& waiting) noexcept {
    line_.move_turn(waiting, again(turn_of(waiting)));
    let_reads_age();
}

void owner_requests::let_reads_age() noexcept {
    shard& here = cache_.home();
    if (!ageing_.pending()) here.add_timer(ageing_, here.after(age_of_reads));
}

void owner_requests::reads_age(work& item) noexcept {
    owner_requests& here = *static_cast<age_timer&>(static_cast<timer&>(item)).of;
    const bool in_line = here.line_.age_reads(here.chunks_.memory().bytes());
    if (!here.fills_.age_reads() && !in_line) return;
    here.chunks_.note_room();
    here.let_reads_age();
}

manager_line& owner_requests::line_of(const chunk_request& wanted) const noexcept {
    return wanted.file->manager->fills[cache_.home().index()].line;
}

void owner_requests::leave_line(chunk_request& wanted) noexcept {
    stop_deadline(wanted);
    line_.remove(wanted);
    if (wanted.via != nullptr) --wanted.via->at_owner.in_line;
}

void owner_requests::waited_too_long(work& item) noexcept {
    chunk_request& wanted = chunk_request::of_message(item);
    owner_requests& here = wanted.owner->parts().owner_requests;
    // Its timer is no longer set.
    wanted.limit = chunk_request::time_limit::over;
    ++here.overdue_;
    // It ends his wait only if memory is what is short.
    if (!here.short_of(wanted.line)) {
        if (wanted.stands_in->turns.full(turn_of(wanted))) return here.let_reads_age();
        if (here.serve_waiter(wanted)) return;
    }
    here.leave_line(wanted);
    here.chunks_.note_room();
    here.room_.reserve_fill();
    chunk* const found = here.find(wanted);
    if (found == nullptr || !here.can_serve_from(*found, wanted))
        return here.answers_.send(wanted, here.room_.shortage());
    if (here.arrives(wanted, found->piece, found)) here.serve_from(*found, wanted);
}

void owner_requests::note_look(std::size_t queue, bool in_vain) noexcept {
    vain_looks_[queue] = in_vain ? chunks_.rooms() + 1 : 0;
    if (!in_vain || overdue_ == 0) return;
    line_.each_in(queue, [&](chunk_request& waiter) {
        if (waiter.limit == chunk_request::time_limit::over) start_deadline(waiter);
    });
}

void owner_requests::end_line() noexcept {
    cache_.home().remove_timer(ageing_);
    line_.each([this](chunk_request& waiter) {
        leave_line(waiter);
        answers_.send(waiter, errc::stopped);
    });
}

void owner_requests::end_brief_waits() noexcept {
    if (!line_.has_brief()) return;
    const boost::system::error_code code = room_.shortage();
    line_.each([&](chunk_request& waiter) {
        if (waiter.patience != patience::brief || waiter.line == buffer_line::held_up) return;
        leave_line(waiter);
        answers_.send(waiter, code);
        chunks_.note_room();  // for those behind it, for whom more may be evicted
    });
}

bool owner_requests::serve_waiter(chunk_request& first) noexcept {
    room_.reserve_fill();
    in_the_way_ = nullptr;
    chunk* found = find(first);
    const bool made = found == nullptr;
    if (needs_read(found, first) && first.stands_in->turns.full(turn_of(first))) {
        move_to_turns(first);
        return true;
    }
    extent what;
    if (made) {
        what = plan(first);
        // What is made has a waiter.
        if (!fits_lease(first, what.piece, nullptr)) {
            leave_line(first);
            static_cast<void>(arrives(first, what.piece, nullptr));
            return true;
        }
        do {
            found = make(first, what);
        } while (found == nullptr && settles_for_less(first, what));
    }
    if (found != nullptr) in_the_way_ = reader_before(*found, first);
    if (in_the_way_ != nullptr) {
        move_behind(first, *in_the_way_);
        return true;
    }
    if (found == nullptr && room_.out_of_memory()) {
        leave_line(first);
        answers_.send(first, system_error_code(ENOMEM));
        return true;
    }
    if (found == nullptr && what.piece.is_chunk() && !needs_whole_chunk(first)) {
        // From fragments, of which each needs less.
        first.window = static_cast<std::uint32_t>(first.file->manager->chunk_size - 1);
        return serve_waiter(first);
    }
    if (found == nullptr || !can_serve_from(*found, first)) {
        if (first.patience == patience::none) {
            const boost::system::error_code code = room_.shortage();
            leave_line(first);
            answers_.send(first, code);
            return true;
        }
        const std::uint64_t bytes =
            found != nullptr ? found->bytes : room_.buffer_bytes(what.length);
        move_in_line(first, buffer_line::queue_for(bytes));
        return false;
    }
    leave_line(first);
    if (made) {
        serve_from_new(*found, first);
        return true;
    }
    // Who waits holds it, but is gone with an answer.
    file_record& file = *cache_.all().files().acquire(first.file->number);
    const std::uint64_t index = first.index;
    const std::uint64_t begin = first.in;
    const std::uint64_t end = begin + first.size;
    if (arrives(first, found->piece, found)) serve_from(*found, first);
    serve_others(file, index, begin, end);
    cache_.all().files().release(file);
    return true;
}

// In the order of their places. Where no read can begin what was there is gone.
void owner_requests::serve_others(const file_record& file,
                                  std::uint64_t index,
                                  std::uint64_t begin,
                                  std::uint64_t end) noexcept {
    line_.each_at(file, index, begin, end, [&](chunk_request& waiter) {
        chunk* const there = find(waiter);
        if (there == nullptr || reader_before(*there, waiter) != nullptr) return;
        if (needs_read(there, waiter) && waiter.stands_in->turns.full(turn_of(waiter))) {
            if (!waiter.waits_for_turn) move_to_turns(waiter);
            return;
        }
        if (!can_serve_from(*there, waiter)) return;
        leave_line(waiter);
        if (arrives(waiter, there->piece, there)) serve_from(*there, waiter);
    });
}

void owner_requests::serve_landed(const chunk& landed,
                                  std::uint64_t begin,
                                  std::uint64_t end) noexcept {
    line_.each_at(*landed.file, landed.piece.index(), begin, end, [&](chunk_request& waiter) {
        chunk* const there = find(waiter);
        if (there == nullptr || !there->has_landed(waiter)) return;
        leave_line(waiter);
        if (arrives(waiter, there->piece, there)) serve_from(*there, waiter);
    });
}

void owner_requests::look_at(const file_record& file, piece_number piece) noexcept {
    if (granted_count_ < granted_.size()) granted_[granted_count_] = {&file, piece};
    ++granted_count_;
    chunks_.note_room();
}

void owner_requests::leave_leases() noexcept {
    const std::size_t count = std::exchange(granted_count_, 0);
    const auto leave = [this](chunk_request& waiter) { leave_lease(waiter); };
    if (count > granted_.size()) return line_.each(leave);
    for (std::size_t i = 0; i < count; ++i) {
        const auto [file, piece] = granted_[i];
        // A fragment may be longer than others.
        const std::uint64_t from = piece.is_chunk() ? 0 : piece.in();
        constexpr std::uint64_t to = std::numeric_limits<std::uint64_t>::max();
        line_.each_at(*file, piece.index(), from, to, leave);
    }
}

void owner_requests::leave_lease(chunk_request& waiter) noexcept {
    if (waiter.via == nullptr || waiter.via->at_owner.chunk == nullptr) return;
    const chunk* const found = find(waiter);
    const piece_number piece = found != nullptr ? found->piece : plan(waiter).piece;
    if (fits_lease(waiter, piece, found)) return;
    leave_line(waiter);
    static_cast<void>(arrives(waiter, piece, found));
}

void owner_requests::serve_line() noexcept {
    chunks_.forget_room();
    leave_leases();
    bool coming = false;
    bool short_of_room = false;
    const auto served = [&](chunk_request& first) {
        if (serve_waiter(first)) return true;
        short_of_room = true;
        coming = coming || room_.coming();
        return false;
    };
    const auto serve_those_over = [&] {
        std::size_t count = 0;
        for (; chunk_request* const first = line_.next_over(); ++count) served(*first);
        return count;
    };
    serve_those_over();
    std::bitset<manager_line::queues> without;  // who stand there would find none either
    while (chunk_request* const first = line_.next(without)) {
        const std::size_t which = first->line;
        if (!served(*first)) without.set(which);
        note_look(which, without.test(which));
    }
    // Behind those that had their turns before. Whose turn has come may find no buffer, and so all
    // of them, of whom there may be many.
    std::size_t looks = 0;
    while (looks < most_turns_at_once && line_.take_turns()) looks += serve_those_over();
    if (looks >= most_turns_at_once && line_.may_take_turns()) chunks_.search_again();
    if (short_of_room && !coming) end_brief_waits();
}

const char* owner_requests::fault() noexcept {
    std::uint64_t brief = 0;
    std::size_t overdue = 0;
    const char* wrong = nullptr;
    line_.each([&](chunk_request& one) {
        if (one.waits != chunk_request::place::buffer)
            wrong = "a request waits for a buffer and does not know it";
        if (one.owner != &cache_) wrong = "a request waits for a buffer of another shard";
        if (one.behind != nullptr && (!one.behind->under_way() || one.behind->of->doomed))
            wrong = "a request waits for a read that is over";
        if (one.waits_for_turn && one.size <= fragment_size) {
            const chunk* const there = find(one);
            if (there != nullptr && there->has_landed(one))
                wrong = "a request waits for a turn though its bytes are there";
        }
        overdue += one.limit == chunk_request::time_limit::over ? 1 : 0;
        const bool for_buffer = one.line != buffer_line::held_up;
        brief += for_buffer && one.patience == patience::brief ? 1 : 0;
    });
    if (wrong != nullptr) return wrong;
    if (line_.may_take_turns() && !chunks_.room_may_have_come())
        return "a request waits for a turn that it could have";
    if (line_.has_brief() != (brief != 0)) return "requests that wait briefly are counted wrongly";
    if (overdue != overdue_) return "requests past their deadlines are counted wrongly";
    return nullptr;
}

}  // namespace leat::detail
