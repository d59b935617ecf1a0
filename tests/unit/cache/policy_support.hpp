// A cache of letters around a policy: what a test says of it fits on a line.
#pragma once

#include "policy/policies.hpp"
#include "policy/visit_clock.hpp"

#include <leat/cache/detail/use_stamp.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace leat::test {

/// Each letter is a chunk of one piece of memory. A letter that is met again is used again; one
/// that is not there is loaded, and may send others away.
class letters {
public:
    static constexpr std::uint64_t piece = 64 * 1024;

    explicit letters(std::unique_ptr<detail::eviction_policy> policy_, unsigned room)
        : policy(std::move(policy_)), room_(room) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i].key = (i + 1) * 0x9e3779b97f4a7c15;
            all[i].bytes = piece;
        }
    }

    ~letters() {
        for (letter& one : all) policy->erase(one);
    }

    struct letter : detail::resident {
        bool there = false;
        std::int64_t last_use = 0;
        detail::verdict said = detail::verdict::evict;  ///< unless it was used
    };
    [[nodiscard]] letter& at(char which) noexcept { return all[static_cast<unsigned char>(which)]; }

    /// Uses the letters one after the other; returns those that went, in the order of their going.
    std::string use(std::string_view text) {
        std::string gone;
        for (const char one : text) {
            letter& used = at(one);
            ++now;
            if (used.there) {
                if (policy->tell() != detail::told_uses::none) {
                    used.used = now;
                    policy->reused(used);
                }
                used.last_use = now;
                continue;
            }
            policy->expect(used.key, piece);
            if (count >= room_) gone += evict();
            used.there = true;
            used.used = used.last_use = now;
            policy->loaded(piece);
            policy->insert(used);
            ++count;
        }
        return gone;
    }
    /// The letter that goes, or '-' if none can.
    char evict() {
        detail::resident* const victim = policy->victim(&judge, this);
        if (victim == nullptr) return '-';  // which leaves the memory too full
        return take(*victim);
    }
    /// So many by one search, or as many as can go.
    std::string evict_many(std::size_t most, std::uint64_t kind = 1) {
        to_take_ = most;
        taken_.clear();
        const bool more = policy->victims(
            &judge,
            [](void* self, detail::resident& victim) noexcept {
                auto& here = *static_cast<letters*>(self);
                here.taken_ += here.take(victim);
                return here.taken_.size() < here.to_take_;
            },
            this, kind);
        if (more != (taken_.size() < most)) taken_ += '?';
        return taken_;
    }
    /// All that are left, in the order of their going.
    std::string drain() {
        std::string gone;
        while (!policy->empty() && (gone.empty() || gone.back() != '-')) gone += evict();
        return gone;
    }

    std::unique_ptr<detail::eviction_policy> policy;
    std::array<letter, 128> all;
    std::int64_t now = 0;
    unsigned count = 0;
    unsigned asked = 0;  ///< of candidates, whether they can go

private:
    char take(detail::resident& victim) noexcept {
        auto& gone = static_cast<letter&>(victim);
        gone.there = false;
        --count;
        return static_cast<char>(&gone - all.data());
    }
    static detail::verdict judge(void* self, detail::resident& candidate) noexcept {
        ++static_cast<letters*>(self)->asked;
        auto& one = static_cast<letter&>(candidate);
        if (one.last_use != one.used) {
            one.used = one.last_use;
            return detail::verdict::used;
        }
        return one.said;
    }
    std::string taken_;
    std::size_t to_take_ = 0;
    unsigned room_;
};

}  // namespace leat::test
