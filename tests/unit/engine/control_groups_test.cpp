// Limits of groups and of those above them, from made-up files.
#include "control_groups.hpp"

#include "pattern.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

BOOST_AUTO_TEST_SUITE(control_groups_test)

using leat::detail::group_limits;
using leat::detail::limits_of_groups;

namespace {

constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t all_cpus = std::numeric_limits<std::size_t>::max();

/// A machine whose /proc and control groups are files in a folder.
class machine {
public:
    /// With these lines in /proc/self/cgroup, and mounts: a group, where it is mounted, and the
    /// file system with its options.
    machine(const std::string& groups, const std::string& mounts) {
        file("/proc/self/cgroup", groups);
        file("/proc/self/mountinfo",
             "23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n" + mounts);
    }
    void file(const std::string& path, const std::string& content) const {
        const std::filesystem::path whole = root_ + path;
        std::filesystem::create_directories(whole.parent_path());
        std::ofstream{whole} << content;
    }
    /// A group of version 2 with a limit and what it uses.
    void group(const std::string& path, const std::string& most, int used, int cache = 0) const {
        file(path + "/memory.max", most + "\n");
        file(path + "/memory.high", "max\n");
        file(path + "/memory.current", std::to_string(used) + "\n");
        file(path + "/memory.stat",
             "anon 5\ninactive_file " + std::to_string(cache) + "\nslab 7\n");
        file(path + "/cpu.max", "max 100000\n");
    }
    [[nodiscard]] group_limits limits() const { return limits_of_groups(root_); }

private:
    leat::test::temporary_folder folder_;
    std::string root_ = folder_.path("machine");
};

const std::string unified =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:2 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string memory_mount =
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n";
const std::string cpu_mount =
    "36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n";

}  // namespace

BOOST_AUTO_TEST_CASE(without_groups_there_are_no_limits) {
    for (const char* const groups : {"", "0::/\n", "nonsense\n", "4:memory:/a\n0::/b/c\n"}) {
        const group_limits limits = machine{groups, ""}.limits();
        BOOST_TEST(limits.memory == none);
        BOOST_TEST(limits.memory_left == none);
        BOOST_TEST(limits.memory_file == "");
        BOOST_TEST(limits.cpus == all_cpus);
    }
}

BOOST_AUTO_TEST_CASE(each_group_above_limits_memory) {
    const machine here{"0::/a/b/c\n", unified};
    const std::string top = "/sys/fs/cgroup";
    here.group(top + "/a", "5000", 4000);
    here.group(top + "/a/b", "3000", 1000);
    here.group(top + "/a/b/c", "max", 500);
    BOOST_TEST(here.limits().memory == 3000u);
    BOOST_TEST(here.limits().memory_file == top + "/a/b/memory.max");
    BOOST_TEST(here.limits().memory_left == 1000u);  // of /a
    here.group(top + "/a/b/c", "700", 500);
    BOOST_TEST(here.limits().memory == 700u);
    BOOST_TEST(here.limits().memory_left == 200u);
    here.group(top + "/a", "5000", 6000);
    BOOST_TEST(here.limits().memory_left == 0u);
    here.group(top + "/other", "1", 1);
    here.group(top + "/a/bb", "1", 1);
    BOOST_TEST(here.limits().memory == 700u);
}

BOOST_AUTO_TEST_CASE(the_limit_that_only_slows_down_counts_too) {
    const machine here{"0::/a\n", unified};
    here.group("/sys/fs/cgroup/a", "3000", 1000);
    here.file("/sys/fs/cgroup/a/memory.high", "2000\n");
    BOOST_TEST(here.limits().memory == 2000u);
    BOOST_TEST(here.limits().memory_file == "/sys/fs/cgroup/a/memory.high");
    BOOST_TEST(here.limits().memory_left == 1000u);
}

BOOST_AUTO_TEST_CASE(page_cache_that_can_be_dropped_is_free) {
    const machine here{"0::/a\n", unified};
    here.group("/sys/fs/cgroup/a", "3000", 2500, 2000);
    BOOST_TEST(here.limits().memory_left == 2500u);
    here.group("/sys/fs/cgroup/a", "3000", 2500, 9999);
    BOOST_TEST(here.limits().memory_left == 3000u);

    const machine old{"4:memory:/a\n", memory_mount};
    const std::string group = "/sys/fs/cgroup/memory/a";
    old.file(group + "/memory.limit_in_bytes", "3000\n");
    old.file(group + "/memory.usage_in_bytes", "2500\n");
    old.file(group + "/memory.stat", "inactive_file 1\ntotal_inactive_file 600\n");
    BOOST_TEST(old.limits().memory_left == 1100u);
}

BOOST_AUTO_TEST_CASE(groups_of_version_1_limit_each_for_its_controller) {
    const machine here{
        "9:name=systemd:/x\n4:memory:/a/b\n2:cpu,cpuacct:/c/d\n0::/\n",
        memory_mount + cpu_mount + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"};
    const std::string memory = "/sys/fs/cgroup/memory";
    here.file(memory + "/memory.limit_in_bytes", "9223372036854771712\n");
    here.file(memory + "/memory.usage_in_bytes", "70000\n");
    here.file(memory + "/a/memory.limit_in_bytes", "5000\n");
    here.file(memory + "/a/memory.usage_in_bytes", "4000\n");
    here.file(memory + "/a/b/memory.limit_in_bytes", "9223372036854771712\n");
    here.file(memory + "/a/b/memory.usage_in_bytes", "4000\n");
    const std::string cpu = "/sys/fs/cgroup/cpu,cpuacct";
    here.file(cpu + "/c/cpu.cfs_quota_us", "350000\n");
    here.file(cpu + "/c/cpu.cfs_period_us", "100000\n");
    here.file(cpu + "/c/d/cpu.cfs_quota_us", "-1\n");
    here.file(cpu + "/c/d/cpu.cfs_period_us", "100000\n");
    const group_limits limits = here.limits();
    BOOST_TEST(limits.memory == 5000u);
    BOOST_TEST(limits.memory_file == memory + "/a/memory.limit_in_bytes");
    BOOST_TEST(limits.memory_left == 1000u);
    BOOST_TEST(limits.cpus == 3u);
}

BOOST_AUTO_TEST_CASE(the_least_quota_of_all_groups_counts_and_is_at_least_one_cpu) {
    const machine here{"0::/a/b\n", unified};
    here.file("/sys/fs/cgroup/a/cpu.max", "250000 100000\n");
    here.file("/sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
    BOOST_TEST(here.limits().cpus == 2u);
    here.file("/sys/fs/cgroup/a/b/cpu.max", "5000 100000\n");
    BOOST_TEST(here.limits().cpus == 1u);
    here.file("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
    here.file("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    BOOST_TEST(here.limits().cpus == all_cpus);
}

BOOST_AUTO_TEST_CASE(groups_are_found_wherever_they_are_mounted) {
    const machine elsewhere{"0::/a/b\n", "30 23 0:26 / /mnt/my\\040groups rw - cgroup2 none rw\n"};
    elsewhere.group("/mnt/my groups/a", "3000", 0);
    BOOST_TEST(elsewhere.limits().memory == 3000u);

    const machine part{"0::/docker/id/inner\n",
                       "30 23 0:26 /docker/id /sys/fs/cgroup ro - cgroup2 cgroup rw\n"};
    part.group("/sys/fs/cgroup", "3000", 100);
    part.group("/sys/fs/cgroup/inner", "2000", 100);
    BOOST_TEST(part.limits().memory == 2000u);

    // As a container sees it that was given its own group alone.
    const machine renamed{"0::/docker/id\n",
                          "30 23 0:26 /other /sys/fs/cgroup ro - cgroup2 cgroup rw\n"};
    renamed.group("/sys/fs/cgroup", "3000", 100);
    BOOST_TEST(renamed.limits().memory == 3000u);

    const machine both{"0::/a\n",
                       "30 23 0:26 /other /mnt/other ro - cgroup2 cgroup rw\n" + unified};
    both.group("/mnt/other", "1", 0);
    both.group("/sys/fs/cgroup/a", "3000", 0);
    BOOST_TEST(both.limits().memory == 3000u);
}

BOOST_AUTO_TEST_CASE(a_cgroup_namespace_hides_names_but_not_limits) {
    const machine inside{"0::/\n", unified};
    inside.group("/sys/fs/cgroup", "3000", 100);
    BOOST_TEST(inside.limits().memory == 3000u);

    // What was mounted before the namespace was made begins above its top.
    const machine from_outside{"0::/inner\n",
                               "30 23 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw\n"};
    const std::string top = "/sys/fs/cgroup";
    from_outside.group(top + "/a", "3000", 100);
    from_outside.group(top + "/a/b", "2500", 100);
    from_outside.group(top + "/a/b/inner", "2000", 100);
    from_outside.group(top + "/c/d/inner", "1000", 100);
    from_outside.file(top + "/c/d/inner/cgroup.procs", "1\n2\n");
    from_outside.file(top + "/a/b/inner/cgroup.procs", "1\n" + std::to_string(::getpid()) + "\n");
    BOOST_TEST(from_outside.limits().memory == 2000u);
    BOOST_TEST(from_outside.limits().memory_left == 1900u);

    // A process that was moved out of its namespace's part has no way to its group.
    const machine moved{"0::/../elsewhere\n", unified};
    moved.group("/sys/fs/cgroup/elsewhere", "1000", 100);
    BOOST_TEST(moved.limits().memory == none);
}

BOOST_AUTO_TEST_SUITE_END()
