// As many hits as a program is told to make, and nothing else that depends on their number.
#pragma once

#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/cache/recording.hpp>

#include <cstdint>
#include <cstdlib>
#include <optional>

namespace leat::test {

using hit_maker = task<std::uint64_t>(const chunk_manager&, file_id, std::uint64_t count);

/// Of the first chunk.
inline task<std::uint64_t> hits(const chunk_manager& manager, file_id file, std::uint64_t count) {
    std::uint64_t sum = 0;
    for (std::uint64_t n = 0; n < count; ++n) {
        const slice got = co_await manager.get_chunk({file, (n & 7) * 4096, 4096});
        sum += static_cast<std::uint64_t>(got.bytes().front());
    }
    co_return sum;
}

inline task<std::uint64_t> run(chunk_manager& manager, std::uint64_t count, hit_maker& make) {
    const file opened = co_await manager.open("f");
    co_return co_await make(manager, opened, count);
}

/// `record` is the file to record them in, or nullptr. Where chunks are larger than fragments, the
/// hits are those of a fragment. The file has `chunks` chunks. Gives the exit code.
inline int make_hits(int count,
                     char** values,
                     const char* record,
                     std::uint64_t chunk_size = detail::fragment_size,
                     std::uint64_t chunks = 1,
                     hit_maker& make = hits) {
    using namespace literals;
    if (count != 2) return 2;
    // Nothing that waits busily: instructions are to depend on the hits alone.
    engine_options options = small_engine(1, 16 * chunk_size, chunk_size, io::backend_kind::thread);
    options.spin = std::chrono::microseconds{0};
    engine owner{options};
    const std::shared_ptr<script> source = script_of(chunks * chunk_size);
    source->grain = detail::fragment_size;
    chunk_manager manager{owner, scripted_source{source}};
    std::optional<recording> tape;
    if (record != nullptr) tape.emplace(manager, record);
    const std::uint64_t sum = owner.run(run(manager, std::strtoull(values[1], nullptr, 10), make));
    return sum == 0 ? 1 : 0;
}

}  // namespace leat::test
