// What the uses of a shard's chunks tell its policy, and its ghosts.
#pragma once

#include "chunk.hpp"
#include "chunk_store.hpp"
#include "lease.hpp"
#include "policy/ghost_curve.hpp"
#include "policy/visit_clock.hpp"
#include "reader_reach.hpp"

#include <leat/cache/chunk_config.hpp>

#include <cstdint>

namespace leat::detail {

class shard_cache;

/// Hits leave a stamp and an end; only those that come long after the last use come here, and all
/// if the policy wants to be told of all. Requests that the owner serves come here, all of them.
class uses {
public:
    uses(shard_cache& cache, chunk_store& chunks) noexcept;

    /// A chunk was given a buffer: time passes for the others.
    void loaded(const chunk& made) noexcept;
    /// A chunk is going to be freed.
    void left(const chunk& gone) noexcept;
    /// A chunk has another header from now on.
    void moved(const chunk& from, const chunk& to) noexcept { curve_.moved(from, to); }
    /// Holders of leases tell of visits, the last use before which was at `before`.
    void visited_elsewhere(const chunk& found, std::int64_t before) noexcept;
    /// A hit at `in`, which has not been noted yet, long after the last use.
    void visited(entry& found, std::uint64_t in) noexcept;
    /// A hit with a hint, which pins. Returns false if the owner has to be told: then it is none.
    [[nodiscard]] bool hit(entry& found, std::uint64_t in, std::uint32_t size, hint given) noexcept;
    [[nodiscard]] const visit_clock& clock() const noexcept { return clock_; }
    /// The owner gives a request the bytes of `found` that it wants.
    void granted(chunk& found, chunk_request& wanted) noexcept;
    /// A grant has come home, and the request pins by it.
    void granted(lease& by, const chunk_request& wanted) noexcept;

    /// The shard may use so many bytes from now on.
    void set_memory(std::uint64_t bytes) noexcept;
    [[nodiscard]] ghost_curve& curve() noexcept { return curve_; }
    [[nodiscard]] const reader_reach& reach() const noexcept { return reach_; }

private:
    void first_used(chunk& landed) noexcept;
    void retain(chunk& found, hint given) noexcept;
    void note(chunk& found, std::uint64_t in, std::uint32_t size) noexcept;
    void time_passes(std::uint64_t bytes) noexcept;
    /// How far its reader has come says something of others.
    void note_reach(const chunk& gone) noexcept;

    shard_cache& cache_;
    chunk_store& chunks_;
    visit_clock clock_;
    ghost_curve curve_;
    reader_reach reach_;
};

}  // namespace leat::detail
