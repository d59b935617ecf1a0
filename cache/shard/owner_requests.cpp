// Serves requests from chunks, or lets them wait for a buffer.
#include "owner_requests.hpp"

#include "home_requests.hpp"
#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <cassert>
#include <cerrno>

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

chunk* owner_requests::find(const chunk_request& wanted) const noexcept {
    // What this shard owns is never a lease in its table.
    return static_cast<chunk*>(cache_.find(wanted.file->number, wanted.index));
}

void owner_requests::serve(chunk_request& wanted) noexcept {
    if (cache_.home().stopping()) return answers_.send(wanted, errc::stopped);
    chunk* found = find(wanted);
    // Its lease still holds a doomed chunk of the same place, and with it the buffer that it would
    // wait for.
    if (found == nullptr && wanted.via != nullptr && wanted.via->at_owner.chunk != nullptr)
        return answers_.send(wanted, errc::file_changed);
    // Those that came earlier go first.
    if (found == nullptr && line_.empty()) found = room_.make_chunk(wanted);
    if (found != nullptr) {
        serve_from(*found, wanted);
    } else if (may_wait(wanted)) {
        stand_in_line(wanted);
    } else {
        answers_.send(wanted, room_.shortage());
    }
}

void owner_requests::serve_from(chunk& found, chunk_request& wanted) noexcept {
    wanted.at = &found;
    if (found.ready_length != 0 || found.landed(wanted.in, wanted.size))
        return answers_.grant(found, wanted);
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
    return !room_.out_of_memory() && (wanted.patience == patience::deadline ||
                                      (wanted.patience == patience::brief && room_.coming()));
}

void owner_requests::stand_in_line(chunk_request& wanted) noexcept {
    ++counts_.buffer_waits;
    line_.push(wanted);
    wanted.deadline.run = &waited_too_long;
    shard& here = cache_.home();
    here.add_timer(wanted.deadline, here.after(wanted.file->manager->pin_deadline));
}

void owner_requests::leave_line(chunk_request& wanted) noexcept {
    line_.remove(wanted);
    cache_.home().remove_timer(wanted.deadline);
}

void owner_requests::waited_too_long(work& item) noexcept {
    chunk_request& wanted = chunk_request::of_message(item);
    owner_requests& here = wanted.owner->parts().owner_requests;
    here.line_.remove(wanted);
    here.chunks_.note_room();
    if (chunk* const found = here.find(wanted)) return here.serve_from(*found, wanted);
    here.answers_.send(wanted, here.room_.shortage());
}

void owner_requests::end_line() noexcept {
    while (!line_.empty()) {
        chunk_request& first = line_.front();
        leave_line(first);
        answers_.send(first, errc::stopped);
    }
}

void owner_requests::end_brief_waits() noexcept {
    if (!line_.has_brief()) return;
    const boost::system::error_code code = room_.shortage();
    for (auto next = line_.begin(); next != line_.end();) {
        chunk_request& waiter = *next++;
        if (waiter.patience != patience::brief) continue;
        leave_line(waiter);
        answers_.send(waiter, code);
    }
}

void owner_requests::serve_line() noexcept {
    chunks_.forget_room();
    while (!line_.empty()) {
        chunk_request& first = line_.front();
        chunk* found = find(first);
        if (found == nullptr) found = room_.make_chunk(first);
        if (found == nullptr && room_.out_of_memory()) {
            leave_line(first);
            answers_.send(first, system_error_code(ENOMEM));
            continue;
        }
        if (found == nullptr) {
            if (!room_.coming()) end_brief_waits();
            return;
        }
        while (chunk_request* const waiter = line_.first_of(*found->file, found->index)) {
            leave_line(*waiter);
            serve_from(*found, *waiter);
        }
    }
}

const char* owner_requests::fault() noexcept {
    std::uint64_t brief = 0;
    for (const chunk_request& one : line_) {
        if (one.waits != chunk_request::place::buffer)
            return "a request waits for a buffer and does not know it";
        if (one.owner != &cache_) return "a request waits for a buffer of another shard";
        brief += one.patience == patience::brief ? 1 : 0;
    }
    if (line_.has_brief() != (brief != 0)) return "requests that wait briefly are counted wrongly";
    return nullptr;
}

}  // namespace leat::detail
