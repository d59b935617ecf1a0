#include "common/engine_statistics.hpp"

#include <algorithm>

namespace leat::apps {

namespace {

void add(io::backend_statistics& sum, const io::backend_statistics& one) {
    sum.name = one.name;
    sum.mode = one.mode;
    sum.submitted += one.submitted;
    sum.completed += one.completed;
    sum.reads += one.reads;
    sum.bytes_read += one.bytes_read;
    sum.enters += one.enters;
    sum.wakes += one.wakes;
    sum.retries += one.retries;
    sum.deferred += one.deferred;
    sum.overflows += one.overflows;
    sum.multishots += one.multishots;
    sum.zero_copy_sends += one.zero_copy_sends;
    sum.zero_copy_copied += one.zero_copy_copied;
    sum.zero_copy_refused += one.zero_copy_refused;
    sum.registered += one.registered;
    sum.registration_failures += one.registration_failures;
}

void add(io::arena_statistics& sum, const io::arena_statistics& one) {
    sum.segments += one.segments;
    sum.hugetlb_segments += one.hugetlb_segments;
    sum.transparent_segments += one.transparent_segments;
    sum.plain_segments += one.plain_segments;
    sum.mapped_bytes += one.mapped_bytes;
    sum.used_bytes += one.used_bytes;
    sum.registered_bytes += one.registered_bytes;
    sum.hugetlb_refusals += one.hugetlb_refusals;
    sum.registration_failures += one.registration_failures;
}

void add(shard_statistics& sum, const shard_statistics& one) {
    sum.turns += one.turns;
    sum.parks += one.parks;
    sum.messages_received += one.messages_received;
    sum.messages_sent += one.messages_sent;
    sum.mailbox_overflows += one.mailbox_overflows;
    sum.doorbells += one.doorbells;
    sum.stalls += one.stalls;
    sum.accept_waits += one.accept_waits;
    sum.idle_connections_ended += one.idle_connections_ended;
    sum.longest_turn = std::max(sum.longest_turn, one.longest_turn);
}

boost::json::object to_json(const io::backend_statistics& of) {
    return {{"name", of.name},
            {"mode", of.mode},
            {"submitted", of.submitted},
            {"completed", of.completed},
            {"reads", of.reads},
            {"bytes_read", of.bytes_read},
            {"enters", of.enters},
            {"wakes", of.wakes},
            {"retries", of.retries},
            {"deferred", of.deferred},
            {"overflows", of.overflows},
            {"multishots", of.multishots},
            {"zero_copy_sends", of.zero_copy_sends},
            {"zero_copy_copied", of.zero_copy_copied},
            {"zero_copy_refused", of.zero_copy_refused},
            {"registration_failures", of.registration_failures}};
}

boost::json::object to_json(const io::arena_statistics& of) {
    return {{"mapped_bytes", of.mapped_bytes},
            {"used_bytes", of.used_bytes},
            {"registered_bytes", of.registered_bytes},
            {"hugetlb_segments", of.hugetlb_segments},
            {"transparent_segments", of.transparent_segments},
            {"plain_segments", of.plain_segments},
            {"hugetlb_refusals", of.hugetlb_refusals},
            {"registration_failures", of.registration_failures}};
}

boost::json::object to_json(const cache_statistics& of) {
    return {{"hits", of.hits},
            {"misses", of.misses},
            {"fills", of.fills},
            {"reads", of.reads},
            {"demand_reads", of.demand_reads},
            {"bytes_read", of.bytes_read},
            {"evictions", of.evictions},
            {"failed_reads", of.failed_reads},
            {"buffer_waits", of.buffer_waits},
            {"bypasses", of.bypasses},
            {"grants", of.grants},
            {"revokes", of.revokes},
            {"chunks", of.chunks},
            {"short_chunks", of.short_chunks},
            {"filling_chunks", of.filling_chunks},
            {"leases", of.leases},
            {"waiting", of.waiting},
            {"pins", of.pins},
            {"pinned_bytes", of.pinned_bytes},
            {"referred_bytes", of.referred_bytes},
            {"sending_bytes", of.sending_bytes},
            {"oldest_pin_ns", of.oldest_pin.count()}};
}

boost::json::object to_json(const shard_statistics& of) {
    return {{"turns", of.turns},
            {"parks", of.parks},
            {"messages", of.messages_sent},
            {"mailbox_overflows", of.mailbox_overflows},
            {"doorbells", of.doorbells},
            {"stalls", of.stalls},
            {"accept_waits", of.accept_waits},
            {"idle_connections_ended", of.idle_connections_ended},
            {"longest_turn_ns", of.longest_turn.count()}};
}

}  // namespace

task<engine_statistics> gather(chunk_manager& manager) {
    engine& of = this_shard().owner();
    const unsigned asked_on = this_shard().index();
    engine_statistics all;
    all.shards = of.shards();
    all.memory = of.options().memory;
    all.chunk_size = manager.chunk_size();
    co_await resume_on(asked_on);
    all.cache = co_await manager.statistics();
    for (unsigned index = 0; index < all.shards; ++index) {
        co_await resume_on(index);
        const shard_statistics one = this_shard().statistics();
        add(all.loop, one);
        add(all.backend, one.backend);
        add(all.arena, one.arena);
    }
    co_await resume_on(asked_on);
    co_return all;
}

boost::json::object to_json(const engine_statistics& all) {
    return {{"shards", all.shards},          {"memory", all.memory},
            {"chunk_size", all.chunk_size},  {"backend", to_json(all.backend)},
            {"buffers", to_json(all.arena)}, {"cache", to_json(all.cache)},
            {"loop", to_json(all.loop)}};
}

}  // namespace leat::apps
