// Clients that take requests in turn, and the engine that serves them.
#include "replay/real_replay.hpp"

#include "common/clocks.hpp"
#include "common/sink.hpp"
#include "replay/chunk_piece.hpp"
#include "replay/request_cursor.hpp"

#include <leat/leat.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

namespace leat::perf {

namespace {

/// Requests that a client is served at once without a pause: what the device has brought meanwhile
/// waits for the end of the turn.
constexpr unsigned hits_at_once = 64;

/// Where in a file the chunks of a trace's files lie.
class places {
public:
    places(const trace& of, std::uint64_t file_bytes, std::uint64_t chunk_size)
        : chunk_size_(chunk_size), chunks_(file_bytes / chunk_size) {
        for (const std::uint64_t bytes : of.file_bytes) {
            first_chunks_.push_back(all_);
            all_ += (bytes + chunk_size - 1) / chunk_size;
        }
    }
    [[nodiscard]] std::uint64_t chunks() const noexcept { return chunks_; }
    [[nodiscard]] bool shared() const noexcept { return all_ > chunks_; }
    [[nodiscard]] std::uint64_t offset_of(const chunk_piece& piece) const noexcept {
        return (first_chunks_[piece.file] + piece.index) % chunks_ * chunk_size_ + piece.in;
    }

private:
    std::uint64_t chunk_size_;
    std::uint64_t chunks_;  // of the file
    std::uint64_t all_ = 0;
    std::vector<std::uint64_t> first_chunks_;
};

/// Hands the requests out, to clients on any shard.
class shared_requests {
public:
    struct taken {
        trace_request wanted;
        bool counted = false;
        bool first_counted = false;
    };

    shared_requests(const trace& of, const replay_options& how)
        : cursor_(of, how.chunk_size, how.split), first_(first_counted(of, how)) {}

    [[nodiscard]] bool take(taken& into) {
        const std::lock_guard lock{mutex_};
        if (!cursor_.next(into.wanted)) return false;
        into.counted = cursor_.index() >= first_;
        into.first_counted = into.counted && !counting_;
        counting_ = into.counted;
        return true;
    }

private:
    std::mutex mutex_;
    request_cursor cursor_;
    std::size_t first_;
    bool counting_ = false;
};

/// What all clients share.
struct real_run {
    real_run(const trace& of, const replay_options& how, chunk_manager& by, leat::file from_)
        : requests(of, how),
          manager(by),
          from(std::move(from_)),
          where(of, from.size(), how.chunk_size) {}

    shared_requests requests;
    chunk_manager& manager;
    leat::file from;
    places where;
    cache_statistics before;
    clock::time_point begin = clock::now();
};

/// Gets the request piece by piece, which it counts; gives whether it had to wait.
task<bool> serve(const real_run& all, trace_request wanted, std::uint64_t& pieces) {
    const std::uint64_t chunk_size = all.manager.chunk_size();
    bool waited = false;
    for (std::uint64_t done = 0; done < wanted.size;) {
        const chunk_piece piece = piece_at(wanted, wanted.offset + done, chunk_size);
        const chunk_config asked{all.from, all.where.offset_of(piece), piece.size, piece.hint};
        slice held = all.manager.peek(asked);
        if (!held) {
            waited = true;
            held = co_await all.manager.get_chunk(asked);
        }
        keep(std::to_integer<unsigned char>(held.bytes().front()));
        done += piece.size;
        ++pieces;
    }
    co_return waited;
}

task<> serve_in_turn(real_run& all, replay_figures& found) {
    shared_requests::taken next;
    unsigned hits = 0;
    while (all.requests.take(next)) {
        if (next.first_counted) {
            all.before = co_await all.manager.statistics();
            all.begin = clock::now();
        }
        std::uint64_t pieces = 0;
        const bool waited = co_await serve(all, next.wanted, pieces);
        hits = waited ? 0 : hits + 1;
        if (hits % hits_at_once == hits_at_once - 1) co_await yield{};
        if (!next.counted) continue;
        ++found.requests;
        found.pieces += pieces;
        found.missed += waited ? 1 : 0;
        found.bytes_served += next.wanted.size;
    }
}

task<> serve_all(real_run& all, unsigned clients, replay_figures& found) {
    scope running;
    for (unsigned i = 0; i < clients; ++i) running.spawn(serve_in_turn(all, found));
    co_await running.join();
}

/// The statistics when nothing is being filled any more.
task<cache_statistics> settled(real_run& all) {
    constexpr std::chrono::milliseconds between{2};
    for (;;) {
        const cache_statistics now = co_await all.manager.statistics();
        if (now.filling_chunks == 0) co_return now;
        co_await sleep(between);
    }
}

engine_options options_for(const replay_options& how, const real_options& with) {
    engine_options options = with.engine;
    options.memory = how.memory;
    options.chunk_size = how.chunk_size;
    options.policy = how.policy;
    // The simulation's is one shard's cache, too.
    if (options.shards == 0 && options.cpus.empty()) options.shards = 1;
    return options;
}

}  // namespace

real_outcome replay_for_real(const trace& of, const replay_options& how, const real_options& with) {
    engine by{options_for(how, with)};
    chunk_manager manager{by, file_source{}};
    real_run all{of, how, manager, by.run(manager.open(with.path))};
    if (all.where.chunks() == 0)
        throw std::runtime_error(with.path + " holds no chunk of " + format_size(how.chunk_size));
    const unsigned shards = std::min(by.shards(), with.clients);
    std::vector<replay_figures> found(shards);
    std::vector<spawned<void>> running;
    for (unsigned shard = 0; shard < shards; ++shard) {
        const unsigned clients = (with.clients + shards - 1 - shard) / shards;
        running.push_back(by.spawn_on(shard, serve_all(all, clients, found[shard])));
    }
    for (spawned<void>& one : running) one.get();
    real_outcome result;
    result.seconds = seconds_between(all.begin, clock::now());
    for (const replay_figures& one : found) result.found += one;
    result.counted = by.run(settled(all)).since(all.before);
    // A peek that is served does not count as a hit.
    result.counted.hits =
        result.found.pieces - std::min(result.found.pieces, result.counted.misses);
    result.found.loads = result.counted.fills;
    result.found.reads = result.counted.reads;
    result.found.bytes_read = result.counted.bytes_read;
    result.places_shared = all.where.shared();
    return result;
}

}  // namespace leat::perf
