// Serves requests from chunks, or lets them wait for a buffer.
#include "owner_requests.hpp"

#include "home_requests.hpp"
#include "runs.hpp"
#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <memory>
#include <new>
#include <utility>

namespace leat::detail {

void owner_requests::request_arrived(work& message) noexcept {
    auto& wanted = static_cast<chunk_request&>(message);
    wanted.owner->parts().owner_requests.serve(wanted);
}

void owner_requests::cancellation_arrived(work& message) noexcept {
    chunk_request& wanted = chunk_request::of_message(message);
    shard_cache& here = *wanted.owner;
    if (wanted.waits != chunk_request::place::nowhere) here.parts().owner_requests.withdraw(wanted);
    wanted.cancellation.run = &home_requests::cancellation_returned;
    here.home().send(wanted.home->home().index(), wanted.cancellation);
}

// A fragment that is longer than others is found by its first one: one back for each that a request
// may cross which is not so large that its whole chunk is read.
chunk* owner_requests::fragment_with(const chunk_request& wanted) const noexcept {
    std::uint64_t in = wanted.in;
    for (std::uint64_t back = 0; back < most_fragments_crossed(wanted); ++back) {
        chunk* const found = chunks_.find(*wanted.file, piece_number::fragment({wanted.index, in}));
        if (found != nullptr && found->covers(wanted)) return found;
        if (in < fragment_size) break;
        in -= fragment_size;
    }
    return nullptr;
}

chunk* owner_requests::find(const chunk_request& wanted) const noexcept {
    chunk* const whole = chunks_.find(*wanted.file, piece_number::chunk(wanted.index));
    if (whole != nullptr && whole->has_landed(wanted)) return whole;
    chunk* const part = fragment_with(wanted);
    if (part != nullptr && (whole == nullptr || part->has_asked(wanted))) return part;
    return whole;
}

extent owner_requests::plan(const chunk_request& wanted) const noexcept {
    if (wants_whole_chunk(wanted)) {
        const extent whole = whole_chunk(wanted);
        if (needs_whole_chunk(wanted) ||
            (room_.has_room_for_chunks(whole) && !busy(wanted, whole, nullptr)))
            return whole;
    }
    const piece_number piece = piece_number::fragment({wanted.index, wanted.in});
    const chunk* const known = chunks_.find(*wanted.file, piece);
    return fragment_for(wanted, known, known == nullptr && reads_whole(wanted, piece));
}

bool owner_requests::stands_alone(const chunk_request& wanted) noexcept {
    return wanted.window <= wanted.size && wanted.given != hint::once &&
           wanted.in % fragment_size + wanted.size <= fragment_size;
}

bool owner_requests::reads_whole(const chunk_request& wanted, piece_number piece) const noexcept {
    return stands_alone(wanted) && wanted.given != hint::no_retain &&
           locality_.whole(wanted.file->number, chunk_store::key_of(*wanted.file, piece));
}

// What is being read is not read once more, nor taken over before it has landed.
bool owner_requests::busy(const chunk_request& wanted,
                          const extent& what,
                          const chunk* but) const noexcept {
    const std::uint64_t back = (most_fragments_crossed(wanted) - 1) * fragment_size;
    const std::uint64_t begin = what.start & ~(fragment_size - 1);
    for (std::uint64_t in = begin - std::min(begin, back); in < what.end(); in += fragment_size) {
        const chunk* const one =
            chunks_.find(*wanted.file, piece_number::fragment({what.piece.index(), in}));
        if (one == nullptr || one == but || !one->under_way()) continue;
        if (one->piece == what.piece || one->start + one->length > what.start) return true;
    }
    return false;
}

bool owner_requests::fits_lease(const chunk_request& wanted,
                                piece_number piece,
                                const chunk* found) noexcept {
    if (wanted.via == nullptr) return true;
    const chunk* const held = wanted.via->at_owner.chunk;
    return wanted.via->piece == piece && (held == nullptr || held == found);
}

bool owner_requests::arrives(chunk_request& wanted,
                             piece_number piece,
                             const chunk* found) noexcept {
    if (fits_lease(wanted, piece, found)) return true;
    const chunk* const held = wanted.via->at_owner.chunk;
    // It keeps a doomed chunk of the same place, and with it the buffer that it would wait for.
    if (held != nullptr && held->doomed && !held->replaced && found == nullptr) {
        answers_.send(wanted, errc::file_changed);
        return false;
    }
    answers_.redirect(wanted, piece);
    return false;
}

chunk* owner_requests::make(chunk_request& wanted, const extent& what) noexcept {
    wanted.held_up = busy(wanted, what, nullptr);
    if (wanted.held_up) return nullptr;
    const bool second = chunks_.find(*wanted.file, what.piece) != nullptr;
    chunk* const made = room_.make(wanted, what);
    if (made != nullptr && !what.piece.is_chunk() &&
        (second || (stands_alone(wanted) && what.length < fragment_size)))
        locality_.note(wanted.file->number, second);
    return made;
}

bool owner_requests::settles_for_less(const chunk_request& wanted, extent& what) const noexcept {
    if (what.piece.is_chunk() || wanted.held_up) return false;
    const extent least = least_for(wanted);
    if (room_.buffer_bytes(least.length) >= room_.buffer_bytes(what.length)) return false;
    what = least;
    return true;
}

void owner_requests::serve(chunk_request& wanted) noexcept {
    if (cache_.home().stopping()) return answers_.send(wanted, errc::stopped);
    room_.reserve_fill();
    chunk* found = find(wanted);
    extent what;
    if (found == nullptr) what = plan(wanted);
    if (!arrives(wanted, found != nullptr ? found->piece : what.piece, found)) return;
    // Those that came earlier and need as much go first.
    std::size_t queue = 0;
    do {
        queue = buffer_line::queue_for(found != nullptr ? found->bytes
                                                        : room_.buffer_bytes(what.length));
        if (found != nullptr || !line_.of(queue).empty()) continue;
        chunk* const made = make(wanted, what);
        if (made != nullptr) return serve_from_new(*made, wanted);
    } while (found == nullptr && settles_for_less(wanted, what));
    if (found == nullptr && what.piece.is_chunk() && !needs_whole_chunk(wanted)) {
        // From fragments, of which each needs less.
        wanted.window = static_cast<std::uint32_t>(wanted.file->manager->chunk_size - 1);
        return serve(wanted);
    }
    if (found != nullptr) wanted.held_up = false;
    if (found != nullptr && can_serve_from(*found, wanted)) {
        serve_from(*found, wanted);
    } else if (may_wait(wanted)) {
        stand_in_line(wanted, wanted.held_up ? buffer_line::held_up : queue);
    } else {
        answers_.send(wanted, room_.shortage());
    }
}

void owner_requests::serve_from_new(chunk& made, chunk_request& wanted) noexcept {
    // What was in memory does not say that what was read ahead has gone.
    if (made.asked_units() == 0)
        wanted.brought = static_cast<std::uint32_t>(made.start + made.length - wanted.in);
    std::unique_ptr<fill_window> window = window_from(made, wanted);
    if (wanted.asked_ahead || (made.piece.is_chunk() && wanted.window > wanted.size))
        chunks_.wait_for_reader(made);
    if (!window) return serve_from(made, wanted);
    ++counts_.fill_waits;
    wanted.at = &made;
    wanted.waits = chunk_request::place::units;
    made.add(wanted);
    fills_.read_window(std::move(window));
}

extent owner_requests::part_of_window(const chunk_request& wanted,
                                      std::uint64_t index,
                                      std::uint64_t from,
                                      std::uint64_t end) const noexcept {
    const manager_core& manager = *wanted.file->manager;
    const std::uint64_t begin = index * manager.chunk_size;
    extent part{piece_number::fragment({index, from}), from, 0};
    if (begin + from >= wanted.file->size) return part;
    if (index != wanted.index &&
        &cache_.all().at(manager.owner(wanted.file->number, index)) != &cache_)
        return part;
    const std::uint64_t all = std::min(manager.chunk_size, wanted.file->size - begin);
    const extent whole{piece_number::chunk(index), 0, all};
    if (chunks_.find(*wanted.file, whole.piece) != nullptr) return part;
    if (from == 0 && end >= all && room_.has_room_for_chunks(whole)) {
        // Of its fragments none is there either.
        bool none = true;
        for (std::uint64_t in = 0; in < all && none; in += fragment_size)
            none = chunks_.find(*wanted.file, piece_number::fragment({index, in})) == nullptr;
        if (none) return whole;
    }
    if (chunks_.find(*wanted.file, part.piece) != nullptr) return part;
    part.length = std::min(fragment_size - from % fragment_size, all - from);
    if (busy(wanted, part, nullptr)) part.length = 0;
    return part;
}

// A window ends where something is there already, or on its way, or where another's chunks begin.
std::unique_ptr<fill_window> owner_requests::window_from(chunk& made,
                                                         chunk_request& wanted) noexcept {
    const std::uint64_t chunk_size = wanted.file->manager->chunk_size;
    const bool crosses = stretch_of(chunk_size) != chunk_size;
    std::uint64_t index = wanted.index;
    std::uint64_t end = wanted.in + wanted.window;
    std::uint64_t at = std::uint64_t{made.start} + made.length;
    if ((made.piece.is_chunk() && !crosses) || made.asked_units() != 0 || at >= end) return nullptr;
    if (chunk_length(wanted) < chunk_size && at == chunk_length(wanted)) return nullptr;
    if (!chunks_.start_fill(made)) return nullptr;
    std::unique_ptr<fill_window> window;
    try {
        window = std::make_unique<fill_window>();
        const std::size_t most = std::min<std::uint64_t>(
            most_fragments_at_once, 1 + (end - at + fragment_size - 1) / fragment_size);
        window->parts.reserve(most);
        window->buffers.reserve(most);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    std::uint64_t units = 0;
    const auto add = [&](chunk& part) {
        // What is being read is not evicted to make room for the next.
        fills_.join_window(part, window->parts.empty() && !wanted.asked_ahead);
        if (!window->parts.empty()) chunks_.wait_for_reader(part);
        window->parts.push_back(&part);
        window->buffers.emplace_back(part.data(), std::size_t{part.units()} << unit_shift);
        units += part.units();
    };
    window->ahead = wanted.asked_ahead;
    add(made);
    const std::uint64_t most_units = fills_.most_at_once(made);
    while (at < end && units < most_units && window->parts.size() < window->parts.capacity()) {
        if (at == chunk_size) {
            if (!crosses) break;
            ++index;
            at = 0;
            end -= chunk_size;
        }
        const extent next = part_of_window(wanted, index, at, end);
        if (next.length == 0) break;
        if (!line_.of(buffer_line::queue_for(room_.buffer_bytes(next.length))).empty()) break;
        chunk* const part = room_.make(wanted, next);
        if (part == nullptr || !chunks_.start_fill(*part)) break;
        add(*part);
        at = next.end();
        wanted.brought += static_cast<std::uint32_t>(next.length);
    }
    return window;
}

bool owner_requests::must_wait_for_others(const chunk& found,
                                          const chunk_request& wanted) const noexcept {
    // Of a fragment all is read, whatever is asked for.
    const extent own = found.piece.is_chunk() ? extent{found.piece, wanted.in, wanted.size}
                                              : extent{found.piece, found.start, found.length};
    return !found.has_asked(wanted) && busy(wanted, own, &found);
}

bool owner_requests::can_serve_from(const chunk& found, const chunk_request& wanted) noexcept {
    return found.fill != nullptr || found.has_landed(wanted) || chunks_.reserve_fill();
}

void owner_requests::serve_from(chunk& found, chunk_request& wanted) noexcept {
    wanted.at = &found;
    if (found.has_landed(wanted)) return answers_.grant(found, wanted);
    if (must_wait_for_others(found, wanted)) {
        wanted.held_up = true;
        chunks_.end_fill(found);
        return stand_in_line(wanted, buffer_line::held_up);
    }
    if (!chunks_.start_fill(found)) return answers_.send(wanted, system_error_code(ENOMEM));
    ++counts_.fill_waits;
    wanted.waits = chunk_request::place::units;
    found.add(wanted);
    fills_.want(found, wanted);
    assert(found.fault() == nullptr);
}

void owner_requests::withdraw(chunk_request& wanted) noexcept {
    chunk* left = nullptr;
    if (wanted.waits == chunk_request::place::units) {
        left = wanted.at;
        left->remove(wanted);
    } else {
        leave_line(wanted);
        chunks_.note_room();  // perhaps for those behind it
    }
    answers_.send(wanted, wanted.home->home().stopping() ? errc::stopped : errc::cancelled);
    if (left != nullptr) fills_.waiter_left(*left);
}

// In line for a buffer.

bool owner_requests::may_wait(const chunk_request& wanted) const noexcept {
    return wanted.held_up ||
           (!room_.out_of_memory() && (wanted.patience == patience::deadline ||
                                       (wanted.patience == patience::brief && room_.coming())));
}

// Those that a read holds up wait as long as it takes, as others who wait for a read.
void owner_requests::start_deadline(chunk_request& wanted) noexcept {
    if (wanted.line == buffer_line::held_up) return;
    wanted.deadline.run = &waited_too_long;
    shard& here = cache_.home();
    here.add_timer(wanted.deadline, here.after(wanted.file->manager->pin_deadline));
}

void owner_requests::stop_deadline(chunk_request& wanted) noexcept {
    if (wanted.line != buffer_line::held_up) cache_.home().remove_timer(wanted.deadline);
}

void owner_requests::stand_in_line(chunk_request& wanted, std::size_t queue) noexcept {
    if (queue != buffer_line::held_up) ++counts_.buffer_waits;
    line_.push(wanted, queue);
    if (wanted.via != nullptr) ++wanted.via->at_owner.in_line;
    start_deadline(wanted);
}

void owner_requests::move_in_line(chunk_request& waiting, std::size_t to) noexcept {
    if (waiting.line == to) return;
    const bool kind = (waiting.line == buffer_line::held_up) != (to == buffer_line::held_up);
    if (kind) stop_deadline(waiting);
    line_.move(waiting, to);
    if (kind) start_deadline(waiting);
}

void owner_requests::leave_line(chunk_request& wanted) noexcept {
    stop_deadline(wanted);
    line_.remove(wanted);
    if (wanted.via != nullptr) --wanted.via->at_owner.in_line;
}

void owner_requests::waited_too_long(work& item) noexcept {
    chunk_request& wanted = chunk_request::of_message(item);
    owner_requests& here = wanted.owner->parts().owner_requests;
    here.line_.remove(wanted);
    if (wanted.via != nullptr) --wanted.via->at_owner.in_line;
    here.chunks_.note_room();
    here.room_.reserve_fill();
    chunk* const found = here.find(wanted);
    if (found == nullptr || !here.can_serve_from(*found, wanted))
        return here.answers_.send(wanted, here.room_.shortage());
    if (here.arrives(wanted, found->piece, found)) here.serve_from(*found, wanted);
}

void owner_requests::end_line() noexcept {
    line_.each([this](chunk_request& waiter) {
        leave_line(waiter);
        answers_.send(waiter, errc::stopped);
    });
}

void owner_requests::end_brief_waits() noexcept {
    if (!line_.has_brief()) return;
    const boost::system::error_code code = room_.shortage();
    line_.each([&](chunk_request& waiter) {
        if (waiter.patience != patience::brief || waiter.held_up) return;
        leave_line(waiter);
        answers_.send(waiter, code);
    });
}

bool owner_requests::serve_waiter(chunk_request& first) noexcept {
    room_.reserve_fill();
    chunk* found = find(first);
    const bool made = found == nullptr;
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
    if (found != nullptr) first.held_up = must_wait_for_others(*found, first);
    if (first.held_up) {
        move_in_line(first, buffer_line::held_up);
        return true;
    }
    if (found == nullptr && room_.out_of_memory()) {
        leave_line(first);
        answers_.send(first, system_error_code(ENOMEM));
        return true;
    }
    if (found == nullptr || !can_serve_from(*found, first)) {
        const std::uint64_t bytes =
            found != nullptr ? found->bytes : room_.buffer_bytes(what.length);
        move_in_line(first, buffer_line::queue_for(bytes));
        return false;
    }
    // Who waits holds it, but is gone with an answer.
    file_record& file = *cache_.all().files().acquire(first.file->number);
    const extent place{found->piece, found->start, found->length};
    if (made) {
        leave_line(first);
        serve_from_new(*found, first);
    }
    // Its own place, and all that have come for what it brings. Where no read can begin it is gone.
    line_.each_at(file, place.piece.index(), place.start, place.end(), [&](chunk_request& waiter) {
        chunk* const there = chunks_.find(file, place.piece);
        if (there == nullptr || !there->covers(waiter) || must_wait_for_others(*there, waiter))
            return;
        leave_line(waiter);
        if (arrives(waiter, there->piece, there)) serve_from(*there, waiter);
    });
    cache_.all().files().release(file);
    return true;
}

void owner_requests::look_at_leases() noexcept {
    leases_granted_ = true;
    chunks_.note_room();
}

void owner_requests::leave_leases() noexcept {
    if (!std::exchange(leases_granted_, false)) return;
    line_.each([this](chunk_request& waiter) {
        if (waiter.via == nullptr || waiter.via->at_owner.chunk == nullptr) return;
        const chunk* const found = find(waiter);
        const piece_number piece = found != nullptr ? found->piece : plan(waiter).piece;
        if (fits_lease(waiter, piece, found)) return;
        leave_line(waiter);
        static_cast<void>(arrives(waiter, piece, found));
    });
}

void owner_requests::serve_line() noexcept {
    chunks_.forget_room();
    leave_leases();
    bool coming = false;
    bool short_of_room = false;
    for (std::size_t which = 0; which < buffer_line::queues; ++which) {
        buffer_line::queue& in = line_.of(which);
        // Those that stay held up are looked at once.
        for (std::size_t left = in.size(); left > 0 && !in.empty(); --left) {
            chunk_request& first = in.front();
            if (which == buffer_line::held_up) in.splice(in.end(), in, in.begin());
            if (serve_waiter(first)) continue;
            short_of_room = true;
            coming = coming || room_.coming();
            if (which != buffer_line::held_up) break;
        }
    }
    if (short_of_room && !coming) end_brief_waits();
}

const char* owner_requests::fault() noexcept {
    std::uint64_t brief = 0;
    const char* wrong = nullptr;
    line_.each([&](chunk_request& one) {
        if (one.waits != chunk_request::place::buffer)
            wrong = "a request waits for a buffer and does not know it";
        if (one.owner != &cache_) wrong = "a request waits for a buffer of another shard";
        brief += one.patience == patience::brief ? 1 : 0;
    });
    if (wrong != nullptr) return wrong;
    if (line_.has_brief() != (brief != 0)) return "requests that wait briefly are counted wrongly";
    return nullptr;
}

}  // namespace leat::detail
