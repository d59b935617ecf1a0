// Which chunks a cache keeps when not all fit.
#pragma once

#include <boost/system/result.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace leat {

/// What a cache that is full lets go. Each is described where it is built, with its source; all
/// count bytes.
enum class cache_policy : std::uint8_t {
    lru,      ///< the least recently used
    fifo,     ///< the oldest, used or not
    clock,    ///< the oldest that was not used since it was looked at last
    sieve,    ///< as clock, but nothing changes its place
    twoq,     ///< 2Q: what is used once passes through a short queue
    arc,      ///< ARC: learns whether recent or repeated use tells more
    s3fifo,   ///< S3-FIFO: a short queue for what is new, a long one for what is used again
    s3fifo_e  ///< S3-FIFO in which a reader's many requests for one chunk count as one use
};

/// All of them, in the order above.
inline constexpr std::array cache_policies{
    cache_policy::lru,  cache_policy::fifo, cache_policy::clock,  cache_policy::sieve,
    cache_policy::twoq, cache_policy::arc,  cache_policy::s3fifo, cache_policy::s3fifo_e};

/// "lru", "fifo", "clock", "sieve", "twoq", "arc", "s3fifo" or "s3fifo-e".
[[nodiscard]] std::string_view name_of(cache_policy policy) noexcept;

/// The policy of that name. Errors: errc::invalid_option.
///
///     const auto policy = leat::parse_cache_policy("arc");
///     if (policy) options.policy = *policy;
[[nodiscard]] boost::system::result<cache_policy> parse_cache_policy(std::string_view name);

}  // namespace leat
