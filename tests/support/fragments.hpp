// A cache of fragments over a source of made-up bytes, and what it has read of that.
#pragma once

#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

namespace leat::test {

/// A read of a source, or what is to be one.
struct extent_read {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    friend bool operator==(const extent_read&, const extent_read&) = default;
    friend std::ostream& operator<<(std::ostream& to, const extent_read& one) {
        return to << one.offset << '+' << one.size;
    }
};
using extent_reads = std::vector<extent_read>;

/// Gets the bytes on the shard that it runs on; whether they are right.
[[nodiscard]] inline task<bool> right_bytes(const chunk_manager& manager, chunk_config config) {
    const slice got = co_await manager.get_chunk(config);
    co_return got.size() == config.size&& is_pattern(got.bytes(), 1, config.offset);
}

/// A slice, or an empty one where there is an error.
[[nodiscard]] inline task<slice> get_or_none(const chunk_manager& manager, chunk_config config) {
    as_result asking{manager.get_chunk(config)};
    result<slice> got = co_await asking;
    co_return got ? std::move(*got) : slice{};
}

/// Whether the bytes are right, for a walk in order by requests of `step` bytes, up to `end`.
[[nodiscard]] inline task<bool> right_walk(const chunk_manager& manager,
                                           chunk_config first,
                                           std::uint64_t end) {
    bool right = true;
    const std::uint32_t step = first.size;
    for (; first.offset < end; first.offset += step) {
        first.size = static_cast<std::uint32_t>(std::min<std::uint64_t>(step, end - first.offset));
        const slice got = co_await manager.get_chunk(first);
        right = right && is_pattern(got.bytes(), 1, first.offset);
    }
    co_return right;
}

/// Engine, manager and file; nothing has been read. By default chunks of 1 MiB, 16 of which fit.
template <class Source>
struct fragments_of {
    explicit fragments_of(std::uint64_t file_size,
                          std::uint64_t memory = 16 * MiB,
                          std::uint64_t chunk_size = MiB,
                          unsigned shards = 1,
                          manager_options options = {})
        : fragments_of(file_size, small_engine(shards, memory, chunk_size), options) {}
    fragments_of(std::uint64_t file_size, const engine_options& engine, manager_options options)
        : source(script_with(file_size)),
          owner(engine),
          manager(owner, Source{source}, options),
          from(owner.run(manager.open("any"))) {}

    static std::shared_ptr<script> script_with(std::uint64_t size) {
        std::shared_ptr<script> made = script_of(size);
        made->grain = unit_size;
        return made;
    }
    [[nodiscard]] chunk_config at(std::uint64_t offset,
                                  std::uint64_t size,
                                  hint given = hint::normal) const {
        return {from, offset, static_cast<std::uint32_t>(size), given};
    }
    /// A slice whose bytes have been checked.
    [[nodiscard]] slice get(std::uint64_t offset, std::uint64_t size, unsigned shard = 0) {
        return owner.spawn_on(shard, test::get(manager, at(offset, size))).get();
    }
    [[nodiscard]] bool right(std::uint64_t offset, std::uint64_t size, unsigned shard = 0) {
        return owner.spawn_on(shard, right_bytes(manager, at(offset, size))).get();
    }
    [[nodiscard]] boost::system::error_code code(std::uint64_t offset,
                                                 std::uint64_t size,
                                                 unsigned shard = 0) {
        return owner.spawn_on(shard, code_of(manager, at(offset, size))).get();
    }
    /// By requests of `step` bytes from `begin` to `end`; whether all were right.
    [[nodiscard]] bool walk(std::uint64_t begin,
                            std::uint64_t end,
                            std::uint64_t step,
                            unsigned shard = 0) {
        return owner.spawn_on(shard, right_walk(manager, at(begin, step), end)).get();
    }
    /// Keeps pieces of `size` bytes from `offset` on until there is room for no more.
    [[nodiscard]] std::vector<slice> pin_all(std::uint64_t offset, std::uint64_t size) {
        std::vector<slice> pins;
        for (;; offset += size) {
            slice got = owner.run(get_or_none(manager, at(offset, size, hint::no_wait)));
            if (!got) return pins;
            pins.push_back(std::move(got));
        }
    }
    /// The source's reads since it was last asked, in the order of their offsets.
    [[nodiscard]] extent_reads reads() {
        extent_reads all;
        const std::lock_guard lock{source->mutex};
        for (const script::range& one : source->log) all.push_back({one.offset, one.size});
        source->log.clear();
        std::sort(all.begin(), all.end(),
                  [](const extent_read& a, const extent_read& b) { return a.offset < b.offset; });
        return all;
    }
    [[nodiscard]] cache_statistics sum() { return owner.run(manager.statistics()); }
    /// Returns when nothing is being filled or waits.
    void settle() {
        for (;;) {
            const cache_statistics now = sum();
            if (now.filling_chunks == 0 && now.waiting == 0) return;
            std::this_thread::yield();
        }
    }
    /// Returns when so many reads of the source are in flight.
    void wait_for_reads(int count) const {
        while (source->in_flight != count) std::this_thread::yield();
    }

    std::shared_ptr<script> source;
    engine owner;
    chunk_manager manager;
    file from;
};

/// Of a source that reads each buffer of a list by itself.
using fragments = fragments_of<scripted_source>;

}  // namespace leat::test
