// The timed loops of hits: through co_await, and over the bare table.
#pragma once

#include "common/clocks.hpp"
#include "common/pages.hpp"
#include "common/sink.hpp"

#include <leat/leat.hpp>

#include <cstddef>
#include <cstdint>

namespace leat::perf {

/// How many requests a loop made, how long it took, and the sum of what it read.
struct loop_result {
    std::uint64_t count = 0;
    double seconds = 0;
    std::uint64_t sum = 0;
    [[nodiscard]] double ns() const noexcept { return seconds * 1e9 / static_cast<double>(count); }
};

/// Between looks at the clock.
inline constexpr std::size_t loop_batch = 1024;

/// Calls request(page number), which returns a word, until `seconds` are over.
template <class Request>
loop_result plain_loop(const page_order& order, double seconds, Request request) {
    loop_result result;
    const std::size_t mask = order.size() - 1;
    const auto begin = clock::now();
    const auto end = later(begin, duration_of(seconds));
    auto now = begin;
    do {
        std::uint64_t sum = 0;
        for (std::size_t n = 0; n < loop_batch; ++n)
            sum += request(std::uint64_t{order[(result.count + n) & mask]});
        result.sum += sum;
        result.count += loop_batch;
        now = clock::now();
    } while (now < end);
    result.seconds = seconds_between(begin, now);
    return result;
}

/// One coroutine on one shard that asks for pages and calls consume(data), which returns a word.
template <class Consume>
task<loop_result> hit_loop(const chunk_manager& manager,
                           file_id file,
                           const page_order& order,
                           double seconds,
                           Consume consume) {
    loop_result result;
    const std::size_t mask = order.size() - 1;
    const auto begin = clock::now();
    const auto end = later(begin, duration_of(seconds));
    auto now = begin;
    do {
        std::uint64_t sum = 0;
        for (std::size_t n = 0; n < loop_batch; ++n) {
            const std::uint64_t offset = order[(result.count + n) & mask] * page_bytes;
            const chunk_config config{file, offset, page_bytes};
            const slice held = co_await manager.get_chunk(config);
            sum += consume(held.data());
        }
        result.sum += sum;
        result.count += loop_batch;
        now = clock::now();
    } while (now < end);
    result.seconds = seconds_between(begin, now);
    co_return result;
}

/// The floor of a hit: lookup, pin, touch and unpin in the same table, without a coroutine.
inline loop_result floor_loop(std::uint64_t chunk_size,
                              const file& from,
                              const page_order& order,
                              double seconds) {
    detail::shard_cache& cache = detail::shard_cache::current();
    const detail::reciprocal by_chunk{chunk_size};
    const file_id file = from;
    const detail::manager_core& manager = *from.record()->manager;
    return plain_loop(order, seconds, [&](std::uint64_t page) {
        const std::uint64_t offset = page * page_bytes;
        const std::uint64_t index = by_chunk.divide(offset);
        const detail::chunk_place place{index, offset - index * chunk_size};
        detail::entry* const found =
            cache.hit(manager, file.number, place, page_bytes, cache.home());
        if (found == nullptr) return std::uint64_t{0};
        const std::uint64_t word =
            first_word(reinterpret_cast<const std::byte*>(found->base + place.in));
        cache.unpin(*found, page_bytes);
        return word;
    });
}

}  // namespace leat::perf
