// Misses of one shard, and what runs says of them.
#pragma once

#include "shard/runs.hpp"

#include <leat/cache/detail/chunk_place.hpp>
#include <leat/engine/options.hpp>

#include <cstdint>

namespace leat::test {

/// Misses of one shard, in chunks of one size.
struct misses {
    explicit misses(std::uint64_t memory, std::uint64_t chunk = 10 * MiB)
        : of(memory), stretch(detail::stretch_of(chunk)), chunk_size(chunk) {}

    [[nodiscard]] detail::runs::miss at(std::uint64_t offset, std::uint64_t size) const {
        detail::runs::miss one;
        one.file = file;
        one.index = offset / stretch;
        one.size = size;
        one.stretch = stretch;
        one.chunk = chunk_size;
        one.in = offset % stretch;
        return one;
    }
    std::uint64_t miss(std::uint64_t offset, std::uint64_t size = 4 * KiB) {
        return of.window(at(offset, size));
    }
    std::uint64_t known(std::uint64_t offset, std::uint64_t size, std::uint64_t to_come) {
        detail::runs::miss one = at(offset, size);
        one.known = to_come;
        return of.window(one);
    }
    std::uint64_t stream(std::uint64_t offset, std::uint64_t size = 4 * KiB) {
        detail::runs::miss one = at(offset, size);
        one.stream = true;
        return of.window(one);
    }
    /// Misses each time where what was read ends, `times`; returns where the next would be.
    std::uint64_t read_on(std::uint64_t offset, unsigned times) {
        for (unsigned i = 0; i < times; ++i) offset = next_of(offset, miss(offset));
        return offset;
    }
    /// Of a miss that is alone the fragment is not read, but its run goes on behind it.
    static std::uint64_t next_of(std::uint64_t offset, std::uint64_t window) {
        return (offset + window + detail::fragment_size - 1) / detail::fragment_size *
               detail::fragment_size;
    }

    bool due(std::uint64_t reader) { return of.due(file, reader, stretch); }
    detail::runs::next_window ahead(std::uint64_t reader) {
        return of.ahead(file, reader, stretch, chunk_size, file_size);
    }
    std::uint64_t brought(std::uint64_t offset, std::uint64_t size) {
        return of.brought(file, offset, size, stretch);
    }

    detail::runs of;
    std::uint64_t file_size = 1024 * GiB;
    std::uint64_t stretch;
    std::uint64_t chunk_size;
    std::uint64_t file = 1;
};

}  // namespace leat::test
