// How long what was read ahead waits for its reader: by how late others come, and by what the
// memory is worth to what has been used.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace leat::detail {

/// Who has stopped leaves what was read for him: as long as that waits, what is wanted again has
/// less memory. How late readers come is seen where they have come: all but a few of them within a
/// time in which so much is loaded; after four times that nobody is expected any more. Where
/// readers are many, and all come late, that is as much as the memory. What is evicted before they
/// come says nothing of that, so each such piece that is wanted after all makes it longer by a
/// part.
///
/// What others come to by chance has waited longer than for its own reader, and is worth less than
/// what has been used. So what was evicted after its use, and is wanted again, shortens the wait;
/// and what was evicted while it waited lengthens it, as in ARC (Megiddo, Modha, FAST 2003).
///
/// The trace of a virtual machine that needs 1,211 MiB took .23 s of the device a GiB served in
/// 1,200 MiB where all waited until as much as the memory was loaded, and .19 s so.
///
/// One shard's. Times are stamps of the shard, in ns. Nothing allocates.
class ahead_wait {
public:
    void set_memory(std::uint64_t bytes) noexcept { memory_ = bytes; }
    /// So many bytes have been loaded.
    void loaded(std::uint64_t bytes, std::int64_t now) noexcept {
        since_mark_ += bytes;
        if (since_mark_ < memory_ / parts) return;
        since_mark_ = 0;
        marks_[next_] = now;
        next_ = (next_ + 1) % parts;
    }
    /// The reader of what was loaded at the time `since` was there at the time `at`.
    void came(std::int64_t since, std::int64_t at) noexcept {
        const auto passed = std::count_if(marks_.begin(), marks_.end(), [&](std::int64_t mark) {
            return since < mark && mark <= at;
        });
        late_ += static_cast<double>(passed) > late_ ? step * usual : -step * (1 - usual);
        late_ = std::clamp(late_, 0.0, double{parts});
    }
    /// So many bytes are wanted again that were evicted after their use.
    void used_wanted(std::uint64_t bytes) noexcept {
        shorter_ = std::min(shorter_ + by_used * part(bytes), most_shorter);
    }
    /// The same of what was evicted while it waited: so many pieces.
    void unread_wanted(std::uint64_t bytes, std::uint64_t pieces) noexcept {
        shorter_ = std::max(shorter_ - by_unread * part(bytes), 0.0);
        late_ = std::min(late_ + static_cast<double>(pieces), double{parts});
    }
    /// The bytes loaded meanwhile after which nobody is expected any more.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        const double late = std::min((4 * late_ + 1) / parts, 1 - shorter_);
        return static_cast<std::uint64_t>(late * static_cast<double>(memory_));
    }

private:
    static constexpr std::size_t parts = 16;
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();
    // So many readers come before `late_`, by steps of a part.
    static constexpr double usual = 63.0 / 64;
    static constexpr double step = 1.0 / 4;
    // So many times its bytes. What waits is read again with what lies beside it, of which nobody
    // asks here.
    static constexpr double by_used = 24;
    static constexpr double by_unread = 96;
    static constexpr double most_shorter = 1 - 1.0 / parts;

    [[nodiscard]] double part(std::uint64_t bytes) const noexcept {
        return static_cast<double>(bytes) / static_cast<double>(memory_);
    }
    static constexpr std::array<std::int64_t, parts> no_marks() noexcept {
        std::array<std::int64_t, parts> none{};
        none.fill(never);
        return none;
    }

    std::uint64_t memory_ = parts;
    double late_ = parts;  ///< parts of the memory that are loaded until all but a few have come
    double shorter_ = 0;   ///< by so much of the memory
    std::uint64_t since_mark_ = 0;
    std::array<std::int64_t, parts> marks_ = no_marks();  ///< when each part had been loaded
    std::size_t next_ = 0;                                ///< the oldest
};

}  // namespace leat::detail
