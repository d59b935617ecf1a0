// What is promised of fills, looked at when a shard ends its turn.
#pragma once

#include "checked_source.hpp"

#include <leat/cache/chunk_manager.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace leat::sim {

/// Nobody waits, nobody pays: where chunks stand in their managers' queues, and what is in flight.
class fill_check {
public:
    explicit fill_check(const fill_watch& watch) noexcept : watch_(watch) {}

    /// What `shard` has of this manager's fills, after it has submitted what this turn had. Fails
    /// the run if a chunk stands among better ones than those who wait for it make it, if one is to
    /// be read that nobody waits for and nobody has ever used, or if what nobody waits for goes
    /// before what somebody does.
    void look(const chunk_manager& manager, unsigned shard);

private:
    /// A chunk by file and piece, whose fill may be another one's later.
    using waited_for = std::tuple<const detail::fill_state*, std::uint64_t, std::uint64_t>;
    struct state {
        unsigned in_background = 0;
        std::set<waited_for> waited;  ///< and not read yet
    };

    const fill_watch& watch_;
    std::map<std::pair<const detail::manager_core*, unsigned>, state> before_;
};

}  // namespace leat::sim
