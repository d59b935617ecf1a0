// Chooses keys by their hashes, and compares what ghosts of different sizes miss.
#include "ghost_curve.hpp"

#include <leat/engine/options.hpp>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <new>
#include <utility>

namespace leat::detail {

namespace {

// A chunk of the usual size, as ghosts count bytes: what policies remember of keys that are gone is
// made for pieces of this size.
constexpr std::uint64_t chunk_piece_bytes = 16384;
constexpr double all_hashes = 4294967296.0;  // 2^32

// Of all ghosts, for each chunk that may be followed; their sizes make it seven and a half.
constexpr std::size_t most_keys = 9;

// What one use may add at most to all ghosts, a key and what a policy remembers for each; and how
// much more is wanted at once.
constexpr std::uint64_t bytes_a_use = KiB;
constexpr std::uint64_t bytes_ahead = 8 * KiB;
// Tables, of each ghost and, with all ghosts, for each chunk followed.
constexpr std::uint64_t table_bytes = 4 * KiB;
constexpr std::uint64_t table_bytes_a_chunk = 64;

// By how much the loads of followed keys may be more or less than their share before it is no
// matter of chance any more.
constexpr double least_share = 0.8;
constexpr double most_share = 1.25;
// How far the control may correct, in loads a use. Where a loop just fits, or just does not, the
// ghost may be on the other side of that than the cache: what it says is nothing then about others.
constexpr double most_correction = 0.05;

}  // namespace

unsigned ghost_curve::depth(std::uint64_t key) const noexcept {
    // Other bits than those that choose a shard, or a bucket.
    const std::uint64_t hash = key * 0x9e3779b97f4a7c15u >> 32;
    unsigned found = 0;
    while (found < most_depth && hash < first_rate_ >> found) ++found;
    return found;
}

std::uint64_t ghost_curve::scaled(std::uint64_t bytes) const noexcept {
    if (bytes == chunk_bytes_) return chunk_piece_bytes;
    const double chunks = static_cast<double>(bytes) / static_cast<double>(chunk_bytes_);
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(chunks * chunk_piece_bytes));
}

bool ghost_curve::begin(std::uint64_t chunk_bytes) noexcept {
    if (running()) return true;
    if (most_remembered_ < bytes_to_begin()) return false;
    if (chunk_bytes_ == 0) {
        chunk_bytes_ = chunk_bytes;
        const double chunks = static_cast<double>(memory_) / static_cast<double>(chunk_bytes);
        const double share = std::min(1.0, static_cast<double>(most_) / chunks);
        first_rate_ = static_cast<std::uint64_t>(std::max(1.0, share * all_hashes));
        weight_ = all_hashes / static_cast<double>(first_rate_);
    }
    try {
        for (std::size_t i = 0; i < all_.size(); ++i) all_[i] = make(factors[i]);
    } catch (const std::bad_alloc&) {
        forget();
    }
    count_bytes();
    return running();
}

std::unique_ptr<ghost_cache> ghost_curve::make(double factor) const {
    const auto capacity = factor * static_cast<double>(scaled(memory_)) / weight_;
    return std::make_unique<ghost_cache>(which_, static_cast<std::uint64_t>(capacity), of_real_);
}

void ghost_curve::loaded(const resident& made, std::int64_t now) noexcept {
    const bool ready = begin(made.bytes);
    const std::uint64_t bytes = scaled(made.bytes);
    const unsigned deep = depth(made.key);
    real_bytes_ += bytes;
    fits_ = false;
    bytes_at_[deep] += bytes;
    if (deep <= halved_) return;
    followed_bytes_ += bytes;
    // What goes with its last pin is loaded again with any memory.
    if (!ready || !learns() || made.keep == retention::gone_when_idle) return;
    loads_ += weight_;
    use({made, std::numeric_limits<std::int64_t>::min(), now, true, bytes});
}

void ghost_curve::served(const resident& landed, std::int64_t now) noexcept {
    if (!running() || !followed(landed.key)) return;
    for (std::unique_ptr<ghost_cache>& one : all_) one->served(landed.key, now);
}

void ghost_curve::visited(const resident& found,
                          std::int64_t before,
                          std::int64_t now,
                          bool anew) noexcept {
    if (!running() || !followed(found.key) || !learns()) return;
    use({found, before, now, anew, scaled(found.bytes)});
}

void ghost_curve::left(const resident& gone, std::int64_t latest) noexcept {
    const std::uint64_t bytes = scaled(gone.bytes);
    const unsigned deep = depth(gone.key);
    real_bytes_ -= bytes;
    fits_ = false;
    bytes_at_[deep] -= bytes;
    if (deep <= halved_) return;
    followed_bytes_ -= bytes;
    if (!running()) return;
    for (std::unique_ptr<ghost_cache>& one : all_) one->left(gone, latest);
}

void ghost_curve::moved(const resident& from, const resident& to) noexcept {
    if (!running() || !followed(from.key)) return;
    for (std::unique_ptr<ghost_cache>& one : all_) one->moved(from, to);
}

void ghost_curve::use(const ghost_use& one) noexcept {
    bool changed = !fits_;
    if (changed) fit();
    uses_ += weight_;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        if (all_[i]->use(one)) continue;
        missed_[i] += weight_;
        changed = true;
    }
    if (!changed) return;
    // As many as this if chunks come that are smaller than the first.
    if (keys() > most_keys * most_) follow_fewer();
    count_bytes();
}

/// Of a loop that is a little longer than the memory the ghosts' share must not fit.
void ghost_curve::fit() noexcept {
    fits_ = true;
    if (followed_bytes_ == 0) return;
    const double share = static_cast<double>(followed_bytes_) / static_cast<double>(real_bytes_);
    const double room = static_cast<double>(scaled(memory_)) * share;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        const auto own = static_cast<std::uint64_t>(std::llround(factors[i] * room));
        if (!all_[i]->set_room(own)) fits_ = false;
    }
}

void ghost_curve::follow_fewer() noexcept {
    if (halved_ + 1 >= most_depth) return;
    ++halved_;
    weight_ *= 2;
    followed_bytes_ -= bytes_at_[halved_];
    fits_ = false;
    try {
        for (std::size_t i = 0; i < all_.size(); ++i) {
            std::unique_ptr<ghost_cache> smaller = make(factors[i]);
            all_[i]->hand_over(*smaller, [this](std::uint64_t key) { return followed(key); });
            all_[i] = std::move(smaller);
        }
    } catch (const std::bad_alloc&) {
        forget();
    }
}

void ghost_curve::forget() noexcept {
    for (std::unique_ptr<ghost_cache>& one : all_) one.reset();
    remembered_bytes_ = 0;
    fits_ = false;
}

std::uint64_t ghost_curve::loads_at(size with, std::uint64_t loads) noexcept {
    const auto real = static_cast<double>(loads);
    const double share = loads_ == 0 ? 1 : std::clamp(real / loads_, least_share, most_share);
    const double off = loads_ - missed_[same];
    const double most_off = most_correction * uses_;
    const double more = missed_[with] - loads_ + std::clamp(off, -most_off, most_off);
    // Loads saved are some of those that were followed; loads added were visits.
    const double estimate = std::max(0.0, real + (more < 0 ? share * more : more));
    told_[with] = std::max(told_[with], static_cast<std::uint64_t>(std::llround(estimate)));
    return told_[with];
}

void ghost_curve::set_memory(std::uint64_t bytes, std::size_t most) noexcept {
    memory_ = bytes;
    most_ = most;
    forget();
}

std::uint64_t ghost_curve::bytes_of_all() const noexcept {
    std::uint64_t sum = 0;
    for (const std::unique_ptr<ghost_cache>& one : all_) sum += one ? one->memory_bytes() : 0;
    return sum;
}

void ghost_curve::count_bytes() noexcept {
    remembered_bytes_ = bytes_of_all();
}

std::uint64_t ghost_curve::remembered_bytes() const noexcept {
    assert(remembered_bytes_ == bytes_of_all());
    return remembered_bytes_;
}

std::uint64_t ghost_curve::bytes_to_begin() const noexcept {
    return all_.size() * table_bytes + most_ * table_bytes_a_chunk;
}

std::uint64_t ghost_curve::wanted_bytes() const noexcept {
    return bytes_ahead + (running() ? remembered_bytes() : bytes_to_begin());
}

bool ghost_curve::learns() const noexcept {
    return most_remembered_ == std::numeric_limits<std::uint64_t>::max() ||
           remembered_bytes() + bytes_a_use <= most_remembered_;
}

std::size_t ghost_curve::keys() const noexcept {
    std::size_t sum = 0;
    for (const std::unique_ptr<ghost_cache>& one : all_) sum += one ? one->size() : 0;
    return sum;
}

}  // namespace leat::detail
