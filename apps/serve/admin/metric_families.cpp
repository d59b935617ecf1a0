// Puts names, labels and words to the counters.
#include "metric_families.hpp"

#include "memory_parts.hpp"

#include <limits>
#include <string>
#include <utility>

namespace leat::serve {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

double seconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
}

/// The family that is being filled is the last one.
class family_list {
public:
    void begin(const char* name, MetricType type, const char* help) {
        MetricFamily& made = all_.emplace_back();
        made.name = name;
        made.type = type;
        made.help = help;
    }
    void add(double value, labels of = {}) {
        ClientMetric& made = add_metric(std::move(of));
        (all_.back().type == MetricType::Counter ? made.counter.value : made.gauge.value) = value;
    }
    void add(std::uint64_t value, labels of = {}) {
        add(static_cast<double>(value), std::move(of));
    }
    ClientMetric& add_metric(labels of) {
        ClientMetric& made = all_.back().metric.emplace_back();
        made.label = std::move(of);
        return made;
    }
    void one(const char* name, MetricType type, const char* help, double value) {
        begin(name, type, help);
        add(value);
    }
    [[nodiscard]] std::vector<MetricFamily> take() { return std::move(all_); }

private:
    std::vector<MetricFamily> all_;
};

/// A counter that is a member of `Statistics`, with what it is exported as.
template <class Statistics>
struct exported {
    const char* name;
    const char* help;
    std::uint64_t Statistics::* count;
};

constexpr exported<serve_counters> request_counters[] = {
    {"leat_http_response_bytes_total", "Bytes of content that sockets have taken.",
     &serve_counters::body_bytes},
    {"leat_http_partial_responses_total", "Answers with a part of a file.",
     &serve_counters::ranges},
    {"leat_http_responses_cut_off_total", "Answers that did not come to their end.",
     &serve_counters::cut_off},
    {"leat_http_connections_accepted_total", "Connections accepted.", &serve_counters::accepted},
    {"leat_http_connections_turned_away_total", "Connections beyond a limit.",
     &serve_counters::turned_away},
    {"leat_http_connections_timed_out_total", "Connections that ended by a deadline.",
     &serve_counters::timed_out},
    {"leat_http_tls_handshakes_failed_total", "TLS handshakes that failed.",
     &serve_counters::handshakes_failed},
};

constexpr exported<shard_statistics> loop_counters[] = {
    {"leat_shard_turns_total", "Turns of the shard's loop.", &shard_statistics::turns},
    {"leat_shard_parks_total", "Times that the shard went to sleep.", &shard_statistics::parks},
    {"leat_shard_messages_received_total", "Messages from other shards.",
     &shard_statistics::messages_received},
    {"leat_shard_messages_sent_total", "Messages to other shards.",
     &shard_statistics::messages_sent},
    {"leat_shard_mailbox_overflows_total", "Messages that waited for room.",
     &shard_statistics::mailbox_overflows},
    {"leat_shard_doorbells_total", "Times another shard was woken.", &shard_statistics::doorbells},
    {"leat_shard_stalls_total", "Turns that took longer than the option stall.",
     &shard_statistics::stalls},
    {"leat_shard_accept_waits_total", "Times that accepting waited for room.",
     &shard_statistics::accept_waits},
    {"leat_shard_idle_connections_ended_total", "Idle connections ended to make room.",
     &shard_statistics::idle_connections_ended},
};

constexpr exported<io::backend_statistics> ring_counters[] = {
    {"leat_ring_operations_submitted_total", "Operations given to the kernel.",
     &io::backend_statistics::submitted},
    {"leat_ring_operations_completed_total", "Operations that have ended.",
     &io::backend_statistics::completed},
    {"leat_ring_reads_total", "Reads of files that have ended.", &io::backend_statistics::reads},
    {"leat_ring_read_bytes_total", "Bytes that they gave.", &io::backend_statistics::bytes_read},
    {"leat_ring_enters_total", "System calls made to submit or wait.",
     &io::backend_statistics::enters},
    {"leat_ring_wakes_total", "System calls made to wake the shard.",
     &io::backend_statistics::wakes},
    {"leat_ring_retries_total", "Operations submitted again.", &io::backend_statistics::retries},
    {"leat_ring_deferred_total", "Operations that waited for room in the ring.",
     &io::backend_statistics::deferred},
    {"leat_ring_overflows_total", "Calls that left completions without room in the queue.",
     &io::backend_statistics::overflows},
    {"leat_ring_zero_copy_sends_total", "Sends without a copy.",
     &io::backend_statistics::zero_copy_sends},
    {"leat_ring_zero_copy_copied_total", "Of them, those that the kernel copied all the same.",
     &io::backend_statistics::zero_copy_copied},
};

constexpr exported<io::arena_statistics> arena_gauges[] = {
    {"leat_buffers_mapped_bytes", "Memory mapped for buffers.",
     &io::arena_statistics::mapped_bytes},
    {"leat_buffers_used_bytes", "Memory of buffers in use.", &io::arena_statistics::used_bytes},
    {"leat_buffers_registered_bytes", "Memory registered with the kernel.",
     &io::arena_statistics::registered_bytes},
};

constexpr exported<cache_statistics> cache_counters[] = {
    {"leat_cache_hits_total", "Requests for chunks served without waiting.",
     &cache_statistics::hits},
    {"leat_cache_misses_total", "Requests for chunks that had to wait.", &cache_statistics::misses},
    {"leat_cache_fills_total", "Chunks and fragments that were given a buffer.",
     &cache_statistics::fills},
    {"leat_cache_fill_waits_total", "Requests that waited for bytes to be read.",
     &cache_statistics::fill_waits},
    {"leat_cache_reads_total", "Reads asked of the files.", &cache_statistics::reads},
    {"leat_cache_demand_reads_total", "Of them, those that somebody waited for.",
     &cache_statistics::demand_reads},
    {"leat_cache_failed_reads_total", "Reads that failed.", &cache_statistics::failed_reads},
    {"leat_cache_read_bytes_total", "Bytes read from the files.", &cache_statistics::bytes_read},
    {"leat_cache_evictions_total", "Chunks and fragments whose buffer went to another.",
     &cache_statistics::evictions},
    {"leat_cache_buffer_waits_total", "Requests that found no buffer free.",
     &cache_statistics::buffer_waits},
    {"leat_cache_turn_waits_total", "Requests that found as many reads in flight as may be.",
     &cache_statistics::turn_waits},
    {"leat_cache_bypasses_total", "Pieces that were read past the cache.",
     &cache_statistics::bypasses},
    {"leat_cache_leases_granted_total", "Leases granted to other shards.",
     &cache_statistics::grants},
    {"leat_cache_leases_revoked_total", "Leases asked back.", &cache_statistics::revokes},
};

constexpr exported<cache_statistics> cache_gauges[] = {
    {"leat_cache_leases", "Leases held.", &cache_statistics::leases},
    {"leat_cache_streams", "Readers who go through a file in order.", &cache_statistics::streams},
    {"leat_cache_filling_chunks", "Chunks and fragments with reads in flight.",
     &cache_statistics::filling_chunks},
    {"leat_cache_waiting_requests", "Requests that wait.", &cache_statistics::waiting},
    {"leat_cache_pins", "Live slices.", &cache_statistics::pins},
    {"leat_cache_referred_bytes", "Bytes that the live slices span.",
     &cache_statistics::referred_bytes},
    {"leat_cache_sending_bytes", "Bytes of chunks that sends without a copy keep.",
     &cache_statistics::sending_bytes},
    {"leat_cache_memory_budget_bytes", "Memory that the cache may use.",
     &cache_statistics::memory_bytes},
};

labels shard_label(std::size_t index) {
    return {{"shard", std::to_string(index)}};
}

/// Of each shard that has answered; part(shard) gives a pointer to its statistics, or nullptr.
template <class Statistics, std::size_t Count, class Part>
void add_each(family_list& to,
              const exported<Statistics> (&all)[Count],
              MetricType type,
              const server_snapshot& of,
              Part part) {
    for (const exported<Statistics>& one : all) {
        to.begin(one.name, type, one.help);
        for (std::size_t index = 0; index < of.shards.size(); ++index) {
            if (const Statistics* const from = part(of.shards[index]))
                to.add(from->*one.count, shard_label(index));
        }
    }
}

const serve_counters* counters_of(const server_snapshot::of_shard& one) {
    return one.served ? &one.served->counters : nullptr;
}

void add_histogram(family_list& to, const serve_counters& from, labels of) {
    ClientMetric& made = to.add_metric(std::move(of));
    std::uint64_t count = 0;
    for (std::size_t bucket = 0; bucket < serve_counters::buckets; ++bucket) {
        count += from.took[bucket];
        const bool last = bucket + 1 == serve_counters::buckets;
        const double bound = last ? std::numeric_limits<double>::infinity()
                                  : static_cast<double>(std::uint64_t{1} << bucket) * 1e-6;
        made.histogram.bucket.push_back({count, bound});
    }
    made.histogram.sample_count = count;
    made.histogram.sample_sum = seconds(from.took_in_all);
}

void add_requests(family_list& to, const server_snapshot& of) {
    static constexpr const char* classes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    to.begin("leat_http_requests_total", MetricType::Counter, "Requests answered, by status.");
    for (std::size_t index = 0; index < of.shards.size(); ++index) {
        const serve_counters* const from = counters_of(of.shards[index]);
        for (std::size_t digit = 0; from != nullptr && digit < from->answers.size(); ++digit) {
            labels both = shard_label(index);
            both.push_back({"code", classes[digit]});
            to.add(from->answers[digit], std::move(both));
        }
    }
    to.begin("leat_http_request_duration_seconds", MetricType::Histogram,
             "From a request's head until the socket had all of the answer.");
    for (std::size_t index = 0; index < of.shards.size(); ++index) {
        if (const serve_counters* const from = counters_of(of.shards[index]))
            add_histogram(to, *from, shard_label(index));
    }
    add_each(to, request_counters, MetricType::Counter, of, counters_of);
    const auto each = [&](const char* name, const char* help, auto value) {
        to.begin(name, MetricType::Gauge, help);
        for (std::size_t index = 0; index < of.shards.size(); ++index) {
            if (of.shards[index].served)
                to.add(value(*of.shards[index].served), shard_label(index));
        }
    };
    each("leat_http_connections", "Connections open.",
         [](const shard_report& one) { return one.counters.connections; });
    each("leat_http_connections_answering", "Connections with an answer under way.",
         [](const shard_report& one) { return one.answering; });
    each("leat_http_open_files", "Paths that are remembered.",
         [](const shard_report& one) { return one.open_files; });
}

void add_shards(family_list& to, const server_snapshot& of) {
    to.begin("leat_shard_up", MetricType::Gauge, "Whether the shard has answered in time.");
    for (std::size_t index = 0; index < of.shards.size(); ++index)
        to.add(of.shards[index].loop && of.shards[index].served ? 1.0 : 0.0, shard_label(index));
    const auto loop = [](const server_snapshot::of_shard& one) {
        return one.loop ? &*one.loop : nullptr;
    };
    add_each(to, loop_counters, MetricType::Counter, of, loop);
    const auto each = [&](const char* name, MetricType type, const char* help, auto value) {
        to.begin(name, type, help);
        for (std::size_t index = 0; index < of.shards.size(); ++index) {
            if (of.shards[index].loop) to.add(value(*of.shards[index].loop), shard_label(index));
        }
    };
    each("leat_shard_idle_seconds_total", MetricType::Counter,
         "Time without anything to do, spinning or asleep.",
         [](const shard_statistics& one) { return static_cast<double>(one.idle_ns) * 1e-9; });
    each("leat_shard_longest_turn_seconds", MetricType::Gauge, "The longest turn so far.",
         [](const shard_statistics& one) { return seconds(one.longest_turn); });
    each("leat_shard_frames", MetricType::Gauge, "Coroutine frames made less freed on the shard.",
         [](const shard_statistics& one) { return static_cast<double>(one.frames); });
    add_each(to, ring_counters, MetricType::Counter, of, [](const server_snapshot::of_shard& one) {
        return one.loop ? &one.loop->backend : nullptr;
    });
    add_each(to, arena_gauges, MetricType::Gauge, of, [](const server_snapshot::of_shard& one) {
        return one.loop ? &one.loop->arena : nullptr;
    });
}

void add_estimates(family_list& to, const cache_statistics& from) {
    static constexpr std::pair<memory_factor, const char*> factors[] = {
        {memory_factor::half, "0.5"},
        {memory_factor::same, "1"},
        {memory_factor::twice, "2"},
        {memory_factor::four_times, "4"}};
    to.begin(
        "leat_cache_estimated_hit_ratio", MetricType::Gauge,
        "Requests served without waiting since the start, of all, with so many times the memory.");
    for (const auto& [factor, name] : factors) to.add(from.hit_ratio(factor), {{"memory", name}});
    to.begin("leat_cache_estimated_fills_total", MetricType::Counter,
             "Fills there would have been with so many times the memory.");
    for (const auto& [factor, name] : factors) to.add(from.fills_at(factor), {{"memory", name}});
}

void add_cache(family_list& to, const cache_statistics& from) {
    for (const auto& one : cache_counters) {
        to.one(one.name, MetricType::Counter, one.help, static_cast<double>(from.*one.count));
    }
    for (const auto& one : cache_gauges) {
        to.one(one.name, MetricType::Gauge, one.help, static_cast<double>(from.*one.count));
    }
    to.one("leat_cache_oldest_pin_seconds", MetricType::Gauge,
           "How long some shard has pinned one chunk without a pause.", seconds(from.oldest_pin));
    to.begin("leat_cache_chunks", MetricType::Gauge, "Pieces of files in memory, by kind.");
    to.add(from.chunks - from.fragments, {{"kind", "chunk"}});
    to.add(from.fragments, {{"kind", "fragment"}});
    to.begin("leat_cache_ahead_bytes_total", MetricType::Counter,
             "Bytes read ahead that are gone, by whether they had been used by then.");
    to.add(from.ahead_used_bytes, {{"outcome", "used"}});
    to.add(from.ahead_unused_bytes, {{"outcome", "unused"}});
    to.begin("leat_cache_memory_bytes", MetricType::Gauge,
             "The memory by what it is used for; the parts add up to the budget.");
    memory_parts::of(from).each(
        [&to](const char* name, std::uint64_t bytes) { to.add(bytes, {{"part", name}}); });
    add_estimates(to, from);
}

}  // namespace

std::vector<MetricFamily> families_of(const server_snapshot& of) {
    family_list to;
    std::string backend;
    std::string mode;
    for (const server_snapshot::of_shard& one : of.shards) {
        if (!one.loop) continue;
        backend = one.loop->backend.name;
        mode = one.loop->backend.mode;
    }
    to.begin("leat_build_info", MetricType::Gauge,
             "Which leat runs, and how it reaches the kernel.");
    to.add(1.0, {{"version", of.version}, {"backend", backend}, {"mode", mode}});
    to.one("leat_start_time_seconds", MetricType::Gauge, "When the server began, in Unix time.",
           seconds(of.started.time_since_epoch()));
    to.one("leat_draining", MetricType::Gauge, "Whether the server ends after its answers.",
           of.draining ? 1 : 0);
    add_requests(to, of);
    add_shards(to, of);
    if (of.cache) add_cache(to, *of.cache);
    return to.take();
}

}  // namespace leat::serve
