// Counters as Prometheus has them.
#include "admin/metric_families.hpp"

#include <boost/test/unit_test.hpp>

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <set>
#include <string>

BOOST_AUTO_TEST_SUITE(metric_families_test)

using namespace leat;
using namespace leat::serve;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

namespace {

server_snapshot two_shards() {
    server_snapshot all;
    all.version = "1.2.3";
    all.shards.resize(2);
    for (unsigned shard : {0u, 1u}) {
        all.shards[shard].loop.emplace().turns = 10 + shard;
        shard_report& served = all.shards[shard].served.emplace();
        served.counters.answers[2] = 5 + shard;
        served.counters.answers[4] = 1;
        served.counters.count_time(std::chrono::microseconds{3});
        served.counters.count_time(std::chrono::hours{1});
        served.answering = shard;
    }
    cache_statistics& cache = all.cache.emplace();
    cache.hits = 80;
    cache.misses = 20;
    cache.memory_bytes = 1000;
    cache.cached_bytes = 600;
    cache.filling_bytes = 100;
    cache.ahead_bytes = 50;
    cache.pinned_bytes = 200;
    cache.entry_bytes = 30;
    cache.chunks = 9;
    cache.fragments = 7;
    return all;
}

const MetricFamily& find(const std::vector<MetricFamily>& all, const std::string& name) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const MetricFamily& one) { return one.name == name; });
    BOOST_REQUIRE_MESSAGE(found != all.end(), name);
    return *found;
}

double value_of(const MetricFamily& family, const std::string& label, const std::string& value) {
    for (const ClientMetric& one : family.metric) {
        for (const ClientMetric::Label& of : one.label) {
            if (of.name == label && of.value == value)
                return family.type == MetricType::Counter ? one.counter.value : one.gauge.value;
        }
    }
    BOOST_ERROR(family.name + " has no " + label + ' ' + value);
    return -1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_are_unique_have_help_and_counters_end_in_total) {
    std::set<std::string> names;
    for (const MetricFamily& one : families_of(two_shards())) {
        BOOST_TEST(names.insert(one.name).second, one.name);
        BOOST_TEST(!one.help.empty());
        BOOST_TEST(one.name.starts_with("leat_"));
        BOOST_TEST(one.name.ends_with("_total") == (one.type == MetricType::Counter), one.name);
        BOOST_TEST(!one.metric.empty(), one.name);
    }
}

BOOST_AUTO_TEST_CASE(each_shard_has_its_own_sample) {
    const auto all = families_of(two_shards());
    BOOST_TEST(value_of(find(all, "leat_shard_turns_total"), "shard", "1") == 11);
    const MetricFamily& requests = find(all, "leat_http_requests_total");
    BOOST_TEST(requests.metric.size() == 12u);
    double sum = 0;
    for (const ClientMetric& one : requests.metric) sum += one.counter.value;
    BOOST_TEST(sum == 13);
    BOOST_TEST(value_of(find(all, "leat_http_connections_answering"), "shard", "1") == 1);
}

BOOST_AUTO_TEST_CASE(a_histogram_is_cumulative_and_ends_with_all) {
    const auto all = families_of(two_shards());
    const ClientMetric& one = find(all, "leat_http_request_duration_seconds").metric.at(0);
    BOOST_TEST(one.histogram.sample_count == 2u);
    BOOST_TEST(one.histogram.sample_sum == 3600.000003, boost::test_tools::tolerance(1e-12));
    std::uint64_t before = 0;
    for (const ClientMetric::Bucket& bucket : one.histogram.bucket) {
        BOOST_TEST(bucket.cumulative_count >= before);
        before = bucket.cumulative_count;
        if (bucket.upper_bound < 3e-6) BOOST_TEST(bucket.cumulative_count == 0u);
        if (bucket.upper_bound > 3e-6 && bucket.upper_bound < 60)
            BOOST_TEST(bucket.cumulative_count == 1u);
    }
    BOOST_TEST(before == 2u);
    BOOST_TEST(one.histogram.bucket.back().upper_bound == std::numeric_limits<double>::infinity());
}

BOOST_AUTO_TEST_CASE(parts_of_the_memory_add_up_to_the_budget) {
    const auto all = families_of(two_shards());
    const MetricFamily& memory = find(all, "leat_cache_memory_bytes");
    double sum = 0;
    for (const ClientMetric& one : memory.metric) sum += one.gauge.value;
    BOOST_TEST(sum == 1000);
    BOOST_TEST(value_of(memory, "part", "pinned") == 200);
    BOOST_TEST(value_of(memory, "part", "cached") == 250);
    BOOST_TEST(value_of(memory, "part", "free") == 370);
    BOOST_TEST(value_of(find(all, "leat_cache_chunks"), "kind", "chunk") == 2);
    BOOST_TEST(value_of(find(all, "leat_cache_estimated_hit_ratio"), "memory", "1") == 0.8);
}

BOOST_AUTO_TEST_CASE(what_did_not_answer_is_left_out) {
    server_snapshot silent = two_shards();
    silent.shards[1] = {};
    silent.cache.reset();
    const auto all = families_of(silent);
    BOOST_TEST(value_of(find(all, "leat_shard_up"), "shard", "0") == 1);
    BOOST_TEST(value_of(find(all, "leat_shard_up"), "shard", "1") == 0);
    BOOST_TEST(find(all, "leat_shard_turns_total").metric.size() == 1u);
    for (const MetricFamily& one : all) BOOST_TEST(!one.name.starts_with("leat_cache_"), one.name);
}

BOOST_AUTO_TEST_CASE(a_collectable_asks_at_each_scrape) {
    int asked = 0;
    const snapshot_collectable source{[&asked] {
        ++asked;
        return two_shards();
    }};
    const std::string text = prometheus::TextSerializer{}.Serialize(source.Collect());
    BOOST_TEST(text.find("leat_cache_hits_total 80\n") != text.npos);
    BOOST_TEST(text.find("le=\"+Inf\"} 2\n") != text.npos);
    static_cast<void>(source.Collect());
    BOOST_TEST(asked == 2);
}

BOOST_AUTO_TEST_SUITE_END()
