// Ten thousand readers of as many files, and what they take of the machine's memory.
#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(many_readers_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;

namespace {

constexpr unsigned readers = 10'000;
constexpr std::uint64_t budget = 512_MiB;
constexpr std::uint64_t file_bytes = 1_MiB;
constexpr std::uint32_t request_bytes = 16 * KiB;

std::uint64_t resident() {
    std::ifstream file{"/proc/self/statm"};
    std::uint64_t all = 0;
    std::uint64_t pages = 0;
    file >> all >> pages;
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// The most that is resident, looked at each millisecond.
class resident_peak {
public:
    resident_peak()
        : sampler_([this](const std::stop_token& stop) {
              for (; !stop.stop_requested(); std::this_thread::sleep_for(1ms))
                  most_ = std::max(most_.load(), resident());
          }) {}
    [[nodiscard]] std::uint64_t stop() {
        sampler_.request_stop();
        sampler_.join();
        return std::max(most_.load(), resident());
    }

private:
    std::atomic<std::uint64_t> most_{0};
    std::jthread sampler_;
};

/// Each is open as long as it reads; some read in order, others here and there.
task<> read_one(chunk_manager& manager, std::string path, unsigned number, unsigned& served) {
    const file from = co_await manager.open(std::move(path));
    for (unsigned n = 0; n < 12; ++n) {
        const std::uint64_t places = file_bytes / request_bytes;
        const std::uint64_t place = number % 2 == 0 ? n : (n * 37 + number) % places;
        const slice got = co_await manager.get_chunk({from, place * request_bytes, request_bytes});
        if (got.size() != request_bytes) co_return;
        co_await yield{};
    }
    ++served;
}

task<> read_all(chunk_manager& manager, std::string folder, unsigned part, unsigned& served) {
    const auto part_of_them = [&](scope& all) -> task<> {
        for (unsigned number = part; number < readers; number += 2)
            all.spawn(read_one(manager, folder + std::to_string(number), number, served));
        co_return;
    };
    co_await with_scope(part_of_them);
}

}  // namespace

BOOST_AUTO_TEST_CASE(ten_thousand_readers_take_the_budget_and_little_more) {
    ::rlimit files{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = std::max<rlim_t>(files.rlim_cur, std::min<rlim_t>(files.rlim_max, 20'000));
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
    if (files.rlim_cur < readers + 200) {
        BOOST_TEST_MESSAGE("not run: a process may have too few files open here");
        return;
    }
    const test::temporary_folder folder;
    for (unsigned number = 0; number < readers; ++number) {
        const std::string path = folder.path(std::to_string(number));
        std::ofstream{path};
        BOOST_REQUIRE(::truncate(path.c_str(), file_bytes) == 0);
    }
    engine_options options = test::small_engine(2, budget, 10_MiB);
    options.memory = budget;
    std::uint64_t most = 0;
    {
        engine owner{options};
        chunk_manager manager{owner, file_source{}};
        resident_peak peak;
        std::array<unsigned, 2> served{};
        std::vector<spawned<void>> parts;
        for (unsigned part = 0; part < 2; ++part)
            parts.push_back(
                owner.spawn_on(part, read_all(manager, folder.path(""), part, served[part])));
        for (spawned<void>& one : parts) one.get();
        most = peak.stop();
        BOOST_TEST(served[0] + served[1] == readers);
        const cache_statistics now = owner.run(manager.statistics());
        BOOST_TEST(now.cached_bytes + now.entry_bytes <= budget);
        BOOST_TEST(now.evictions != 0U);
    }
    BOOST_TEST(most <= budget + 64_MiB);
}

BOOST_AUTO_TEST_SUITE_END()
