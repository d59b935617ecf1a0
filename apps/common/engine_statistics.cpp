// Gathers the counters of all shards, as text and as JSON.
#include "common/engine_statistics.hpp"

#include <leat/engine/resume_on.hpp>

#include <algorithm>
#include <chrono>
#include <type_traits>

namespace leat::apps {

namespace {

// Each counter once, with the name it is exported by: what adds and what prints go through these.

template <class Visit, class... All>
    requires(std::is_same_v<std::remove_const_t<All>, io::backend_statistics> && ...)
void each(Visit visit, All&... all) {
    visit("submitted", all.submitted...);
    visit("completed", all.completed...);
    visit("reads", all.reads...);
    visit("bytes_read", all.bytes_read...);
    visit("enters", all.enters...);
    visit("wakes", all.wakes...);
    visit("retries", all.retries...);
    visit("deferred", all.deferred...);
    visit("overflows", all.overflows...);
    visit("multishots", all.multishots...);
    visit("zero_copy_sends", all.zero_copy_sends...);
    visit("zero_copy_copied", all.zero_copy_copied...);
    visit("zero_copy_refused", all.zero_copy_refused...);
    visit("registered", all.registered...);
    visit("registration_failures", all.registration_failures...);
}

template <class Visit, class... All>
    requires(std::is_same_v<std::remove_const_t<All>, io::arena_statistics> && ...)
void each(Visit visit, All&... all) {
    visit("segments", all.segments...);
    visit("mapped_bytes", all.mapped_bytes...);
    visit("divided_bytes", all.divided_bytes...);
    visit("used_bytes", all.used_bytes...);
    visit("registered_bytes", all.registered_bytes...);
    visit("hugetlb_segments", all.hugetlb_segments...);
    visit("transparent_segments", all.transparent_segments...);
    visit("plain_segments", all.plain_segments...);
    visit("hugetlb_refusals", all.hugetlb_refusals...);
    visit("registration_failures", all.registration_failures...);
}

template <class Visit, class... All>
    requires(std::is_same_v<std::remove_const_t<All>, shard_statistics> && ...)
void each(Visit visit, All&... all) {
    visit("turns", all.turns...);
    visit("parks", all.parks...);
    visit("idle_ns", all.idle_ns...);
    visit("messages", all.messages_sent...);
    visit("messages_received", all.messages_received...);
    visit("mailbox_overflows", all.mailbox_overflows...);
    visit("doorbells", all.doorbells...);
    visit("stalls", all.stalls...);
    visit("accept_waits", all.accept_waits...);
    visit("idle_connections_ended", all.idle_connections_ended...);
    visit("frames", all.frames...);
    visit("longest_turn_ns", all.longest_turn...);
}

template <class Visit, class... All>
    requires(std::is_same_v<std::remove_const_t<All>, cache_statistics> && ...)
void each(Visit visit, All&... all) {
    cache_statistics::each(visit, all...);
    visit("oldest_pin_ns", all.oldest_pin...);
}

/// A time is the longest of all, everything else the sum.
struct adding {
    template <class Counter>
    void operator()(const char*, Counter& sum, const Counter& one) const {
        if constexpr (std::is_same_v<Counter, std::chrono::nanoseconds>) {
            sum = std::max(sum, one);
        } else {
            sum += one;
        }
    }
};

template <class Statistics>
void add(Statistics& sum, const Statistics& one) {
    each(adding{}, sum, one);
}

struct listing {
    boost::json::object& into;
    void operator()(const char* name, std::chrono::nanoseconds time) const {
        into[name] = time.count();
    }
    template <class Counter>
    void operator()(const char* name, const Counter& counter) const {
        into[name] = counter;
    }
};

template <class Statistics>
boost::json::object to_json(const Statistics& of) {
    boost::json::object all;
    if constexpr (std::is_same_v<Statistics, io::backend_statistics>) {
        all["name"] = of.name;
        all["mode"] = of.mode;
    }
    each(listing{all}, of);
    return all;
}

}  // namespace

task<engine_statistics> gather(chunk_manager& manager) {
    engine& of = this_shard().engine();
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
        all.backend.name = one.backend.name;
        all.backend.mode = one.backend.mode;
        add(all.backend, one.backend);
        add(all.arena, one.arena);
    }
    co_await resume_on(asked_on);
    co_return all;
}

boost::json::object to_json(const engine_statistics& all) {
    boost::json::object cache = to_json(all.cache);
    cache["hit_ratio"] = all.cache.hit_ratio();
    cache["hit_ratio_at_half"] = all.cache.hit_ratio(memory_factor::half);
    cache["hit_ratio_at_double"] = all.cache.hit_ratio(memory_factor::twice);
    cache["hit_ratio_at_quadruple"] = all.cache.hit_ratio(memory_factor::four_times);
    return {{"shards", all.shards},          {"memory", all.memory},
            {"chunk_size", all.chunk_size},  {"backend", to_json(all.backend)},
            {"buffers", to_json(all.arena)}, {"cache", cache},
            {"loop", to_json(all.loop)}};
}

}  // namespace leat::apps
