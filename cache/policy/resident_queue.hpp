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

    void push(resident& youngest) noexcept {
        list_.push_back(youngest);
        bytes_ += youngest.bytes;
    }
    void remove(resident& gone) noexcept {
        list_.erase(list_.iterator_to(gone));
        bytes_ -= gone.bytes;
    }
    /// `by` stands where `moved` stood, in whichever queue.
    static void replace(resident& moved, resident& by) noexcept {
        static_cast<resident_link&>(by).swap_nodes(moved);
    }
    /// Makes it the youngest. `next` is where a search goes on: behind it, or with it if it was the
    /// last.
    void rotate(resident& moved, iterator& next) noexcept {
        list_.splice(list_.end(), list_, list_.iterator_to(moved));
        if (next == list_.end()) next = list_.iterator_to(moved);
    }
    void rotate(resident& moved) noexcept {
        list_.splice(list_.end(), list_, list_.iterator_to(moved));
    }

private:
    list list_;
    std::uint64_t bytes_ = 0;
};

}  // namespace leat::detail
