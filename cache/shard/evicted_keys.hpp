// Which of what was evicted of late is wanted again: what is worth its memory, and what is not.
#pragma once

#include <leat/cache/detail/chunk_place.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// It knows some of the latest keys, chosen by what is in them, hashes; each stands for of_each()
/// others. Those of what was evicted while it waited for its reader, see ahead_list, are kept
/// apart.
///
/// One shard's. Nothing allocates.
class evicted_keys {
public:
    enum class lack : std::uint8_t {
        none,    ///< not known to have been evicted
        unread,  ///< evicted while it waited for its reader
        used     ///< evicted by the policy
    };

    /// So much memory, of which it is to know what half of it holds.
    void set_memory(std::uint64_t bytes) noexcept {
        of_each_ = bytes / 2 / fragment_size / places + 1;
    }
    [[nodiscard]] std::uint64_t of_each() const noexcept { return of_each_; }
    void evicted(std::uint64_t key, bool unread) noexcept {
        if (!is_chosen(key)) return;
        (unread ? unread_ : used_)[key % places] = key;
        if (unread || ++count_ < most) return;
        count_ /= 2;
        again_ /= 2;
    }
    /// What has this key is not in memory, and somebody asks for it.
    lack wanted(std::uint64_t key) noexcept {
        if (!is_chosen(key)) return lack::none;
        if (take(unread_, key)) return lack::unread;
        if (!take(used_, key)) return lack::none;
        ++again_;
        return lack::used;
    }
    /// The part of what the policy has evicted that was wanted again soon.
    [[nodiscard]] double wanted_again() const noexcept {
        return count_ == 0 ? 0 : static_cast<double>(again_) / static_cast<double>(count_);
    }

private:
    static constexpr std::size_t places = 1024;
    using keys = std::array<std::uint64_t, places>;
    static constexpr unsigned most = 256;

    [[nodiscard]] bool is_chosen(std::uint64_t key) const noexcept {
        return (key >> 32) % of_each_ == 0;
    }
    [[nodiscard]] static bool take(keys& of, std::uint64_t key) noexcept {
        std::uint64_t& found = of[key % places];
        if (found != key) return false;
        found = 0;
        return true;
    }

    std::uint64_t of_each_ = 1;
    unsigned count_ = 0;  ///< of the latest that the policy has evicted
    unsigned again_ = 0;  ///< of those
    keys unread_{};
    keys used_{};
};

}  // namespace leat::detail
