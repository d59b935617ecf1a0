// What happened in a run, as a number to compare and as text to read.
#pragma once

#include <cstdint>
#include <string_view>

namespace leat::sim {

/// Hashes every event of a run; prints them too, if wanted. No pointers and no real times go in, so
/// a seed gives the same hash always.
class trace {
public:
    explicit trace(bool print) noexcept : print_(print) {}

    /// At `time` (ns), on `shard` (-1: outside all of them), `what` happened to `a`, `b`, `c`.
    void note(std::uint64_t time,
              int shard,
              std::string_view what,
              std::uint64_t a,
              std::uint64_t b,
              std::uint64_t c) noexcept;

    [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
    [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

private:
    void mix(std::uint64_t value) noexcept {
        hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15u;
        hash_ ^= hash_ >> 29;
    }

    std::uint64_t hash_ = 0xcbf29ce484222325u;
    std::uint64_t events_ = 0;
    bool print_;
};

}  // namespace leat::sim
