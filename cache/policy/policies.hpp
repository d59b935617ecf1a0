// Makes each of the policies.
#pragma once

#include "eviction_policy.hpp"

#include <leat/engine/cache_policy.hpp>

#include <cstdint>
#include <memory>

namespace leat::detail {

// For chunks of `capacity` bytes together. They throw std::bad_alloc.

[[nodiscard]] std::unique_ptr<eviction_policy> make_lru_policy();
[[nodiscard]] std::unique_ptr<eviction_policy> make_fifo_policy();
[[nodiscard]] std::unique_ptr<eviction_policy> make_clock_policy();
[[nodiscard]] std::unique_ptr<eviction_policy> make_sieve_policy();
[[nodiscard]] std::unique_ptr<eviction_policy> make_twoq_policy(std::uint64_t capacity);
[[nodiscard]] std::unique_ptr<eviction_policy> make_arc_policy(std::uint64_t capacity);
[[nodiscard]] std::unique_ptr<eviction_policy> make_s3fifo_policy(std::uint64_t capacity);
[[nodiscard]] std::unique_ptr<eviction_policy> make_s3fifo_e_policy(std::uint64_t capacity);

/// The one that is chosen, which also does what hints say.
[[nodiscard]] std::unique_ptr<eviction_policy> make_policy(cache_policy which,
                                                           std::uint64_t capacity);

}  // namespace leat::detail
