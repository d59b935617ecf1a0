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

namespace {
// What is read on for who is missed alone, and the memory from which on that is little.
constexpr std::uint64_t read_at_once = density::at_once * fragment_size;
constexpr std::uint64_t least_to_read_on = 64 * read_at_once;
}  // namespace

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

// As many as a request may cross which is not so large that its whole chunk is read.
std::uint64_t owner_requests::most_crossed(const chunk_request& wanted) const noexcept {
    return std::min(most_fragments_crossed(wanted), chunks_.longest_fragment());
}

chunk* owner_requests::fragment_with(const chunk_request& wanted) const noexcept {
    std::uint64_t in = wanted.in;
    const std::uint64_t most = most_crossed(wanted);
    for (std::uint64_t back = 0; back < most; ++back) {
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
            (room_.has_room_for_chunks(whole) && reader_of(wanted, whole, nullptr) == nullptr))
            return whole;
    }
    const piece_number piece = piece_number::fragment({wanted.index, wanted.in});
    const chunk* const known = chunks_.find(*wanted.file, piece);
    return fragment_for(wanted, known, known == nullptr && reads_whole(wanted, piece));
}

bool owner_requests::needs_read(const chunk* found, const chunk_request& wanted) noexcept {
    return found == nullptr || !found->has_asked(wanted);
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
fill_state* owner_requests::reader_of(const chunk_request& wanted,
                                      const extent& what,
                                      const chunk* but) const noexcept {
    if (chunks_.filling_fragments() == 0) return nullptr;
    const std::uint64_t back = (most_crossed(wanted) - 1) * fragment_size;
    const std::uint64_t begin = what.start & ~(fragment_size - 1);
    fill_state* found = nullptr;
    chunks_.any_fragment(*wanted.file, what.piece.index(), begin - std::min(begin, back),
                         what.end(), [&](const chunk& one) {
                             const bool reads =
                                 &one != but && one.under_way() &&
                                 (one.piece == what.piece || one.start + one.length > what.start);
                             if (reads) found = one.fill;
                             return reads;
                         });
    return found;
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
    in_the_way_ = reader_of(wanted, what, nullptr);
    if (in_the_way_ != nullptr) return nullptr;
    const bool second = chunks_.find(*wanted.file, what.piece) != nullptr;
    chunk* const made = room_.make(wanted, what);
    if (made == nullptr || what.piece.is_chunk()) return made;
    const bool alone = stands_alone(wanted);
    if (second || (alone && what.length < fragment_size))
        locality_.note(wanted.file->number, second);
    if (alone && !second && what.length == fragment_size) read_on(wanted, what);
    return made;
}

void owner_requests::read_on(chunk_request& wanted, const extent& what) noexcept {
    constexpr std::uint64_t looks_back = read_at_once - fragment_size;
    const file_record& file = *wanted.file;
    if (what.start < looks_back || wanted.asked_ahead || !is_plain(wanted.given)) return;
    if (chunks_.memory().bytes() < least_to_read_on || !file.manager->source->reads_lists()) return;
    unsigned used = 0;
    chunks_.any_fragment(file, wanted.index, what.start - looks_back, what.start,
                         [&](const chunk& before) {
                             used += before.ever_used() ? 1 : 0;
                             return false;
                         });
    if (!density_.missed(file.number, used, chunks_.ahead().wanted_again())) return;
    wanted.window = static_cast<std::uint32_t>(what.start + read_at_once - wanted.in);
    wanted.reads_on = true;
}

bool owner_requests::settles_for_less(const chunk_request& wanted, extent& what) const noexcept {
    if (what.piece.is_chunk() || in_the_way_ != nullptr) return false;
    const extent least = least_for(wanted);
    if (room_.buffer_bytes(least.length) >= room_.buffer_bytes(what.length)) return false;
    what = least;
    return true;
}

void owner_requests::serve(chunk_request& wanted) noexcept {
    if (cache_.home().stopping()) return answers_.send(wanted, errc::stopped);
    room_.reserve_fill();
    in_the_way_ = nullptr;
    chunk* found = find(wanted);
    extent what;
    if (found == nullptr) what = plan(wanted);
    if (!arrives(wanted, found != nullptr ? found->piece : what.piece, found)) return;
    // Those that came earlier go first.
    read_turns& turns = line_of(wanted).turns;
    turns.fit(chunks_.memory().bytes());
    if (needs_read(found, wanted) && turns.must_wait(turn_of(wanted)))
        return stand_for_turn(wanted);
    // Of those that wait for a buffer, those that need as much.
    std::size_t queue = buffer_line::held_up;
    do {
        queue = buffer_line::queue_for(found != nullptr ? found->bytes
                                                        : room_.buffer_bytes(what.length));
        if (found != nullptr || line_.next_of(queue) != nullptr) continue;
        chunk* const made = make(wanted, what);
        note_look(queue, made == nullptr && in_the_way_ == nullptr);
        if (made != nullptr) return serve_from_new(*made, wanted);
    } while (found == nullptr && settles_for_less(wanted, what));
    if (found == nullptr && what.piece.is_chunk() && !needs_whole_chunk(wanted)) {
        // From fragments, of which each needs less.
        wanted.window = static_cast<std::uint32_t>(wanted.file->manager->chunk_size - 1);
        return serve(wanted);
    }
    if (found != nullptr && can_serve_from(*found, wanted)) {
        serve_from(*found, wanted);
    } else if (in_the_way_ != nullptr) {
        stand_behind(wanted, *in_the_way_);
    } else if (may_wait(wanted)) {
        stand_in_line(wanted, queue);
    } else {
        answers_.send(wanted, room_.shortage());
    }
}

void owner_requests::serve_from_new(chunk& made, chunk_request& wanted) noexcept {
    // Who waits holds the file, but may be gone with an answer.
    file_record* const file =
        line_.empty() ? nullptr : cache_.all().files().acquire(wanted.file->number);
    const std::uint64_t index = wanted.index;
    const std::uint64_t begin = made.start;
    std::uint64_t end = begin + made.length;
    // What was in memory does not say that what was read ahead has gone.
    if (made.asked_units() == 0)
        wanted.brought = static_cast<std::uint32_t>(made.start + made.length - wanted.in);
    std::unique_ptr<fill_window> window = window_from(made, wanted);
    if (wanted.asked_ahead || (made.piece.is_chunk() && wanted.window > wanted.size))
        chunks_.ahead().add(made);
    if (window) {
        end = std::max(end, wanted.in + wanted.brought);
        ++counts_.fill_waits;
        wanted.at = &made;
        wanted.waits = chunk_request::place::units;
        made.add(wanted);
        fills_.read_window(std::move(window));
    } else {
        serve_from(made, wanted);
    }
    if (file == nullptr) return;
    serve_others(*file, index, begin, end);
    cache_.all().files().release(*file);
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
        const bool some =
            chunks_.any_fragment(*wanted.file, index, 0, all, [](const chunk&) { return true; });
        if (!some) return whole;
    }
    if (chunks_.find(*wanted.file, part.piece) != nullptr) return part;
    part.length = std::min(fragment_size - from % fragment_size, all - from);
    if (reader_of(wanted, part, nullptr) != nullptr) part.length = 0;
    set_reader(part, wanted);
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
        fills_.join_window(*window, part);
        if (window->parts.size() > 1) chunks_.ahead().add(part);
        units += part.units();
    };
    window->ahead = wanted.asked_ahead;
    window->kind = turn_of(wanted);
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
        if (line_.next_of(buffer_line::queue_for(room_.buffer_bytes(next.length))) != nullptr)
            break;
        chunk* const part = room_.make(wanted, next);
        if (part == nullptr || !chunks_.start_fill(*part)) break;
        add(*part);
        at = next.end();
        wanted.brought += static_cast<std::uint32_t>(next.length);
    }
    return window;
}

fill_state* owner_requests::reader_before(const chunk& found,
                                          const chunk_request& wanted) const noexcept {
    // Of a fragment all is read, whatever is asked for.
    const extent own = found.piece.is_chunk() ? extent{found.piece, wanted.in, wanted.size}
                                              : extent{found.piece, found.start, found.length};
    return found.has_asked(wanted) ? nullptr : reader_of(wanted, own, &found);
}

bool owner_requests::can_serve_from(const chunk& found, const chunk_request& wanted) noexcept {
    return found.fill != nullptr || found.has_landed(wanted) || chunks_.reserve_fill();
}

void owner_requests::serve_from(chunk& found, chunk_request& wanted) noexcept {
    wanted.at = &found;
    if (found.has_landed(wanted)) return answers_.grant(found, wanted);
    if (fill_state* const before = reader_before(found, wanted)) {
        chunks_.end_fill(found);
        return stand_behind(wanted, *before);
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

}  // namespace leat::detail
