// What a run does, decided by its seed before it begins.
#pragma once

#include "faults.hpp"

#include <cstdint>
#include <set>
#include <vector>

namespace leat::sim {

/// What one step of an actor is.
enum class deed : std::uint8_t {
    get,          ///< get_chunk, and hold the slice
    get_limited,  ///< the same with_timeout
    get_many,     ///< several at once, in a scope
    read,         ///< across chunks
    walk,         ///< a slice_stream, perhaps dropped early
    abandon,      ///< whole chunks at once, given up soon
    send,         ///< slices, to a peer that is connected to
    serve,        ///< the same, to peers that come
    peek,         ///< what is there
    receive,      ///< what a peer sends
    reopen,       ///< another handle, the old one dropped
    hop,          ///< to another shard
    nap,          ///< sleep
    give_way,     ///< yield
    drop,         ///< a held slice, here or elsewhere, or share it, or give it to another actor
    misuse,       ///< requests that must be refused
    disturb,      ///< the files change
    burst,        ///< more hits than a turn has
    flood,        ///< more messages at once than a mailbox holds
    invite,       ///< somebody outside asks for a chunk
    ask,          ///< statistics
    resize,       ///< more memory, or less
    count
};

/// One step; the numbers mean what its kind makes of them.
struct action {
    deed kind = deed::give_way;
    unsigned number = 0;  ///< in the whole run
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::uint64_t c = 0;
};

struct actor_plan {
    unsigned shard = 0;
    std::uint64_t start_ns = 0;
    std::vector<action> actions;
};

struct file_plan {
    std::uint64_t size = 0;
    unsigned alignment = 1;
    bool tells_alignment = true;
};

/// What of a seed is run.
struct selection {
    fault_set without;
    bool all = true;  ///< or only these actions:
    std::set<unsigned> actions;
};

struct plan {
    std::uint64_t seed = 0;
    fault_set faults;
    unsigned shards = 1;
    std::uint64_t chunk_size = 0;
    std::uint64_t upper_chunk_size = 0;  ///< of a manager over the manager; 0: there is none
    std::uint64_t grain = 0;             ///< from chunk_size on, each miss reads its chunk
    std::uint64_t memory = 0;            ///< bytes a shard
    bool roomy = false;                  ///< every chunk that can be pinned at once has room
    unsigned credit = 0;                 ///< operations in flight a shard
    unsigned connections = 0;            ///< accepted at once a shard, unless credit allows fewer
    std::uint64_t pin_deadline_ms = 0;
    unsigned reads_at_once = 128;
    std::uint64_t stop_at_ns = 0;  ///< 0: after everything
    unsigned allocation_one_in = 0;
    unsigned fault_permille = 0;  ///< how often a fault of a kind strikes where it can
    std::vector<file_plan> files;
    std::vector<actor_plan> actors;
    unsigned actions = 0;  ///< before any were left out
};

[[nodiscard]] plan make_plan(std::uint64_t seed, const selection& chosen);

}  // namespace leat::sim
