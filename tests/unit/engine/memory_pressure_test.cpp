// What the kernel says of memory pressure, from made-up files, and what the engine makes of it.
#include "memory_pressure.hpp"

#include "memory_keeper.hpp"
#include "pattern.hpp"

#include <leat/engine/options.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <string>

BOOST_AUTO_TEST_SUITE(memory_pressure_test)

using namespace leat::literals;
using leat::detail::memory_keeper;
using leat::detail::memory_pressure;

namespace {

class machine {
public:
    void file(const std::string& path, const std::string& content) const {
        const std::filesystem::path whole = root + path;
        std::filesystem::create_directories(whole.parent_path());
        std::ofstream{whole} << content;
    }
    void stalls(const std::string& path, unsigned long total) const {
        file(path, "some avg10=0.00 avg60=0.00 avg300=0.00 total=" + std::to_string(total) +
                       "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=999999999\n");
    }
    void unified() const {
        file("/proc/self/cgroup", "0::/a/b\n");
        file("/proc/self/mountinfo",
             "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
    }

    leat::test::temporary_folder folder;
    std::string root = folder.path("machine");
};

const std::string group = "/sys/fs/cgroup/a/b";

}  // namespace

BOOST_AUTO_TEST_CASE(the_groups_own_stall_times_count) {
    const machine here;
    here.unified();
    here.stalls("/proc/pressure/memory", 0);
    here.stalls(group + "/memory.pressure", 1'000'000);
    memory_pressure of{here.root};
    BOOST_TEST(of.told());
    BOOST_TEST(!of.risen(1'000'000));
    here.stalls("/proc/pressure/memory", 900'000);
    here.stalls(group + "/memory.pressure", 1'050'000);
    BOOST_TEST(!of.risen(1'000'000));  // just a twentieth
    here.stalls(group + "/memory.pressure", 1'100'001);
    BOOST_TEST(of.risen(1'000'000));
    BOOST_TEST(!of.risen(1'000'000));
}

BOOST_AUTO_TEST_CASE(a_group_over_its_memory_high_is_under_pressure) {
    const machine here;
    here.unified();
    here.stalls(group + "/memory.pressure", 0);
    here.file(group + "/memory.events", "low 0\nhigh 7\nmax 0\noom 0\n");
    memory_pressure of{here.root};
    BOOST_TEST(!of.risen(1'000'000));
    here.file(group + "/memory.events", "low 0\nhigh 8\nmax 0\noom 0\n");
    BOOST_TEST(of.risen(1'000'000));
    BOOST_TEST(!of.risen(1'000'000));
}

BOOST_AUTO_TEST_CASE(the_machines_stall_times_count_where_there_is_no_group) {
    const machine here;
    here.stalls("/proc/pressure/memory", 5);
    memory_pressure of{here.root};
    BOOST_TEST(of.told());
    here.stalls("/proc/pressure/memory", 500'005);
    BOOST_TEST(of.risen(1'000'000));
}

BOOST_AUTO_TEST_CASE(where_nothing_is_told_there_is_no_pressure) {
    const machine here;
    memory_pressure of{here.root};
    BOOST_TEST(!of.told());
    BOOST_TEST(!of.risen(1'000'000));
}

BOOST_AUTO_TEST_CASE(memory_goes_fast_and_comes_back_slowly) {
    unsigned calm = 0;
    std::uint64_t memory = 1_GiB;
    memory = memory_keeper::after_a_second(1_GiB, memory, true, calm);
    BOOST_TEST(memory == 896_MiB);
    for (int second = 0; second < 100; ++second)
        memory = memory_keeper::after_a_second(1_GiB, memory, true, calm);
    BOOST_TEST(memory == 256_MiB);
    for (int second = 0; second < 10; ++second) {
        memory = memory_keeper::after_a_second(1_GiB, memory, false, calm);
        BOOST_TEST(memory == 256_MiB);
    }
    memory = memory_keeper::after_a_second(1_GiB, memory, false, calm);
    BOOST_TEST(memory == 320_MiB);
    BOOST_TEST(memory_keeper::after_a_second(1_GiB, memory, true, calm) == 280_MiB);
    memory = memory_keeper::after_a_second(1_GiB, memory, false, calm);
    BOOST_TEST(memory == 320_MiB);  // after ten seconds again
    for (int second = 0; second < 100; ++second)
        memory = memory_keeper::after_a_second(1_GiB, memory, false, calm);
    BOOST_TEST(memory == 1_GiB);
}

BOOST_AUTO_TEST_SUITE_END()
