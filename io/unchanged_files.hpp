// Files that were looked at while completions of a burst are run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace leat::io {

/// Reads often complete many at a time. A look at a file's version after all of them had completed
/// serves all that read this file: this remembers which files such a look has found unchanged, by
/// descriptor. It may forget some. One thread.
class unchanged_files {
public:
    /// Completions are run from now on that are all there by now.
    void begin_burst() noexcept {
        ++bursts_;
        in_burst_ = true;
    }
    /// What completes from now on may be younger than what was noted.
    void end_burst() noexcept { in_burst_ = false; }

    /// The file has just been found unchanged.
    void note(int descriptor) noexcept {
        if (in_burst_) looks_[place_of(descriptor)] = {bursts_, descriptor};
    }
    /// Whether it has been since the burst began. Its descriptor must have been open all the time.
    [[nodiscard]] bool noted(int descriptor) const noexcept {
        const look& last = looks_[place_of(descriptor)];
        return in_burst_ && last.burst == bursts_ && last.descriptor == descriptor;
    }

private:
    struct look {
        std::uint64_t burst = 0;
        int descriptor = -1;
    };
    static constexpr std::size_t places = 16;
    [[nodiscard]] static std::size_t place_of(int descriptor) noexcept {
        return static_cast<unsigned>(descriptor) % places;
    }

    std::array<look, places> looks_;
    std::uint64_t bursts_ = 0;
    bool in_burst_ = false;
};

}  // namespace leat::io
