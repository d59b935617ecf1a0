// A queue of chunks in a policy, the oldest first, which knows its bytes.
#pragma once

#include "eviction_policy.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>

namespace leat::detail {

class resident_queue {
public:
    using list = boost::intrusive::list<resident, boost::intrusive::base_hook<resident_link>>;
    using iterator = list::iterator;

    [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] iterator begin() noexcept { return list_.begin(); }
    [[nodiscard]] iterator end() noexcept { return list_.end(); }
    [[nodiscard]] iterator at(resident& one) noexcept { return list_.iterator_to(one); }

    /// Where a search begins that skips what skip_to() said: the oldest, until that is called. What
    /// is pushed or rotated later is not skipped.
    [[nodiscard]] iterator first_not_skipped() noexcept { return skips_ ? mark_ : list_.begin(); }
    /// Those before `next` are skipped.
    void skip_to(iterator next) noexcept {
        mark_ = next;
        skips_ = true;
    }
    void skip_none() noexcept { skips_ = false; }

    void push(resident& youngest) noexcept {
        list_.push_back(youngest);
        if (mark_ == list_.end()) mark_ = at(youngest);
        bytes_ += youngest.bytes;
    }
    void remove(resident& gone) noexcept {
        leave_mark(gone);
        list_.erase(list_.iterator_to(gone));
        bytes_ -= gone.bytes;
    }
    /// `by` stands where `moved` stood, in whichever queue.
    static void replace(resident& moved, resident& by) noexcept {
        static_cast<resident_link&>(by).swap_nodes(moved);
    }
    /// After replace(): of a chunk of this queue, or of none.
    void follow(const resident& moved, resident& by) noexcept {
        if (skips_ && mark_ != list_.end() && &*mark_ == &moved) mark_ = at(by);
    }
    /// It stands before all others from now on.
    void lead(resident& moved) noexcept {
        list_.splice(list_.begin(), list_, list_.iterator_to(moved));
    }
    /// Makes it the youngest. `next` is where a search goes on: behind it, or with it if it was the
    /// last.
    void rotate(resident& moved, iterator& next) noexcept {
        rotate(moved);
        if (next == list_.end()) next = list_.iterator_to(moved);
    }
    void rotate(resident& moved) noexcept {
        leave_mark(moved);
        list_.splice(list_.end(), list_, list_.iterator_to(moved));
        if (mark_ == list_.end()) mark_ = at(moved);
    }

private:
    void leave_mark(resident& leaving) noexcept {
        if (skips_ && mark_ == at(leaving)) ++mark_;
    }

    list list_;
    bool skips_ = false;
    iterator mark_ = list_.end();  ///< if it skips: the first that is not skipped
    std::uint64_t bytes_ = 0;
};

}  // namespace leat::detail
