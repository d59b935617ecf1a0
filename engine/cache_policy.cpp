// The names of policies.
#include <leat/engine/cache_policy.hpp>
#include <leat/engine/error.hpp>

namespace leat {

std::string_view name_of(cache_policy policy) noexcept {
    switch (policy) {
        case cache_policy::lru:
            return "lru";
        case cache_policy::fifo:
            return "fifo";
        case cache_policy::clock:
            return "clock";
        case cache_policy::sieve:
            return "sieve";
        case cache_policy::twoq:
            return "twoq";
        case cache_policy::arc:
            return "arc";
        case cache_policy::s3fifo:
            return "s3fifo";
        case cache_policy::s3fifo_e:
            break;
    }
    return "s3fifo-e";
}

boost::system::result<cache_policy> parse_cache_policy(std::string_view name) {
    for (const cache_policy one : cache_policies) {
        if (name_of(one) == name) return one;
    }
    return boost::system::error_code{errc::invalid_option};
}

}  // namespace leat
