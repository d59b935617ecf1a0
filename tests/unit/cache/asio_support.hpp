// What the tests of Asio's callers share.
#pragma once

#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/cache/asio/async_requests.hpp>
#include <leat/leat.hpp>

#include <boost/asio.hpp>
#include <boost/test/unit_test.hpp>

namespace leat::test {

/// An engine of two shards and a file of a few chunks.
struct guest_fixture {
    static constexpr std::uint64_t file_size = 400'000;
    std::shared_ptr<script> source = script_of(file_size);
    engine owner{small_engine(2, std::uint64_t{1} << 20, std::uint64_t{1} << 16)};
    chunk_manager manager{owner, scripted_source{source}};
    file from = owner.run(manager.open("any"));

    std::uint64_t pins() { return owner.run(manager.statistics()).pins; }
    std::uint64_t waiting() { return owner.run(manager.statistics()).waiting; }
    /// Makes reads wait until released: then it is `ms`.
    void slow_down(std::int64_t ms) { source->delay_ms = ms; }
    /// The offset of a chunk that shard `wanted` owns.
    std::uint64_t owned_by(unsigned wanted) const {
        std::uint64_t offset = 0;
        while (manager.owner({from, offset, 1}) != wanted) offset += manager.chunk_size();
        return offset;
    }
};

}  // namespace leat::test
