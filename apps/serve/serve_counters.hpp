// What a shard of leat-serve has done.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace leat::serve {

/// Plain counters of one shard, read on it.
struct serve_counters {
    /// Statuses by their first digit.
    std::array<std::uint64_t, 6> answers{};
    std::uint64_t accepted = 0;     ///< connections
    std::uint64_t turned_away = 0;  ///< connections beyond a limit
    std::uint64_t handshakes_failed = 0;
    std::uint64_t cut_off = 0;      ///< answers that did not come to their end
    std::uint64_t timed_out = 0;    ///< connections that ended by a deadline
    std::uint64_t body_bytes = 0;   ///< of content that sockets have taken
    std::uint64_t ranges = 0;       ///< answers with a part of a file
    std::uint64_t connections = 0;  ///< open now

    /// How long answers took, from the head until the socket had all: bucket n counts those of less
    /// than 2^n microseconds that are in none before; the last one counts all others.
    static constexpr std::size_t buckets = 28;
    std::array<std::uint64_t, buckets> took{};
    std::chrono::nanoseconds took_in_all{0};

    void count_time(std::chrono::nanoseconds time) noexcept {
        const auto us = static_cast<std::uint64_t>(time / std::chrono::microseconds{1});
        const auto bucket = static_cast<std::size_t>(std::bit_width(us));
        ++took[bucket < buckets ? bucket : buckets - 1];
        took_in_all += time;
    }
    void add(const serve_counters& other) noexcept {
        for (std::size_t at = 0; at < answers.size(); ++at) answers[at] += other.answers[at];
        for (std::size_t at = 0; at < buckets; ++at) took[at] += other.took[at];
        took_in_all += other.took_in_all;
        accepted += other.accepted;
        turned_away += other.turned_away;
        handshakes_failed += other.handshakes_failed;
        cut_off += other.cut_off;
        timed_out += other.timed_out;
        body_bytes += other.body_bytes;
        ranges += other.ranges;
        connections += other.connections;
    }
};

}  // namespace leat::serve
