// What caches of other sizes would load, against examples worked by hand and caches of those sizes.
#include "policy/ghost_curve.hpp"

#include "failing_memory.hpp"
#include "policy/policies.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

using leat::cache_policy;
using leat::detail::ghost_curve;
using leat::detail::resident;
using leat::detail::verdict;
using leat::detail::visit_clock;
using leat::test::failing_memory;

namespace {

constexpr std::uint64_t chunk_bytes = 1024 * 1024;

/// A cache without bytes that tells its ghosts what the real one does: of uses long after the last.
class told_cache {
public:
    told_cache(cache_policy which, std::uint64_t chunks, std::size_t most)
        : policy_(leat::detail::make_policy(which, chunks * chunk_bytes)),
          clock_(policy_->tell(), chunks * chunk_bytes),
          left_(chunks * chunk_bytes),
          curve(which, chunks * chunk_bytes, &latest_use, most) {}
    ~told_cache() {
        for (auto& [number, one] : there_) policy_->erase(*one);
    }

    void use(std::uint64_t number, std::uint64_t bytes = chunk_bytes) {
        ++now_;
        if (const auto found = there_.find(number); found != there_.end()) {
            held& one = *found->second;
            if (one.last_use < clock_.visits_horizon()) {
                curve.visited(one, one.last_use, now_, true);
                policy_->reused(one);
                clock_.visited(now_, one.bytes);
            }
            one.last_use = now_;
            return;
        }
        ++loads;
        const std::uint64_t key = (number + 1) * 0xd6e8feb86659fd93 ^ (number << 40);
        policy_->expect(key, bytes);
        while (left_ < bytes) evict();
        left_ -= bytes;
        held& one = free_.empty() ? all_.emplace_back() : *free_.back();
        if (!free_.empty()) free_.pop_back();
        one.number = number;
        one.key = key;
        one.bytes = static_cast<std::uint32_t>(bytes);
        one.used = one.last_use = now_;
        there_[number] = &one;
        policy_->insert(one);
        clock_.visited(now_, bytes);
        curve.loaded(one, now_);
    }
    void use(std::string_view letters) {
        for (const char one : letters) use(static_cast<unsigned char>(one));
    }
    /// With half the memory, twice and four times.
    std::array<std::uint64_t, 3> estimates() {
        return {curve.loads_at(ghost_curve::half, loads), curve.loads_at(ghost_curve::twice, loads),
                curve.loads_at(ghost_curve::four_times, loads)};
    }

private:
    struct held final : resident {
        std::uint64_t number = 0;
        std::int64_t last_use = 0;
    };
    static std::int64_t latest_use(const resident& real) noexcept {
        return static_cast<const held&>(real).last_use;
    }
    static verdict judge(void*, resident& candidate) noexcept {
        auto& one = static_cast<held&>(candidate);
        if (one.used == one.last_use) return verdict::evict;
        one.used = one.last_use;
        return verdict::used;
    }
    void evict() {
        auto& gone = static_cast<held&>(*policy_->victim(&judge, nullptr));
        curve.left(gone, gone.last_use);
        left_ += gone.bytes;
        there_.erase(gone.number);
        free_.push_back(&gone);
        gone.reuses = 0;
    }

    std::unique_ptr<leat::detail::eviction_policy> policy_;
    visit_clock clock_;
    std::uint64_t left_;
    std::int64_t now_ = 0;
    std::deque<held> all_;
    std::vector<held*> free_;
    std::unordered_map<std::uint64_t, held*> there_;

public:
    ghost_curve curve;
    std::uint64_t loads = 0;
};

/// Numbers of which the nth comes as often as 1/n says.
class zipf {
public:
    explicit zipf(std::uint64_t count) {
        double sum = 0;
        for (std::uint64_t i = 1; i <= count; ++i) sums_.push_back(sum += 1.0 / double(i));
    }
    std::uint64_t operator()() {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        const double at = double(state_ >> 11) / 9007199254740992.0 * sums_.back();
        return static_cast<std::uint64_t>(std::lower_bound(sums_.begin(), sums_.end(), at) -
                                          sums_.begin());
    }

private:
    std::vector<double> sums_;
    std::uint64_t state_ = 1;
};

std::uint64_t loads_of(cache_policy which, std::uint64_t chunks, int uses) {
    told_cache other{which, chunks, 1};
    zipf next{4000};
    for (int i = 0; i < uses; ++i) other.use(next());
    return other.loads;
}

double distance(std::uint64_t one, std::uint64_t other, int uses) {
    return std::abs(static_cast<double>(one) - static_cast<double>(other)) / uses;
}

}  // namespace

BOOST_AUTO_TEST_CASE(of_few_chunks_each_is_followed_and_lru_is_exact) {
    // Least recently used first: of four chunks the fifth sends a away, which comes again at the
    // sixth use; b, c and d follow it. With two chunks the pair at the end is all that stays, with
    // eight nothing goes.
    told_cache cache{cache_policy::lru, 4, 512};
    cache.use("abcdeabcd");
    BOOST_TEST(cache.loads == 9u);
    const std::array<std::uint64_t, 3> loop{9, 5, 5};
    BOOST_TEST(cache.estimates() == loop, boost::test_tools::per_element());
    BOOST_TEST(cache.curve.keys() == 2u + 4u + 5u + 5u);
    // Hits in the cache: a and b come after three others each, too late for two chunks.
    cache.use("bcdabcdabcda");
    BOOST_TEST(cache.loads == 9u);
    cache.use("e");
    BOOST_TEST(cache.loads == 10u);
    BOOST_TEST(cache.estimates()[1] == 5u);
}

BOOST_AUTO_TEST_CASE(hits_that_no_ghost_was_told_of_keep_a_chunk) {
    // The first is used between all others: never a visit, always a use.
    told_cache cache{cache_policy::lru, 20, 512};
    for (std::uint64_t i = 1; i <= 200; ++i) {
        cache.use(0);
        cache.use(i);
    }
    BOOST_TEST(cache.loads == 201u);
    const std::array<std::uint64_t, 3> as_many{201, 201, 201};
    BOOST_TEST(cache.estimates() == as_many, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(of_many_chunks_a_sample_tells_nearly_as_much) {
    constexpr int uses = 100'000;
    for (const cache_policy which : {cache_policy::lru, cache_policy::s3fifo_e}) {
        BOOST_TEST_CONTEXT(leat::name_of(which)) {
            told_cache cache{which, 400, 200};
            zipf next{4000};
            for (int i = 0; i < uses; ++i) cache.use(next());
            const std::array<std::uint64_t, 3> found = cache.estimates();
            BOOST_TEST(distance(found[0], loads_of(which, 200, uses), uses) < 0.02);
            BOOST_TEST(distance(found[1], loads_of(which, 800, uses), uses) < 0.02);
            BOOST_TEST(distance(found[2], loads_of(which, 1600, uses), uses) < 0.02);
            BOOST_TEST(cache.curve.keys() < 9 * 200u);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_came_before_does_not_disturb_what_comes) {
    told_cache cache{cache_policy::lru, 100, 512};
    for (std::uint64_t i = 0; i < 5000; ++i) cache.use(1'000'000 + i);
    const std::array<std::uint64_t, 3> before = cache.estimates();
    BOOST_TEST(before[0] == 5000u);
    // From here on a loop that fits into twice the memory.
    for (std::uint64_t i = 0; i < 6000; ++i) cache.use(i % 150);
    const std::array<std::uint64_t, 3> after = cache.estimates();
    BOOST_TEST(cache.loads == 11'000u);
    BOOST_TEST(after[0] - before[0] == 6000u);
    BOOST_TEST(after[1] - before[1] == 150u);
    BOOST_TEST(after[2] - before[2] == 150u);
}

BOOST_AUTO_TEST_CASE(a_loop_that_just_does_not_fit_is_not_taken_for_one_that_does) {
    constexpr std::uint64_t loop = 5025;
    told_cache cache{cache_policy::lru, 5000, 256};
    for (std::uint64_t i = 0; i < 8 * loop; ++i) cache.use(i % loop);
    BOOST_TEST(cache.loads == 8 * loop);
    BOOST_TEST(distance(cache.estimates()[1], loop, 8 * loop) <= 0.06);
}

BOOST_AUTO_TEST_CASE(smaller_chunks_make_it_follow_fewer) {
    told_cache cache{cache_policy::lru, 400, 100};
    for (std::uint64_t i = 0; i < 2000; ++i) cache.use(i);
    zipf next{20'000};
    for (int i = 0; i < 100'000; ++i) {
        cache.use(100'000 + next(), chunk_bytes / 16);
        BOOST_REQUIRE(cache.curve.keys() <= 9 * 100u + 4);
    }
    const std::array<std::uint64_t, 3> found = cache.estimates();
    BOOST_TEST(found[0] > cache.loads);
    BOOST_TEST(found[1] < cache.loads);
    BOOST_TEST(found[2] <= found[1]);
}

BOOST_AUTO_TEST_CASE(without_memory_there_are_no_estimates_but_nothing_fails) {
    for (std::int64_t nth = 1; nth < 40; ++nth) {
        told_cache cache{cache_policy::s3fifo_e, 8, 512};
        cache.use("abcdefgh");  // the cache has what it needs
        for (int i = 0; i < 8; ++i) cache.use("ijklmnopqrstuvwxyz");
        ghost_curve curve{cache_policy::s3fifo_e, 8 * chunk_bytes,
                          [](const resident& one) noexcept { return one.used; }};
        std::deque<resident> chunks(64);
        for (std::size_t i = 0; i < chunks.size(); ++i) {
            chunks[i].key = (i + 1) * 0xd6e8feb86659fd93;
            chunks[i].bytes = chunk_bytes;
        }
        const failing_memory none{nth, true};
        for (std::int64_t now = 1; now <= 640; ++now) {
            const resident& one = chunks[static_cast<std::size_t>(now) % chunks.size()];
            curve.loaded(one, now);
            curve.visited(one, now, now, true);
            curve.left(one, now);
        }
        failing_memory::end();
        BOOST_TEST(curve.loads_at(ghost_curve::half, 640) <= 1280u);
    }
}
