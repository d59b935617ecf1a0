// Options of engines for tests: small, unpinned, as many shards as wanted.
#pragma once

#include "print.hpp"

#include <leat/engine/options.hpp>

namespace leat::test {

inline constexpr auto both_backends = {io::backend_kind::uring, io::backend_kind::thread};

[[nodiscard]] inline engine_options small_engine(
    unsigned shards,
    std::uint64_t memory,
    std::uint64_t chunk_size,
    io::backend_kind kind = io::backend_kind::automatic) {
    engine_options options;
    options.shards = shards;
    // Buffers are to have all of `memory`, whatever entries take.
    const bool roomy = shards != 0 && memory / shards > 2 * chunk_size;
    options.memory = roomy ? memory + shards * 128 * KiB : memory;
    options.chunk_size = chunk_size;
    options.pin = false;
    options.spin = std::chrono::microseconds{20};
    options.backend.kind = kind;
    return options;
}

}  // namespace leat::test
