// Workloads that are made up: the same for a seed, and as they are described.
#include "replay/made_up_trace.hpp"

#include <CLI/CLI.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

BOOST_AUTO_TEST_SUITE(made_up_trace_test)

using namespace leat::perf;
using leat::GiB;
using leat::KiB;
using leat::MiB;

namespace {

trace made(const std::string& workload, std::uint64_t seed = 1, std::uint64_t requests = 5000) {
    return make_trace({workload, seed, requests});
}

bool same(const trace& one, const trace& other) {
    return std::equal(one.requests.begin(), one.requests.end(), other.requests.begin(),
                      other.requests.end(), [](const trace_request& a, const trace_request& b) {
                          return a.file == b.file && a.offset == b.offset && a.size == b.size;
                      });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_seed_decides) {
    for (const char* name : {"records", "streams:3", "mix", "players", "smallfiles", "readers:3",
                             "slow:3", "tensors", "scan:7"}) {
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(same(made(name), made(name)));
            BOOST_TEST(!same(made(name), made(name, 2)));
            BOOST_TEST(made(name).name == name);
        }
    }
}

BOOST_AUTO_TEST_CASE(requests_lie_within_their_files) {
    for (const char* name : {"records", "records:2", "streams", "mix", "players", "smallfiles",
                             "smallfiles:12", "readers", "slow", "tensors", "scan"}) {
        const trace of = made(name);
        BOOST_TEST(of.requests.size() == 5000U);
        const bool within =
            std::all_of(of.requests.begin(), of.requests.end(), [&](const trace_request& one) {
                return one.size > 0 && one.file < of.file_bytes.size() &&
                       one.offset + one.size <= of.file_bytes[one.file];
            });
        BOOST_TEST(within, name);
    }
}

BOOST_AUTO_TEST_CASE(streams_go_on_where_they_were) {
    const trace of = made("streams:1");
    BOOST_TEST(of.file_bytes.size() == 40U);
    BOOST_TEST(made("streams:30").file_bytes.size() == 60U);
    for (std::size_t i = 0; i < of.requests.size(); ++i) {
        BOOST_REQUIRE(of.requests[i].size == 16 * KiB);
        BOOST_REQUIRE(of.requests[i].offset == i * 16 * KiB);
    }
    // Once a file has been played another begins.
    BOOST_TEST(made("streams:1", 1, 65'537).requests.back().offset == 0U);
}

BOOST_AUTO_TEST_CASE(players_probe_first) {
    const trace of = made("players");
    std::map<std::uint64_t, int> sizes;
    for (const trace_request& one : of.requests) ++sizes[one.size];
    BOOST_TEST(sizes.size() == 2U);
    BOOST_TEST(sizes[64 * KiB] >= 40);
    BOOST_TEST(of.requests.front().offset == 0U);
    BOOST_TEST(std::any_of(of.requests.begin(), of.requests.end(), [](const trace_request& one) {
        return one.offset == GiB - 64 * KiB && one.size == 64 * KiB;
    }));
}

BOOST_AUTO_TEST_CASE(mixes_take_turns) {
    const trace mix = made("mix");
    BOOST_TEST(mix.requests[0].size == 16 * KiB);
    BOOST_TEST(mix.requests[1].size == 4 * KiB);
    BOOST_TEST(mix.file_bytes[mix.requests[1].file] == 1024 * GiB);
    const trace scan = made("scan:7");
    BOOST_TEST(scan.file_bytes[scan.requests[1].file] == 70 * MiB);
    BOOST_TEST(scan.requests[2].offset == 64 * KiB);
    BOOST_TEST(scan.requests[4].offset == 128 * KiB);
}

BOOST_AUTO_TEST_CASE(some_are_asked_for_more_often) {
    std::map<std::uint32_t, int> counts;
    for (const trace_request& one : made("smallfiles").requests) ++counts[one.file];
    BOOST_TEST(counts[0] > 5 * counts[100]);
    BOOST_TEST(counts[0] > 50);
}

BOOST_AUTO_TEST_CASE(a_number_says_how_large) {
    const trace packed = made("records:2");
    BOOST_TEST(packed.file_bytes.front() == 2 * GiB);
    const trace small = made("smallfiles:12");
    BOOST_TEST(small.file_bytes.front() == 12 * KiB);
    BOOST_TEST(small.requests.front().size == 12 * KiB);
}

BOOST_AUTO_TEST_CASE(readers_have_files_of_their_own) {
    const trace of = made("readers:2", 1, 20'000);
    std::map<std::uint32_t, std::size_t> readers;
    for (std::size_t i = 0; i < of.requests.size(); ++i) {
        const trace_request& one = of.requests[i];
        BOOST_REQUIRE(readers.try_emplace(one.file, i % 2).first->second == i % 2);
        if (i < 2 || of.requests[i - 2].file != one.file) continue;
        BOOST_REQUIRE(one.offset == of.requests[i - 2].offset + 64 * KiB);
    }
    BOOST_TEST(readers.size() == of.file_bytes.size());
    BOOST_TEST(readers.size() > 4U);
}

BOOST_AUTO_TEST_CASE(slow_clients_go_on_where_they_were) {
    const trace of = made("slow:7", 1, 5000);
    BOOST_TEST(of.file_bytes.size() == 7U);
    std::map<std::uint32_t, std::uint64_t> next;
    for (const trace_request& one : of.requests) {
        const auto [client, fresh] = next.try_emplace(one.file, one.offset);
        BOOST_REQUIRE(one.offset == client->second);
        BOOST_REQUIRE(one.size <= 10 * KiB);
        client->second = (one.offset + one.size) % MiB;
    }
    BOOST_TEST(next.size() == 7U);
}

BOOST_AUTO_TEST_CASE(tensors_do_not_overlap) {
    const trace of = made("tensors", 1, 200);
    std::map<std::uint64_t, std::uint64_t> ends;
    for (const trace_request& one : of.requests) ends[one.offset] = one.offset + one.size;
    BOOST_TEST(ends.size() == 200U);
    std::uint64_t before = 0;
    for (const auto& [begin, end] : ends) {
        BOOST_REQUIRE(begin >= before);
        BOOST_REQUIRE(end - begin >= 1000U);
        BOOST_REQUIRE(end - begin <= 80'000'000U);
        before = end;
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_workload_is_refused) {
    for (const char* name : {"", "nonsense", "streams:0", "streams:x", "streams:", "mix:3",
                             "streams:100001", "scan:-1"})
        BOOST_CHECK_THROW((void)made(name), CLI::ValidationError);
}

BOOST_AUTO_TEST_SUITE_END()
