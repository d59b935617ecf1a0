// Chunks in the order of their last uses, as far as stamps tell.
#pragma once

#include "eviction_policy.hpp"

#include <boost/intrusive/set.hpp>

#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// Chunks stand in the order of the uses that were known when they were placed; one that is met and
/// was used since moves to where that use belongs. So whoever is met first and was not used since
/// is the oldest of all.
class use_order {
public:
    [[nodiscard]] bool empty() const noexcept { return order_.empty(); }
    void insert(resident& added) noexcept {
        added.placed = added.used;
        order_.insert(added);
    }
    void replace(resident& moved, resident& by) noexcept {
        order_.replace_node(order_.iterator_to(moved), by);
    }
    void erase(resident& gone) noexcept { order_.erase(order_.iterator_to(gone)); }

    /// As eviction_policy::victim(): one that is set aside or evicted is out of the order, and no
    /// longer in_policy.
    resident* victim(eviction_policy::judge decide, void* state, bool& stopped) noexcept {
        // Other shards go on using what is looked at here: that must not keep this from ending.
        std::size_t left = 2 * order_.size();
        for (auto next = order_.begin(); next != order_.end() && left > 0; --left) {
            resident& oldest = *next++;
            const verdict said = decide(state, oldest);
            stopped = said == verdict::stop;
            if (stopped) return nullptr;
            if (passes(said)) continue;
            erase(oldest);
            if (said == verdict::used) {
                insert(oldest);
                // Perhaps it is the oldest all the same.
                if (next == order_.end() || oldest.placed < next->placed)
                    next = order_.iterator_to(oldest);
                continue;
            }
            oldest.in_policy = false;
            if (said == verdict::evict) return &oldest;
        }
        return nullptr;
    }

private:
    struct by_placed {
        using type = std::int64_t;
        type operator()(const resident& one) const noexcept { return one.placed; }
    };
    boost::intrusive::multiset<resident,
                               boost::intrusive::base_hook<resident_order>,
                               boost::intrusive::key_of_value<by_placed>>
        order_;  // the oldest use first
};

}  // namespace leat::detail
