// How many chunks would be loaded with more memory, or less, estimated while the cache runs.
#pragma once

#include "ghost_cache.hpp"

#include <leat/engine/cache_policy.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

namespace leat::detail {

/// Ghosts of one shard's cache, with half its memory, all, twice and four times, by the same
/// policy. They are told of loads, and of hits that come so long after the last use that they may
/// begin a visit (see visit_clock): none of it is on the fast path, and other hits would be hits
/// with half the memory, too.
///
/// Where the memory holds many chunks only some keys are followed, chosen by their hashes, in
/// caches that are smaller in proportion: spatial sampling as in SHARDS (Waldspurger et al., FAST
/// 2015), and any policy as in Miniature Simulations (Waldspurger et al., USENIX ATC 2017). The
/// ghost with the memory there is serves as control: it says how far ghosts are from the truth. So
/// do the loads and chunks of the real cache that are followed, of all there are: the ghosts' room
/// follows their share.
///
/// Costs memory for up to nine keys for each chunk followed, some 170 bytes each with what policies
/// remember. No call fails: without memory there are no estimates, or keys are forgotten. One
/// thread.
class ghost_curve {
public:
    enum size : std::uint8_t { half, same, twice, four_times };
    static constexpr std::array factors{0.5, 1.0, 2.0, 4.0};

    /// Of a cache of `memory` bytes; at most `most` of the chunks that it holds are followed.
    ghost_curve(cache_policy which,
                std::uint64_t memory,
                ghost_cache::latest_use of_real,
                std::size_t most = 1024) noexcept
        : which_(which), memory_(memory), of_real_(of_real), most_(most) {}

    /// A chunk has come into the cache.
    void loaded(const resident& made, std::int64_t now) noexcept;
    /// The use for which it came, if that is later.
    void served(const resident& landed, std::int64_t now) noexcept;
    /// A hit, long after the use at `before`; `anew` if it does not go on where a reader stopped.
    void visited(const resident& found, std::int64_t before, std::int64_t now, bool anew) noexcept;
    /// A chunk, last used at `latest`, leaves the cache.
    void left(const resident& gone, std::int64_t latest) noexcept;

    /// A chunk has another header from now on.
    void moved(const resident& from, const resident& to) noexcept;

    /// How many chunks would have been loaded, where `loads` were. Never decreases.
    [[nodiscard]] std::uint64_t loads_at(size with, std::uint64_t loads) noexcept;
    /// The cache may have so many bytes from now on, and at most `most` of its chunks are followed.
    /// Ghosts begin anew.
    void set_memory(std::uint64_t bytes, std::size_t most) noexcept;
    /// What the ghosts take, in bytes.
    [[nodiscard]] std::uint64_t remembered_bytes() const noexcept;
    /// What would be of use to them until it is told anew: more, as far as they do not begin yet.
    [[nodiscard]] std::uint64_t wanted_bytes() const noexcept;
    /// They take no more than so many: where that is too little they do not begin, or learn nothing
    /// any more.
    void remember_at_most(std::uint64_t bytes) noexcept { most_remembered_ = bytes; }
    /// Keys that are kept, of all ghosts.
    [[nodiscard]] std::size_t keys() const noexcept;

private:
    // A key is followed up to some depth: so often the rate can be halved.
    static constexpr unsigned most_depth = 32;

    [[nodiscard]] unsigned depth(std::uint64_t key) const noexcept;
    [[nodiscard]] bool followed(std::uint64_t key) const noexcept { return depth(key) > halved_; }
    [[nodiscard]] bool running() const noexcept { return all_.back() != nullptr; }
    [[nodiscard]] std::uint64_t bytes_to_begin() const noexcept;
    /// Whether there is memory for what one use more may bring.
    [[nodiscard]] bool learns() const noexcept;
    [[nodiscard]] std::uint64_t scaled(std::uint64_t bytes) const noexcept;
    bool begin(std::uint64_t chunk_bytes) noexcept;
    [[nodiscard]] std::unique_ptr<ghost_cache> make(double factor) const;
    [[nodiscard]] std::uint64_t bytes_of_all() const noexcept;
    void count_bytes() noexcept;
    void use(const ghost_use& one) noexcept;
    void fit() noexcept;
    void follow_fewer() noexcept;
    void forget() noexcept;

    cache_policy which_;
    std::uint64_t memory_;
    ghost_cache::latest_use of_real_;
    std::size_t most_;
    std::uint64_t most_remembered_ = std::numeric_limits<std::uint64_t>::max();

    std::array<std::unique_ptr<ghost_cache>, factors.size()> all_;
    std::uint64_t chunk_bytes_ = 0;  ///< of the first chunk that came
    std::uint64_t first_rate_ = 0;   ///< of 2^32 hashes, how many are followed
    unsigned halved_ = 0;            ///< times, since
    double weight_ = 1;              ///< how many keys one that is followed stands for
    std::uint64_t remembered_bytes_ = 0;
    bool fits_ = false;  ///< the ghosts' room is their share of the real cache as it is now

    // Bytes in the real cache, scaled: of all chunks, and of those followed, by depth.
    std::uint64_t real_bytes_ = 0;
    std::uint64_t followed_bytes_ = 0;
    std::array<std::uint64_t, most_depth + 1> bytes_at_{};

    // By weight, since the beginning: uses that ghosts were told of, loads among them, and what
    // each ghost missed.
    double uses_ = 0;
    double loads_ = 0;
    std::array<double, factors.size()> missed_{};
    std::array<std::uint64_t, factors.size()> told_{};
};

}  // namespace leat::detail
