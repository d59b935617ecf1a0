// Begins requests, cancels them, and ends them.
#include "home_requests.hpp"

#include "extent.hpp"
#include "look_ahead.hpp"
#include "owner_requests.hpp"
#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

namespace leat::detail {

bool home_requests::start(chunk_request& wanted,
                          std::uint64_t number,
                          std::uint64_t offset,
                          const manager_core& manager) noexcept {
    request_log& log = cache_.log();
    const bool recorded = log.records(manager) && !wanted.asked_ahead;
    const auto refuse_with = [&](boost::system::error_code code) {
        if (recorded) log.note(request_outcome::refused, number, offset, wanted.size, wanted.given);
        wanted.code = code;
        return false;
    };
    const auto waits = [&] {
        if (recorded) log.note(request_outcome::miss, number, offset, wanted.size, wanted.given);
        ++waiting_;
    };
    if (cache_.home().stopping()) return refuse_with(errc::stopped);
    file_registry& files = cache_.all().files();
    file_record* const file = files.acquire(number);
    if (file == nullptr) return refuse_with(errc::closed);
    // Only the file keeps the manager's core alive, if it is this manager's file.
    const manager_core& core = *file->manager;
    const chunk_place place = core.locate(offset);
    boost::system::error_code wrong;
    if (&core != &manager) {
        wrong = errc::closed;  // an id of another manager
    } else if (wanted.size == 0 || offset > file->size || wanted.size > file->size - offset) {
        wrong = errc::out_of_range;
    } else if (place.in + wanted.size > core.chunk_size) {
        wrong = errc::crosses_chunk;
    }
    if (wrong) {
        files.release(*file);
        return refuse_with(wrong);
    }
    ++counts_.misses;
    wanted.index = place.index;
    wanted.in = place.in;
    wanted.file = file;
    wanted.window = window_of(wanted);
    wanted.home = &cache_;
    wanted.owner = &cache_.all().at(core.owner(number, wanted.index));
    wanted.deadline.request = wanted.cancellation.request = &wanted;
    if (wanted.owner == &cache_) {
        waits();
        owned_.serve(wanted);
        return true;
    }
    const piece_number by = sought(wanted);
    const bool next = line_.empty() || cache_.find(number, by) != nullptr;
    if (!next || !travel(wanted, by)) {
        if (const boost::system::error_code code = shortage(wanted)) {
            files.release(*file);
            return refuse_with(code);
        }
        stand_in_line(wanted, by, line_.end());
    }
    waits();
    return true;
}

namespace {
// How far back from a reader his run is looked for: what was in memory is rarely longer, and each
// piece of it takes a look.
constexpr unsigned most_pieces_back = 16;

// Where the chunks end that follow each other from `begin` on and have one owner, or `end`.
std::uint64_t end_at_owner(const manager_core& manager,
                           std::uint64_t file,
                           std::uint64_t begin,
                           std::uint64_t end) noexcept {
    const std::uint64_t first = begin / manager.chunk_size;
    std::uint64_t index = first + 1;
    while (index * manager.chunk_size < end &&
           manager.owner(file, index) == manager.owner(file, first))
        ++index;
    return std::min(index * manager.chunk_size, end);
}
}  // namespace

void home_requests::catch_up(const manager_core& manager,
                             std::uint64_t file,
                             std::uint64_t at) noexcept {
    const std::uint64_t stretch = stretch_of(manager.chunk_size);
    if (runs_.streams() == 0 || runs_.comes_to(file, at, stretch)) return;
    std::uint64_t to = at;
    for (unsigned pieces = 0; to != 0 && pieces < most_pieces_back; ++pieces) {
        const std::uint64_t index = (to - 1) / manager.chunk_size;
        std::uint64_t from = index * manager.chunk_size;
        if (cache_.find(file, piece_number::chunk(index)) == nullptr) {
            const std::uint64_t in = (to - 1 - from) & ~(fragment_size - 1);
            if (cache_.find(file, piece_number::fragment({index, in})) == nullptr) return;
            from += in;
        }
        if (runs_.came_through(file, from, to, at, stretch)) return;
        to = from;
    }
}

// What is asked for once is not the start of more.
std::uint32_t home_requests::window_of(chunk_request& wanted) noexcept {
    wanted.goes_on = wanted.given == hint::stream || (wanted.walks && wanted.window > wanted.size);
    if (wanted.given == hint::no_retain || wanted.given == hint::once) return 0;
    const manager_core& manager = *wanted.file->manager;
    if (manager.grain >= manager.chunk_size) return 0;
    if (wanted.asked_ahead) return wanted.window;
    runs_.set_pinned(cache_.parts().chunks.held_bytes());
    const std::uint64_t offset = wanted.index * manager.chunk_size + wanted.in;
    if (offset % fragment_size < unit_size) catch_up(manager, wanted.file->number, offset);
    runs::miss one;
    one.file = wanted.file->number;
    one.stretch = stretch_of(manager.chunk_size);
    one.index = offset / one.stretch;
    one.in = offset % one.stretch;
    one.size = wanted.size;
    one.chunk = manager.chunk_size;
    one.known = wanted.window;
    one.ends = wanted.walks;
    one.stream = wanted.given == hint::stream;
    one.given = wanted.given;
    const reader_reach& reach = cache_.parts().uses.reach();
    one.reach = reach.bytes();
    one.now = cache_.stamp();
    one.turnover = reach.turnover(one.now);
    std::uint64_t window = runs_.window(one);
    wanted.reach = runs_.reach();
    wanted.quick = runs_.quick();
    wanted.goes_on = runs_.of_stream();
    if (runs_.due(one.file, offset + wanted.size, one.stretch))
        passed_mark(one.file, offset + wanted.size);
    // Of a source that reads no less than some fragments.
    if (manager.grain > fragment_size)
        window = std::max(window, manager.grain - wanted.in % manager.grain);
    if (const runs::next_window* const front = runs_.in_front()) {
        if (front->size != 0)
            note_passed({one.file, front->begin, front->begin + front->size, front->given});
        return static_cast<std::uint32_t>(window);
    }
    window = std::min(window, one.stretch - one.in);
    const std::uint64_t end = std::min(offset + window, wanted.file->size);
    const std::uint64_t mine = end_at_owner(manager, one.file, offset, end);
    if (mine != end && runs_.spread(one.file, offset, offset + window / 2, one.stretch))
        note_passed({one.file, mine, end, wanted.given});
    return static_cast<std::uint32_t>(window);
}

void home_requests::passed_mark(std::uint64_t file, std::uint64_t at) noexcept {
    note_passed({file, at, 0, hint::normal});
}

void home_requests::note_passed(const passed& one) noexcept {
    if (passed_count_ < passed_.size()) passed_[passed_count_++] = one;
}

void home_requests::ask_ahead() noexcept {
    file_registry& files = cache_.all().files();
    for (std::size_t i = 0; i < passed_count_; ++i) {
        const passed one = passed_[i];
        file_record* const file = files.acquire(one.file);
        if (file == nullptr) continue;
        const manager_core& manager = *file->manager;
        if (cache_.home().stopping()) {
            // Nothing is begun.
        } else if (one.end == 0) {
            look_ahead_from(manager, *file, one.at);
        } else if (look_ahead** const asked =
                       runs_.asked_for(one.file, one.at, stretch_of(manager.chunk_size))) {
            ask_for(manager, *file, one, *asked);
        }
        files.release(*file);
    }
    passed_count_ = 0;
}

void home_requests::look_ahead_from(const manager_core& manager,
                                    const file_record& file,
                                    std::uint64_t at) noexcept {
    runs_.set_pinned(cache_.parts().chunks.held_bytes());
    const std::uint64_t stretch = stretch_of(manager.chunk_size);
    const runs::next_window next =
        runs_.ahead(file.number, at, stretch, manager.chunk_size, file.size);
    if (next.size == 0) return;
    const std::uint64_t end = next.begin + next.size;
    if (end_at_owner(manager, file.number, next.begin, end) != end)
        static_cast<void>(
            runs_.spread(file.number, next.begin, next.begin + next.size / 2, stretch));
    ask_for(manager, file, {file.number, next.begin, end, next.given}, *next.asked);
}

void home_requests::ask_for(const manager_core& manager,
                            const file_record& file,
                            const passed& from,
                            look_ahead*& asked) noexcept {
    const hint given = from.given == hint::no_wait ? hint::normal : from.given;
    for (std::uint64_t begin = from.at; begin < from.end;) {
        const std::uint64_t end = end_at_owner(manager, file.number, begin, from.end);
        const chunk_place place = manager.locate(begin);
        const std::uint64_t left = std::min(manager.chunk_size - place.in, file.size - begin);
        const bool whole = place.in == 0 && end - begin >= left &&
                           cache_.parts().eviction.has_room_for_chunks(
                               {piece_number::chunk(place.index), 0, left});
        const std::uint64_t size = whole ? left : std::min(left, fragment_size);
        look_ahead* const asking =
            look_ahead::ask(manager, file.number, begin, size, end - begin, given);
        if (asking == nullptr)
            return runs_.came_to_nothing(file.number, begin, stretch_of(manager.chunk_size));
        asking->goes_with(asked);
        begin = end;
    }
}

void home_requests::note_brought(const chunk_request& ended) noexcept {
    const manager_core& manager = *ended.file->manager;
    if (manager.grain >= manager.chunk_size || ended.window == 0) return;
    const std::uint64_t stretch = stretch_of(manager.chunk_size);
    const std::uint64_t begin = ended.index * manager.chunk_size + ended.in;
    if (ended.code) {
        if (ended.asked_ahead) runs_.came_to_nothing(ended.file->number, begin, stretch);
        return;
    }
    std::uint64_t size = ended.brought;
    if (size == 0 && ended.asked_ahead) size = ended.window;
    if (size == 0) return;
    if (ended.reads_on) return runs_.read_on(ended.file->number, begin, size, stretch);
    const std::uint64_t mark = runs_.brought(ended.file->number, begin, size, stretch);
    if (mark == 0) return;
    const chunk_place place = manager.locate(mark);
    for (const piece_number piece :
         {piece_number::chunk(place.index), piece_number::fragment(place)}) {
        entry* const found = cache_.find(ended.file->number, piece);
        if (found == nullptr || !found->covers(place.in, 1)) continue;
        if (!found->leased || found->ready_length != 0) found->mark();
        return;
    }
}

piece_number home_requests::sought(const chunk_request& wanted) const noexcept {
    const piece_number chunk = piece_number::chunk(wanted.index);
    if (wants_whole_chunk(wanted) || cache_.find(wanted.file->number, chunk) != nullptr)
        return chunk;
    return piece_number::fragment({wanted.index, wanted.in});
}

bool home_requests::travel(chunk_request& wanted, piece_number by) noexcept {
    wanted.via = held_.request_through(*wanted.file, by, *wanted.owner);
    if (wanted.via == nullptr) return false;
    ++wanted.travelling;
    wanted.run = &owner_requests::request_arrived;
    cache_.home().send(wanted.owner->home().index(), wanted);
    return true;
}

boost::system::error_code home_requests::shortage(const chunk_request& wanted) const noexcept {
    if (held_.out_of_memory()) return system_error_code(ENOMEM);
    if (wanted.patience != patience::deadline) return errc::no_buffer;
    return {};
}

void home_requests::stand_in_line(chunk_request& wanted,
                                  piece_number by,
                                  line::iterator before) noexcept {
    ++counts_.buffer_waits;
    wanted.awaits_record = true;
    wanted.elsewhere = by;
    line_.insert(before, wanted);
    held_.record_wanted();
    wanted.deadline.run = &waited_too_long;
    shard& here = cache_.home();
    here.add_timer(wanted.deadline, here.after(wanted.file->manager->pin_deadline));
}

void home_requests::leave_line(chunk_request& wanted) noexcept {
    wanted.awaits_record = false;
    line_.erase(line_.iterator_to(wanted));
    cache_.home().remove_timer(wanted.deadline);
}

void home_requests::waited_too_long(work& item) noexcept {
    chunk_request& wanted = chunk_request::of_message(item);
    home_requests& here = wanted.home->parts().home_requests;
    wanted.awaits_record = false;
    here.line_.erase(here.line_.iterator_to(wanted));
    here.finish(wanted, errc::no_buffer);
}

void home_requests::serve_line() noexcept {
    while (!line_.empty()) {
        chunk_request& first = line_.front();
        if (cache_.find(first.file->number, first.elsewhere) == nullptr && !held_.reserve()) {
            // Pins may keep each segment, but not the entries of what is not pinned.
            if (!held_.out_of_memory() && cache_.parts().eviction.make_page()) continue;
            if (!held_.out_of_memory()) return held_.give_some_back();
            leave_line(first);
            finish(first, system_error_code(ENOMEM));
            continue;
        }
        leave_line(first);
        const bool gone = travel(first, first.elsewhere);
        assert(gone);
        static_cast<void>(gone);
    }
}

void home_requests::end_line() noexcept {
    while (!line_.empty()) {
        chunk_request& first = line_.front();
        leave_line(first);
        finish(first, errc::stopped);
    }
}

void home_requests::cancel(chunk_request& wanted) noexcept {
    if (wanted.cancelled) return;
    wanted.cancelled = true;
    if (wanted.awaits_record) {
        leave_line(wanted);
        finish(wanted, cache_.home().stopping() ? errc::stopped : errc::cancelled);
        return;
    }
    if (wanted.owner == &cache_) {
        if (wanted.waits == chunk_request::place::nowhere) return;  // it has ended
        owned_.withdraw(wanted);
        return;
    }
    if (wanted.travelling == 0) return;
    ++wanted.travelling;
    wanted.cancellation.run = &owner_requests::cancellation_arrived;
    cache_.home().send(wanted.owner->home().index(), wanted.cancellation);
}

void home_requests::finish(chunk_request& ended, boost::system::error_code code) noexcept {
    ended.code = code;
    --waiting_;
    const file_record& file = *ended.file;
    note_brought(ended);
    if (code && !ended.asked_ahead && cache_.log().records(*file.manager)) {
        cache_.log().note_failure(file.number, ended.index * file.manager->chunk_size + ended.in,
                                  ended.size, ended.given, code);
    }
    cache_.all().files().release(*std::exchange(ended.file, nullptr));
    ended.done(ended);
}

void home_requests::answer_arrived(work& message) noexcept {
    auto& wanted = static_cast<chunk_request&>(message);
    wanted.home->parts().home_requests.answered(wanted);
}

void home_requests::answered(chunk_request& wanted) noexcept {
    lease& via = *wanted.via;
    --via.outstanding;
    if (std::exchange(wanted.redirected, false)) return redirected(wanted);
    if (!wanted.code) {
        held_.granted(via, *wanted.at, wanted.grant, wanted.whole);
        uses_.granted(via, wanted);
        cache_.pin(via, wanted.size);
        wanted.pinned = &via;
    }
    message_returned(wanted);
    held_.settle(via);
    assert(via.fault_at_home() == nullptr);
}

void home_requests::redirected(chunk_request& wanted) noexcept {
    lease& before = *wanted.via;
    // What this one holds has been replaced; it stays for the sake of its slices.
    if (before.piece == wanted.elsewhere) held_.retire(before);
    --wanted.travelling;
    if (wanted.cancelled) {
        wanted.code = cache_.home().stopping() ? errc::stopped : errc::cancelled;
    } else if (!travel(wanted, wanted.elsewhere)) {
        wanted.code = shortage(wanted);
        // What it has come through may leave it a record.
        if (!wanted.code) stand_in_line(wanted, wanted.elsewhere, line_.begin());
    }
    if (wanted.travelling == 0 && !wanted.awaits_record) finish(wanted, wanted.code);
    held_.settle(before);
    assert(before.fault_at_home() == nullptr);
}

void home_requests::cancellation_returned(work& message) noexcept {
    chunk_request& wanted = chunk_request::of_message(message);
    wanted.home->parts().home_requests.message_returned(wanted);
}

void home_requests::message_returned(chunk_request& of) noexcept {
    // A cancellation may still be at the owner, which looks at the request then.
    if (--of.travelling == 0) finish(of, of.code);
}

}  // namespace leat::detail
