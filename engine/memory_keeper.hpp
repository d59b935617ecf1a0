// Gives memory back while the kernel is short of it, and takes it again.
#pragma once

#include "memory_pressure.hpp"

#include <leat/engine/detail/timer.hpp>

#include <cstdint>

namespace leat {
class shard;
}

namespace leat::detail {

/// Looks at the pressure once a second, on one shard. While it rises the engine gives back an
/// eighth of its memory each second, down to a quarter of what it was given; after ten seconds
/// without it takes a sixteenth a second, up to what it was given.
class memory_keeper {
public:
    /// On the shard's thread, which it works on until the shard has ended.
    explicit memory_keeper(shard& on);
    memory_keeper(const memory_keeper&) = delete;
    memory_keeper& operator=(const memory_keeper&) = delete;
    ~memory_keeper();

    /// What the memory is to be after a second with pressure or without, of an engine that was
    /// given `given` bytes and has `now`; `calm` counts the seconds without.
    [[nodiscard]] static std::uint64_t after_a_second(std::uint64_t given,
                                                      std::uint64_t now,
                                                      bool pressure,
                                                      unsigned& calm) noexcept;

private:
    struct look : timer {
        using timer::timer;
        memory_keeper* of = nullptr;
    };
    static void second_passed(work& item) noexcept;
    void look_again() noexcept;

    shard& shard_;
    memory_pressure pressure_;
    look next_;
    unsigned calm_ = 0;
};

}  // namespace leat::detail
