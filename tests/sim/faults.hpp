// What goes wrong in a run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::sim {

/// Kinds of faults; each can be switched off by its name.
enum class fault : std::uint8_t {
    short_reads,      ///< a read gives fewer bytes than asked for
    late,             ///< operations take up to 40 ms, and overtake one another by as much
    failed_reads,     ///< EIO, ENOMEM
    failed_opens,     ///< opening and statting fail
    stuck,            ///< a read never ends unless it is cancelled; a peer does nothing any more
    dead_device,      ///< a read never ends, cancelled or not
    short_transfers,  ///< a socket takes and gives fewer bytes than it could
    stalls,           ///< peers rest for up to 50 ms
    resets,           ///< peers reset connections, and refuse them
    failed_sockets,   ///< there are no sockets and no connections to be had
    mutation,         ///< files are written in place, truncated, replaced, unlinked
    allocation,       ///< operator new and aligned_alloc fail
    mapping,          ///< mprotect fails
    registration,     ///< registering buffers fails
    tiny_credit,      ///< few operations are in flight at once
    tight_memory,     ///< two to four chunks a shard
    frozen_shards,    ///< a shard is not stepped for up to 10 ms
    cancellation,     ///< requests are cancelled
    engine_stop,      ///< the engine stops amid everything
    count
};

inline constexpr auto fault_count = static_cast<unsigned>(fault::count);

[[nodiscard]] std::string_view name_of(fault kind) noexcept;
[[nodiscard]] std::string_view description_of(fault kind) noexcept;

/// A set of kinds.
class fault_set {
public:
    [[nodiscard]] bool has(fault kind) const noexcept {
        return (bits_ >> static_cast<unsigned>(kind) & 1) != 0;
    }
    void set(fault kind, bool on) noexcept {
        const std::uint32_t bit = std::uint32_t{1} << static_cast<unsigned>(kind);
        bits_ = on ? bits_ | bit : bits_ & ~bit;
    }
    /// Their names, with commas between.
    [[nodiscard]] std::string text() const;

private:
    std::uint32_t bits_ = 0;
};

/// Adds the kinds that `names`, with commas between, has. Returns the first that there is not.
[[nodiscard]] std::string add_named(fault_set& to, std::string_view names);

}  // namespace leat::sim
