// Sizes, lists of CPUs, defaults and limits.
#include "small_engine.hpp"
#include "threads.hpp"

#include <leat/engine/options.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sched.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

BOOST_AUTO_TEST_SUITE(options_test)

using namespace leat;
using namespace leat::literals;

namespace {

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

/// The sentence by which resolve refuses, checked to have all of `parts`; "" if it does not refuse.
std::string refusal(const engine_options& options, errc code) {
    try {
        static_cast<void>(resolve(options));
    } catch (const system_error& failure) {
        BOOST_TEST(failure.code() == code);
        return failure.what();
    }
    return "";
}

void check_refused(const engine_options& options,
                   std::initializer_list<std::string> parts,
                   errc code = errc::invalid_option) {
    const std::string sentence = refusal(options, code);
    BOOST_TEST(!sentence.empty());
    for (const std::string& part : parts) {
        BOOST_TEST(sentence.find(part) != std::string::npos,
                   "\"" << part << "\" is not in: " << sentence);
    }
}

engine_options unpinned(unsigned shards, std::uint64_t memory) {
    return test::small_engine(shards, memory, 64_KiB);
}

/// Narrows the CPUs this thread may use to one, for as long as it lives.
class one_cpu {
public:
    one_cpu() {
        ::sched_getaffinity(0, sizeof before_, &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(static_cast<std::size_t>(cpu_ = lowest()), &one);
        ::sched_setaffinity(0, sizeof one, &one);
    }
    ~one_cpu() { ::sched_setaffinity(0, sizeof before_, &before_); }
    one_cpu(const one_cpu&) = delete;
    one_cpu& operator=(const one_cpu&) = delete;
    [[nodiscard]] unsigned cpu() const { return cpu_; }

private:
    [[nodiscard]] unsigned lowest() const {
        unsigned cpu = 0;
        while (!CPU_ISSET(cpu, &before_)) ++cpu;
        return cpu;
    }
    cpu_set_t before_;
    unsigned cpu_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(sizes_are_parsed) {
    const std::pair<const char*, std::uint64_t> good[] = {
        {"0", 0},
        {"4096", 4096},
        {"17B", 17},
        {"17 B", 17},
        {"10K", 10'240},
        {"10k", 10'240},
        {"10KiB", 10'240},
        {"10KB", 10'000},
        {"10 M", 10'485'760},
        {"10MiB", 10'485'760},
        {"10MB", 10'000'000},
        {"3G", 3'221'225'472},
        {"2TB", 2'000'000'000'000},
        {"1P", std::uint64_t{1} << 50},
        {"16383P", std::uint64_t{16383} << 50},
        {"18446744073709551615", most},
    };
    for (const auto& [text, bytes] : good) {
        const auto parsed = parse_size(text);
        BOOST_TEST_REQUIRE(parsed.has_value(), text);
        BOOST_TEST(*parsed == bytes, text);
    }
    for (const char* const bad :
         {"", " ", "x", "K", "-1", "+1", " 1", "1.5G", "10MBB", "10Mi", "10iB", "10E", "10KK",
          "18446744073709551616", "16384P", "99999999999G", "0x10", "1K "}) {
        BOOST_TEST(parse_size(bad).has_error(), bad);
    }
}

BOOST_AUTO_TEST_CASE(sizes_are_formatted) {
    BOOST_TEST(format_size(0) == "0 B");
    BOOST_TEST(format_size(17) == "17 B");
    BOOST_TEST(format_size(1023) == "1023 B");
    BOOST_TEST(format_size(1024) == "1 KiB");
    BOOST_TEST(format_size(10_MiB) == "10 MiB");
    BOOST_TEST(format_size(1536_MiB) == "1.5 GiB");
    BOOST_TEST(format_size(1025) == "1.00 KiB");
    BOOST_TEST(format_size(1280) == "1.25 KiB");
    BOOST_TEST(format_size(most) == "16.00 EiB");
}

BOOST_AUTO_TEST_CASE(lists_of_cpus_are_parsed) {
    using list = std::vector<unsigned>;
    BOOST_TEST(*parse_cpu_list("0") == (list{0}));
    BOOST_TEST(*parse_cpu_list("0-3,8") == (list{0, 1, 2, 3, 8}));
    BOOST_TEST(*parse_cpu_list("5,1,3-3") == (list{5, 1, 3}));
    BOOST_TEST(parse_cpu_list("0-65535")->size() == 65536u);
    for (const char* const bad : {"0-65535,0", "", ",", "1,", ",1", "1-", "-1", "3-1", "a", "1 2",
                                  "1,,2", "1-2-3", "65536", "99999999999", "0-3;8"}) {
        BOOST_TEST(parse_cpu_list(bad).has_error(), bad);
    }
}

BOOST_AUTO_TEST_CASE(defaults_come_from_the_machine) {
    const engine_options got = resolve({});
    const std::vector<unsigned> allowed = allowed_cpus();
    BOOST_TEST(got.shards >= 1u);
    BOOST_TEST(got.shards <= allowed.size());
    BOOST_TEST(got.cpus.size() >= got.shards);
    for (const unsigned cpu : got.cpus) {
        BOOST_TEST((std::find(allowed.begin(), allowed.end(), cpu) != allowed.end()));
    }
    BOOST_TEST(got.chunk_size == 10_MiB);
    BOOST_TEST(got.memory >= got.shards * 2 * got.chunk_size);
    BOOST_TEST(got.memory % 2_MiB == 0u);
    BOOST_TEST(got.memory <= available_memory());
    BOOST_TEST(got.pin == (got.shards == test::cpus_of_this_thread().size()));
}

BOOST_AUTO_TEST_CASE(default_shards_follow_the_affinity_and_the_memory) {
    {
        const one_cpu narrowed;
        const engine_options got = resolve({});
        BOOST_TEST(got.shards == 1u);
        BOOST_TEST(got.cpus == (std::vector<unsigned>{narrowed.cpu()}));
        engine_options wrong;
        wrong.shards = 2;
        check_refused(wrong, {"2 shards", "1 (" + std::to_string(narrowed.cpu()) + ")"});
    }
    engine_options options;
    options.memory = 20_MiB;
    BOOST_TEST(resolve(options).shards == 1u);
    options.cpus = {allowed_cpus().front()};
    options.memory = 1_GiB;
    BOOST_TEST(resolve(options).shards == 1u);
}

BOOST_AUTO_TEST_CASE(without_pinning_there_may_be_more_shards_than_cpus) {
    const engine_options got = resolve(unpinned(100, 100 * 128_KiB));
    BOOST_TEST(got.shards == 100u);
    BOOST_TEST(resolve(unpinned(1024, 1024 * 128_KiB)).shards == 1024u);
    check_refused(unpinned(1025, 1_GiB), {"1025", "at most 1024"});
}

BOOST_AUTO_TEST_CASE(cpus_that_cannot_be_are_refused) {
    engine_options options = unpinned(1, 1_MiB);
    options.pin = true;
    options.cpus = {100'000};
    check_refused(options, {"CPU 100000", "(", "may use"});
    options.cpus = {allowed_cpus().front()};
    options.shards = 2;
    check_refused(options, {"2 shards", "the list given has 1"});
    options.cpus = {options.cpus[0], options.cpus[0]};
    check_refused(options,
                  {"CPU " + std::to_string(options.cpus[0]) + " is listed twice", "its own"});
    options.shards = 1000;
    options.cpus = {};
    check_refused(options, {"1000 shards"});
}

BOOST_AUTO_TEST_CASE(cpus_that_would_not_be_used_are_refused) {
    const std::vector<unsigned> all = allowed_cpus();
    engine_options options = unpinned(1, 1_MiB);
    options.cpus = {all[0]};
    const std::string listed = "(" + std::to_string(all[0]) + ")";
    check_refused(options, {"CPUs are listed " + listed, "pinning is turned off"});
    options.pin = true;
    BOOST_TEST(resolve(options).pin);
    options.hosted = true;
    check_refused(options, {"CPUs are listed " + listed, "a hosted engine pins none"});
    if (all.size() < 2) return;
    options.hosted = false;
    options.cpus = {all[0], all[1]};
    check_refused(options, {"for 1 shard 2 CPUs are listed", "one for each"});
}

BOOST_AUTO_TEST_CASE(sizes_of_chunks_and_memory_that_cannot_be_are_refused) {
    engine_options options = unpinned(2, 0);
    options.memory = 1_MiB;
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, 64_KiB - 1, 64_KiB + 1,
                                     32_KiB, 1_GiB + 64_KiB, most}) {
        options.chunk_size = size;
        check_refused(options, {std::to_string(size), "multiple of 64 KiB from 64 KiB to 1 GiB"});
    }
    options.chunk_size = 1_MiB;
    check_refused(options, {"1 MiB is too small for 2 shards", "two chunks of 1 MiB", "4 MiB"},
                  errc::budget_too_small);
    options.shards = 1;
    options.memory = 2_MiB - 1;
    check_refused(options, {"1 shard:", "2 MiB in all"}, errc::budget_too_small);
    options.memory = 2_MiB;
    BOOST_TEST(resolve(options).shards == 1u);
}

// It would be used at once, and the kernel would end some program for it.
BOOST_AUTO_TEST_CASE(more_memory_than_is_left_is_not_touched) {
    engine_options options = unpinned(1, 64_MiB);
    options.memory = 64_MiB;
    options.touch_memory = true;
    BOOST_TEST(resolve(options).memory == 64_MiB);
    options.memory = std::uint64_t{1} << 46;
    check_refused(options, {"touch_memory", "64 TiB", "is left here"}, errc::budget_too_small);
    options.touch_memory = false;
    BOOST_TEST(resolve(options).memory == options.memory);
}

BOOST_AUTO_TEST_CASE(times_that_cannot_be_are_refused) {
    using std::chrono::microseconds;
    using std::chrono::milliseconds;
    for (const std::int64_t time : {std::int64_t{-1}, std::int64_t{1'000'001}}) {
        engine_options options = unpinned(1, 1_MiB);
        options.spin = microseconds{time};
        check_refused(options, {"spin", std::to_string(time), "from 0 to 1000000"});
    }
    engine_options options = unpinned(1, 1_MiB);
    options.stop_timeout = milliseconds{-5};
    check_refused(options, {"stop timeout", "-5 ms", "not be negative"});
    options = unpinned(1, 1_MiB);
    options.stall = std::chrono::hours::min();
    check_refused(options, {"stall", "-9223372036854 ms", "not be negative"});
}

BOOST_AUTO_TEST_CASE(times_without_limit_are_taken) {
    engine_options options = unpinned(1, 1_MiB);
    options.spin = std::chrono::microseconds{1'000'000};
    options.stop_timeout = std::chrono::milliseconds{0};
    BOOST_TEST(resolve(options).shards == 1u);
    options.spin = std::chrono::seconds::max();
    options.stop_timeout = std::chrono::hours::max();
    options.stall = std::chrono::milliseconds::max();
    const engine_options taken = resolve(options);
    BOOST_TEST(taken.spin.unlimited());
    BOOST_TEST(taken.stop_timeout.unlimited());
    BOOST_TEST(taken.stall.unlimited());
}

BOOST_AUTO_TEST_SUITE_END()
