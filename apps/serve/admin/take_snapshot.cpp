// Collects the counters of the engine, the cache and the shards' servers.
#include "take_snapshot.hpp"

#include <leat/version.hpp>

#include <algorithm>

namespace leat::serve {

namespace {

using std::chrono::steady_clock;

task<shard_report> report(per_shard<shard_server>& servers, std::size_t most) {
    co_return servers.local().report(most);
}

/// All at once, so that the slowest decides how long it takes.
std::vector<std::optional<shard_report>> ask_shards(const running_server& of,
                                                    std::size_t most,
                                                    steady_clock::time_point until) {
    std::vector<spawned<shard_report>> asked;
    for (unsigned shard = 0; shard < of.cores.shards(); ++shard)
        asked.push_back(of.cores.spawn_on(shard, report(of.servers, most)));
    std::vector<std::optional<shard_report>> told;
    for (spawned<shard_report>& one : asked) {
        const auto left = std::max(until - steady_clock::now(), steady_clock::duration{0});
        try {
            told.emplace_back(one.get(left));
        } catch (const boost::system::system_error&) {  // too late, or the engine has stopped
            told.emplace_back();
        }
    }
    return told;
}

}  // namespace

server_snapshot take_snapshot(const running_server& of,
                              const server_start& start,
                              recent_statistics& cache,
                              std::size_t most,
                              time_span patience) {
    const auto until = later(steady_clock::now(), patience);
    const auto left = [until] {
        return std::max(until - steady_clock::now(), steady_clock::duration{0});
    };
    server_snapshot all;
    all.version = library_version();
    all.root = of.shared.options.root;
    for (const listener& one : of.shared.listeners) all.addresses.push_back(one.address());
    all.started = start.time;
    all.draining = of.shared.draining;
    all.chunk_size = of.shared.manager->chunk_size();
    std::vector<std::optional<shard_report>> served = ask_shards(of, most, until);
    std::vector<std::optional<shard_statistics>> loops = of.cores.statistics(left());
    for (std::size_t index = 0; index < served.size(); ++index)
        all.shards.push_back({std::move(loops[index]), std::move(served[index])});
    all.cache = cache.of(*of.shared.manager, left());
    all.taken = std::chrono::system_clock::now();
    all.age = steady_clock::now() - start.ticks;
    return all;
}

}  // namespace leat::serve
