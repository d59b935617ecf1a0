// What a shard's cache is made of.
#pragma once

#include "answers.hpp"
#include "chunk_store.hpp"
#include "eviction.hpp"
#include "fills.hpp"
#include "granted_leases.hpp"
#include "held_leases.hpp"
#include "home_requests.hpp"
#include "owner_requests.hpp"
#include "runs.hpp"
#include "shard_memory.hpp"
#include "uses.hpp"

#include <leat/cache/statistics.hpp>

namespace leat::detail {

/// Each knows those above it, whom it calls; only `answers` goes back to the requests at home,
/// where each request ends.
struct shard_parts {
    /// Throws std::bad_alloc.
    shard_parts(shard_cache& cache,
                std::uint64_t bytes,
                std::uint64_t least,
                io::buffer_arena& arena)
        : memory(arena, bytes, least),
          runs(bytes),
          chunks(cache, memory, pages),
          uses(cache, chunks),
          held_leases(cache, memory, pages),
          granted_leases(cache, chunks, counts),
          answers(cache, uses, granted_leases),
          fills(cache, chunks, granted_leases, answers, counts),
          eviction(cache, chunks, uses, granted_leases, fills, counts, memory),
          owner_requests(cache, chunks, eviction, fills, answers, counts),
          home_requests(cache, uses, held_leases, owner_requests, runs, counts) {}

    cache_statistics counts;
    shard_memory memory;
    detail::runs runs;
    entry_pages pages;
    chunk_store chunks;
    detail::uses uses;
    detail::held_leases held_leases;
    detail::granted_leases granted_leases;
    detail::answers answers;
    detail::fills fills;
    detail::eviction eviction;
    detail::owner_requests owner_requests;
    detail::home_requests home_requests;
};

}  // namespace leat::detail
