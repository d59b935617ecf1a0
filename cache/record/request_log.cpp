// Takes blocks, fills them with what is no plain hit, and hands them over.
#include "log_words.hpp"
#include "recorder.hpp"

#include <leat/cache/detail/request_log.hpp>
#include <leat/engine/shard.hpp>

#include <chrono>
#include <utility>

namespace leat::detail {

namespace {

// What is noted reaches the file about so soon, if the process lives.
constexpr std::chrono::milliseconds longest_in_block{500};

}  // namespace

request_log::request_log(shard& mine) noexcept : shard_(mine), idle_(&idle) {
    idle_.log = this;
}

request_log::~request_log() = default;

void request_log::begin(std::shared_ptr<recorder> by) noexcept {
    if (recorder_ != nullptr) close();
    if (by->ended()) return;
    recorder_ = std::move(by);
    recorded_ = &recorder_->manager();
    unmarked_before_ = false;
    take_block();
}

void request_log::end(const recorder& by) noexcept {
    if (recorder_.get() == &by) close();
}

void request_log::close() noexcept {
    shard_.remove_timer(idle_);
    mark(shard_.turn_time().time_since_epoch().count());
    if (block_ == nullptr) {
        count_lost();
    } else {
        hand_over();
    }
    recorder_->add_lost(std::exchange(lost_, 0));
    recorded_ = nullptr;
    next_ = begin_ = marked_ = nullptr;
    recorder_.reset();
}

void request_log::mark_turn(std::int64_t stamp) noexcept {
    if (recorder_->ended()) return close();
    if (block_ == nullptr) {
        count_lost();
        take_block();
    }
    mark(stamp);
    if (block_ != nullptr && next_ != begin_ && !idle_.pending())
        shard_.add_timer(idle_, shard_.after(longest_in_block));
}

// Behind repeats, or of a file whose place does not fit.
void request_log::note_hit(std::uint64_t file,
                           std::uint64_t offset,
                           std::uint32_t size,
                           hint given) noexcept {
    if (place_of_number(file) >> 32 != 0)
        return note(request_outcome::hit, file, offset, size, given);
    put_repeats();
    hit(file, offset, size, given);
}

void request_log::put_repeats() noexcept {
    if (repeats_ == 0) return;
    const std::uint64_t count = std::exchange(repeats_, 0);
    put(count, log_wide | static_cast<std::uint64_t>(log_kind::repeats));
}

void request_log::mark(std::int64_t stamp) noexcept {
    put_repeats();
    if (block_ == nullptr || (next_ == marked_ && !unmarked_before_)) return;
    put(static_cast<std::uint64_t>(stamp), log_wide | static_cast<std::uint64_t>(log_kind::time));
    marked_ = next_;
    unmarked_before_ = false;
}

void request_log::idle(work& message) noexcept {
    request_log& log = *static_cast<idle_timer&>(static_cast<timer&>(message)).log;
    if (log.block_ == nullptr || log.next_ == log.begin_) return;
    log.hand_over();
    log.take_block();
}

void request_log::note(request_outcome outcome,
                       std::uint64_t file,
                       std::uint64_t offset,
                       std::uint32_t size,
                       hint given) noexcept {
    const auto kind = static_cast<unsigned>(log_kind::hit) + static_cast<unsigned>(outcome);
    put_wide(kind, file, offset, size, given, 0);
}

void request_log::note_failure(std::uint64_t file,
                               std::uint64_t offset,
                               std::uint32_t size,
                               hint given,
                               boost::system::error_code code) noexcept {
    const std::uint64_t system = code.category() == leat::error_category() ? 0 : 1;
    const std::uint64_t value = static_cast<std::uint32_t>(code.value());
    put_wide(static_cast<unsigned>(log_kind::failed), file, offset, size, given,
             value << log_code_shift | system << log_category_shift);
}

void request_log::put_wide(unsigned kind,
                           std::uint64_t file,
                           std::uint64_t offset,
                           std::uint64_t size,
                           hint given,
                           std::uint64_t more) noexcept {
    put_repeats();
    make_room(log_widest);
    // Both halves of a request lie in one block: the second store may fill it.
    next_[1] = {file, size};
    next_[0] = {offset,
                log_wide | kind | static_cast<std::uint64_t>(given) << log_hint_shift | more};
    next_ += log_widest;
    if (reinterpret_cast<std::uintptr_t>(next_) % block_bytes == 0) block_full();
}

void request_log::put(std::uint64_t first, std::uint64_t second) noexcept {
    *next_++ = {first, second};
    if (reinterpret_cast<std::uintptr_t>(next_) % block_bytes == 0) block_full();
}

// So many slots are free in the block, then.
void request_log::make_room(std::size_t slots) noexcept {
    const std::size_t used = reinterpret_cast<std::uintptr_t>(next_) % block_bytes;
    if (used + slots * sizeof(log_slot) > block_bytes) block_full();
}

void request_log::block_full() noexcept {
    if (block_ == nullptr) {
        count_lost();
    } else {
        hand_over();
    }
    take_block();
}

void request_log::hand_over() noexcept {
    unmarked_before_ = unmarked_before_ || next_ != marked_;
    recorder_->give(*std::exchange(block_, nullptr), static_cast<std::size_t>(next_ - begin_));
}

void request_log::take_block() noexcept {
    block_ = recorder_->take(shard_.index());
    next_ = begin_ = marked_ =
        block_ != nullptr ? block_->slots : recorder_->room_for_lost(shard_.index());
    // A hit is compared with what stands before it.
    *next_ = {0, log_wide | static_cast<std::uint64_t>(log_kind::lost)};
    next_ = begin_ = marked_ = next_ + 1;
    if (block_ == nullptr) return;
    // A turn may fill blocks without end: each is to have a time.
    if (unmarked_before_) {
        put(static_cast<std::uint64_t>(shard_.turn_time().time_since_epoch().count()),
            log_wide | static_cast<std::uint64_t>(log_kind::time));
        unmarked_before_ = false;
    }
    if (lost_ != 0)
        put(std::exchange(lost_, 0), log_wide | static_cast<std::uint64_t>(log_kind::lost));
    marked_ = next_;
}

void request_log::count_lost() noexcept {
    lost_ += count_requests(begin_, next_) + std::exchange(repeats_, 0);
    next_ = marked_ = begin_;
}

}  // namespace leat::detail
