// Walks traces.
#include "replay/replay.hpp"

#include "replay/chunk_piece.hpp"
#include "replay/request_cursor.hpp"
#include "replay/simulated_cache.hpp"

#include <leat/engine/error.hpp>

#include <boost/container_hash/hash.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>

namespace leat::perf {

namespace {

using estimates = std::array<std::uint64_t, 3>;

/// With half the memory, twice and four times.
estimates estimated(const simulated_cache& by, std::uint64_t loads) noexcept {
    using detail::ghost_curve;
    ghost_curve* const curve = by.curve();
    if (curve == nullptr) return {};
    return {curve->loads_at(ghost_curve::half, loads), curve->loads_at(ghost_curve::twice, loads),
            curve->loads_at(ghost_curve::four_times, loads)};
}

}  // namespace

std::size_t first_counted(const trace& of, const replay_options& how) noexcept {
    return how.second_half ? of.requests.size() / 2 : 0;
}

replay_figures replay(const trace& of, const replay_options& how) {
    if (how.memory < how.chunk_size) {
        refuse(errc::budget_too_small, "memory of " + format_size(how.memory) +
                                           " holds no chunk of " + format_size(how.chunk_size));
    }
    simulated_cache cache{how.policy, how.memory, how.chunk_size};
    if (how.curve) cache.estimate_curve();
    request_cursor cursor{of, how.chunk_size, how.split};
    const std::size_t first = first_counted(of, how);
    std::uint64_t loads = 0;
    estimates before{};
    replay_figures found;
    trace_request wanted;
    while (cursor.next(wanted)) {
        if (found.requests == 0 && cursor.index() >= first) before = estimated(cache, loads);
        replay_figures one{.requests = 1, .bytes_served = wanted.size};
        bool missed_before = false;
        each_piece(wanted, how.chunk_size, [&](const chunk_piece& piece) {
            const bool missed = !cache.serve(piece);
            if (missed) {
                one.missed = 1;
                ++one.loads;
                one.reads += missed_before ? 0 : 1;
                one.bytes_read += std::min(
                    how.chunk_size, of.file_bytes[piece.file] - piece.index * how.chunk_size);
            }
            missed_before = missed;
            ++one.pieces;
            one.late_pieces += missed ? 1 : 0;
        });
        loads += one.loads;
        if (cursor.index() >= first) found += one;
    }
    if (cache.curve() != nullptr) {
        const auto [half, twice, four_times] = estimated(cache, loads);
        found.estimates = {half - before[0], twice - before[1], four_times - before[2]};
    }
    return found;
}

std::vector<replay_figures> replay_each(const trace& of, std::span<const replay_options> ways) {
    std::vector<replay_figures> found(ways.size());
    std::atomic<std::size_t> next{0};
    std::mutex failing;
    std::exception_ptr failure;
    const auto work = [&] {
        try {
            for (std::size_t i = next++; i < ways.size(); i = next++)
                found[i] = replay(of, ways[i]);
        } catch (...) {
            const std::lock_guard lock{failing};
            failure = std::current_exception();
            next = ways.size();
        }
    };
    {
        std::vector<std::jthread> others;
        const std::size_t workers = std::min(allowed_cpus().size(), ways.size());
        while (others.size() + 1 < workers) others.emplace_back(work);
        work();
    }
    if (failure) std::rethrow_exception(failure);
    return found;
}

std::uint64_t chunks_asked(const trace& of, std::uint64_t chunk_size) {
    using place = std::pair<std::uint32_t, std::uint64_t>;
    std::unordered_set<place, boost::hash<place>> seen;
    place last{~0U, 0};
    for (const trace_request& wanted : of.requests) {
        each_piece(wanted, chunk_size, [&](const chunk_piece& piece) {
            const place here{piece.file, piece.index};
            if (here != last) seen.insert(here);
            last = here;
        });
    }
    return seen.size();
}

}  // namespace leat::perf
