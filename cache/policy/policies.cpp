// Chooses a policy, and lets hints go before it.
#include "policies.hpp"

#include "hinted_policy.hpp"

namespace leat::detail {

namespace {
std::unique_ptr<eviction_policy> make_ordered(cache_policy which, std::uint64_t capacity) {
    switch (which) {
        case cache_policy::lru:
            return make_lru_policy();
        case cache_policy::fifo:
            return make_fifo_policy();
        case cache_policy::clock:
            return make_clock_policy();
        case cache_policy::sieve:
            return make_sieve_policy();
        case cache_policy::twoq:
            return make_twoq_policy(capacity);
        case cache_policy::arc:
            return make_arc_policy(capacity);
        case cache_policy::s3fifo:
            return make_s3fifo_policy(capacity);
        case cache_policy::s3fifo_e:
            break;
    }
    return make_s3fifo_e_policy(capacity);
}
}  // namespace

std::unique_ptr<eviction_policy> make_policy(cache_policy which, std::uint64_t capacity) {
    return make_hinted_policy(make_ordered(which, capacity));
}

}  // namespace leat::detail
