// Two shards of one cache, each with chunks of its own.
#pragma once

#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace leat::test {

/// Whether the bytes are there, on the shard that it runs on; a use.
[[nodiscard]] inline task<bool> present(const chunk_manager& manager, chunk_config config) {
    co_return static_cast<bool>(manager.peek(config));
}

/// Two shards with room for `room` chunks each, and the chunks that each owns.
struct two_shards {
    explicit two_shards(std::uint64_t room, cache_policy policy = cache_policy::s3fifo_e)
        : owner(options(room, policy)),
          manager(owner, scripted_source{source}, {.pin_deadline = std::chrono::seconds{60}}) {
        from = owner.run(manager.open("any"));
        for (std::uint64_t index = 0; index < 4096; ++index) {
            const chunk_config config{from, index * 64 * KiB, 100};
            owned[manager.owner(config)].push_back(config);
        }
    }
    void use(unsigned shard, const chunk_config& config) {
        owner.spawn_on(shard, get(manager, config)).get();
    }
    cache_statistics sum() { return owner.run(manager.statistics()); }
    boost::system::error_code code_on(unsigned shard, chunk_config config) {
        return owner.spawn_on(shard, code_of(manager, config)).get();
    }

    static engine_options options(std::uint64_t room, cache_policy policy) {
        engine_options made = small_engine(2, 2 * room * 64 * KiB, 64 * KiB);
        made.policy = policy;
        return made;
    }
    [[nodiscard]] bool has(unsigned shard, const chunk_config& config) {
        return owner.spawn_on(shard, present(manager, config)).get();
    }

    std::shared_ptr<script> source = script_of(4096 * 64 * KiB);
    engine owner;
    chunk_manager manager;
    file from;
    std::vector<chunk_config> owned[2];
};

}  // namespace leat::test
