// Random numbers that a seed determines, the same on every machine.
#pragma once

#include <cstdint>

namespace leat::sim {

/// One stream of a run (splitmix64, Steele, Lea and Flood, 2014). Streams of different purposes are
/// separate, so that more use of one leaves the others as they are.
class random_stream {
public:
    random_stream(std::uint64_t seed, std::uint64_t purpose) noexcept
        : state_(seed * 0x9e3779b97f4a7c15u ^ (purpose + 1) * 0xd1342543de82ef95u) {
        next();
    }

    std::uint64_t next() noexcept {
        std::uint64_t x = state_ += 0x9e3779b97f4a7c15u;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        return x ^ x >> 31;
    }
    /// 0 ... bound - 1; `bound` is at least 1.
    std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
    /// `least` ... `most`.
    std::uint64_t between(std::uint64_t least, std::uint64_t most) noexcept {
        return least + below(most - least + 1);
    }
    /// True in `permille` of 1000 cases.
    bool chance(unsigned permille) noexcept { return below(1000) < permille; }

private:
    std::uint64_t state_;
};

}  // namespace leat::sim
