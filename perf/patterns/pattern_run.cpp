// An engine, its clients on their shards, and what is counted between two moments at rest.
#include "patterns/pattern_run.hpp"

#include "patterns/made_up_source.hpp"
#include "patterns/pattern_client.hpp"

#include <leat/leat.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace leat::perf {

namespace {

/// What has been counted up to a moment when nothing is being read.
struct counted {
    cache_statistics cache;
    std::uint64_t reads = 0;
    std::uint64_t bytes = 0;
};

class pattern_engine {
public:
    pattern_engine(const trace& of, const pattern_way& how)
        : by_(options_for(how)),
          manager_(by_, made_up_source{of.file_bytes, counts_}),
          service_{.of = of,
                   .manager = manager_,
                   .counts = counts_,
                   .clients = how.clients,
                   .by = how.by,
                   .given = how.given} {
        by_.run(open_files());
        for (unsigned i = 0; i < how.clients; ++i) clients_.emplace_back(service_, i);
    }
    pattern_engine(const pattern_engine&) = delete;
    pattern_engine& operator=(const pattern_engine&) = delete;
    ~pattern_engine() {
        for (unsigned shard = 0; shard < by_.shards(); ++shard)
            by_.spawn_on(shard, drop_streams(shard)).get();
    }

    /// Serves the requests from `first` to before `end`.
    void serve(std::size_t first, std::size_t end) {
        std::vector<spawned<void>> running;
        for (unsigned shard = 0; shard < by_.shards(); ++shard)
            running.push_back(by_.spawn_on(shard, serve_on(shard, first, end)));
        for (spawned<void>& one : running) one.get();
        for (const pattern_client& one : clients_) {
            if (!one.fault().empty())
                throw std::runtime_error(service_.of.name + ": " + one.fault());
        }
    }
    [[nodiscard]] counted settle() { return by_.run(settled()); }

private:
    static engine_options options_for(const pattern_way& how) {
        engine_options options = how.engine;
        if (options.shards == 0 && options.cpus.empty()) options.shards = 1;
        return options;
    }
    task<> open_files() {
        for (std::size_t i = 0; i < service_.of.file_bytes.size(); ++i) {
            file opened = co_await manager_.open(std::to_string(i));
            service_.files.push_back(std::move(opened));
        }
    }
    task<> serve_on(unsigned shard, std::size_t first, std::size_t end) {
        scope running;
        for (std::size_t i = shard; i < clients_.size(); i += by_.shards())
            running.spawn(clients_[i].serve(first, end));
        co_await running.join();
    }
    task<> drop_streams(unsigned shard) {
        for (std::size_t i = shard; i < clients_.size(); i += by_.shards())
            clients_[i].drop_stream();
        co_return;
    }
    task<counted> settled() {
        constexpr std::chrono::milliseconds between{2};
        counted before;
        for (;;) {
            counted now;
            now.cache = co_await manager_.statistics();
            now.reads = counts_.reads.load();
            now.bytes = counts_.bytes.load();
            if (now.cache.filling_chunks == 0 && now.reads == before.reads) co_return now;
            before = now;
            co_await sleep(between);
        }
    }

    source_counts counts_;
    engine by_;
    chunk_manager manager_;
    pattern_service service_;
    std::deque<pattern_client> clients_;
};

}  // namespace

replay_figures run_pattern(const trace& of, const pattern_way& how) {
    pattern_engine serving{of, how};
    const std::size_t half = of.requests.size() / 2;
    serving.serve(0, half);
    const counted before = serving.settle();
    serving.serve(half, of.requests.size());
    const counted after = serving.settle();
    const cache_statistics cache = after.cache.since(before.cache);
    replay_figures found;
    found.requests = of.requests.size() - half;
    for (std::size_t i = half; i < of.requests.size(); ++i)
        found.bytes_served += of.requests[i].size;
    found.pieces = cache.hits + cache.misses;
    found.late_pieces = cache.misses;
    found.loads = cache.fills;
    found.reads = after.reads - before.reads;
    found.bytes_read = after.bytes - before.bytes;
    return found;
}

}  // namespace leat::perf
