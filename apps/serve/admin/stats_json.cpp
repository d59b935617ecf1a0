// Puts a snapshot into objects.
#include "stats_json.hpp"

#include "common/utf8.hpp"
#include "memory_parts.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <map>
#include <string>

namespace leat::serve {

namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

template <class Unit>
auto count(std::chrono::nanoseconds time) {
    return time / Unit{1};
}

std::int64_t milliseconds(std::chrono::nanoseconds time) {
    return count<std::chrono::milliseconds>(time);
}

object to_json(const request_in_flight& one) {
    return {{"peer", one.peer},
            {"method", apps::utf8(one.method)},
            {"target", apps::utf8(one.target)},
            {"shard", one.shard},
            {"age_ms", milliseconds(one.age)},
            {"sent", one.sent},
            {"length", one.length},
            {"rate", one.rate()}};
}

array oldest_of(const server_snapshot& of, std::size_t most) {
    std::vector<const request_in_flight*> all;
    for (const auto& shard : of.shards) {
        if (!shard.served) continue;
        for (const request_in_flight& one : shard.served->oldest) all.push_back(&one);
    }
    std::sort(all.begin(), all.end(),
              [](const auto* one, const auto* other) { return one->age > other->age; });
    if (all.size() > most) all.resize(most);
    array told;
    for (const request_in_flight* const one : all) told.push_back(to_json(*one));
    return told;
}

/// A file is open on each shard that is asked for it.
array files_of(const server_snapshot& of) {
    std::map<std::string, file_use> by_path;
    std::size_t most = 0;
    for (const auto& shard : of.shards) {
        if (!shard.served) continue;
        most = std::max(most, shard.served->files.size());
        for (const file_use& one : shard.served->files) {
            file_use& sum = by_path[one.path];
            sum.requests += one.requests;
            sum.size = one.size;
        }
    }
    std::vector<std::pair<std::string, file_use>> all{by_path.begin(), by_path.end()};
    std::sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
        if (one.second.requests == other.second.requests) return one.first < other.first;
        return one.second.requests > other.second.requests;
    });
    if (all.size() > most) all.resize(most);
    array told;
    for (const auto& [path, use] : all) {
        told.push_back(
            object{{"path", apps::utf8(path)}, {"requests", use.requests}, {"size", use.size}});
    }
    return told;
}

object requests_json(const serve_counters& all) {
    const auto& answers = all.answers;
    array bounds;
    array counts;
    for (std::size_t bucket = 0; bucket < serve_counters::buckets; ++bucket) {
        const bool last = bucket + 1 == serve_counters::buckets;
        bounds.push_back(last ? value(nullptr) : value(std::uint64_t{1} << bucket));
        counts.push_back(all.took[bucket]);
    }
    return {{"by_status", object{{"1xx", answers[1]},
                                 {"2xx", answers[2]},
                                 {"3xx", answers[3]},
                                 {"4xx", answers[4]},
                                 {"5xx", answers[5]},
                                 {"other", answers[0]}}},
            {"content_bytes", all.body_bytes},
            {"partial", all.ranges},
            {"cut_off", all.cut_off},
            {"duration", object{{"below_us", std::move(bounds)},
                                {"counts", std::move(counts)},
                                {"sum_us", count<std::chrono::microseconds>(all.took_in_all)}}}};
}

object connections_json(const serve_counters& all) {
    return {{"open", all.connections},
            {"accepted", all.accepted},
            {"turned_away", all.turned_away},
            {"timed_out", all.timed_out},
            {"handshakes_failed", all.handshakes_failed}};
}

value cache_json(const cache_statistics& from) {
    object all;
    cache_statistics::each([&all](const char* name, const std::uint64_t& one) { all[name] = one; },
                           from);
    all["oldest_pin_ms"] = milliseconds(from.oldest_pin);
    if (from.oldest_pin.count() != 0)
        all["oldest_pinned"] = apps::utf8(to_string(from.oldest_pinned));
    all["hit_ratio"] = object{{"half", from.hit_ratio(memory_factor::half)},
                              {"same", from.hit_ratio()},
                              {"twice", from.hit_ratio(memory_factor::twice)},
                              {"four_times", from.hit_ratio(memory_factor::four_times)}};
    object parts;
    memory_parts::of(from).each(
        [&parts](const char* name, std::uint64_t bytes) { parts[name] = bytes; });
    all["memory_parts"] = std::move(parts);
    return all;
}

value shard_json(const server_snapshot::of_shard& one) {
    if (!one.loop || !one.served) return nullptr;
    const serve_counters& served = one.served->counters;
    std::uint64_t requests = 0;
    for (const std::uint64_t answers : served.answers) requests += answers;
    return object{{"idle_ns", one.loop->idle_ns},
                  {"turns", one.loop->turns},
                  {"stalls", one.loop->stalls},
                  {"longest_turn_us", count<std::chrono::microseconds>(one.loop->longest_turn)},
                  {"messages_received", one.loop->messages_received},
                  {"ring_enters", one.loop->backend.enters},
                  {"read_bytes", one.loop->backend.bytes_read},
                  {"requests", requests},
                  {"content_bytes", served.body_bytes},
                  {"connections", served.connections},
                  {"answering", one.served->answering},
                  {"open_files", one.served->open_files}};
}

}  // namespace

value stats_json(const server_snapshot& of) {
    const serve_counters counters = of.counters();
    array shards;
    std::uint64_t answering = 0;
    for (const auto& one : of.shards) {
        shards.push_back(shard_json(one));
        if (one.served) answering += one.served->answering;
    }
    array addresses;
    for (const std::string& one : of.addresses) addresses.push_back(value(apps::utf8(one)));
    object connections = connections_json(counters);
    connections["answering"] = answering;
    constexpr std::size_t most = 20;
    return object{{"server", object{{"version", of.version},
                                    {"root", apps::utf8(of.root)},
                                    {"addresses", std::move(addresses)},
                                    {"age_ms", milliseconds(of.age)},
                                    {"draining", of.draining},
                                    {"chunk_size", of.chunk_size}}},
                  {"requests", requests_json(counters)},
                  {"connections", std::move(connections)},
                  {"cache", of.cache ? cache_json(*of.cache) : value(nullptr)},
                  {"shards", std::move(shards)},
                  {"files", files_of(of)},
                  {"oldest", oldest_of(of, most)}};
}

value to_json(const std::vector<cached_chunk>& all) {
    array told;
    for (const cached_chunk& one : all) {
        told.push_back(object{{"file", apps::utf8(one.name)},
                              {"offset", one.offset},
                              {"size", one.size},
                              {"buffer", one.bytes},
                              {"kind", one.fragment ? "fragment" : "chunk"},
                              {"complete", one.complete},
                              {"reuses", one.reuses},
                              {"pins", one.pins},
                              {"leases", one.leases},
                              {"shard", one.shard},
                              {"idle_ms", milliseconds(one.idle)}});
    }
    return told;
}

value in_flight_json(const server_snapshot& of,
                     const std::vector<waiting_task>& waiting,
                     std::size_t most) {
    array tasks;
    for (const waiting_task& one : waiting) {
        tasks.push_back(object{{"name", apps::utf8(one.name)},
                               {"shard", one.shard},
                               {"age_ms", milliseconds(one.age)},
                               {"silent", one.silent},
                               {"awaits", apps::utf8(to_string(one.awaits))}});
    }
    return object{{"requests", oldest_of(of, most)}, {"waiting", std::move(tasks)}};
}

}  // namespace leat::serve
