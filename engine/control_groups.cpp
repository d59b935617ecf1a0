// Reads the limits of a process's control groups and of all above them.
#include "control_groups.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

namespace leat::detail {

namespace {

/// The process's group in one hierarchy.
struct membership {
    std::string controllers;  // as in ",cpu,cpuacct,"; of version 2 ",,"
    std::string path;         // "" for the top
};

/// A hierarchy that can be seen, or a part of it.
struct mount {
    std::string top;    // the group that is mounted; "" for the hierarchy's top
    std::string point;  // where
    std::string controllers;
};

using visitor = std::function<void(const std::string& directory)>;

std::string without_slash(std::string path) {
    return path == "/" ? "" : path;
}

// A blank is "\040".
std::string unescaped(const std::string& field) {
    std::string text;
    for (std::size_t i = 0; i < field.size(); ++i) {
        if (field[i] == '\\' && i + 3 < field.size()) {
            text += static_cast<char>(std::stoi(field.substr(i + 1, 3), nullptr, 8));
            i += 3;
        } else {
            text += field[i];
        }
    }
    return text;
}

std::vector<membership> memberships(const std::string& root) {
    std::vector<membership> all;
    std::ifstream lines{root + "/proc/self/cgroup"};
    for (std::string line; std::getline(lines, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        all.push_back({"," + line.substr(first + 1, second - first - 1) + ",",
                       without_slash(line.substr(second + 1))});
    }
    return all;
}

// The fields are those of proc_pid_mountinfo(5).
std::vector<mount> mounts(const std::string& root) {
    std::vector<mount> all;
    std::ifstream lines{root + "/proc/self/mountinfo"};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        std::string skipped;
        std::string top;
        std::string point;
        words >> skipped >> skipped >> skipped >> top >> point;
        while (words >> skipped && skipped != "-") {
        }
        std::string type;
        std::string options;
        words >> type >> skipped >> options;
        if (type != "cgroup" && type != "cgroup2") continue;
        all.push_back({without_slash(unescaped(top)), root + unescaped(point),
                       type == "cgroup2" ? ",," : "," + options + ","});
    }
    return all;
}

bool has(const std::string& controllers, std::string_view wanted) {
    return controllers.find("," + std::string{wanted} + ",") != std::string::npos;
}

/// How many steps above the top of the cgroup namespace a mount begins: 2 for "/../..". Nothing if
/// it begins elsewhere.
std::optional<int> steps_above(std::string_view top) {
    int steps = 0;
    for (; top.substr(0, 3) == "/.."; top.remove_prefix(3)) ++steps;
    if (!top.empty() || steps == 0) return std::nullopt;
    return steps;
}

bool lists_this_process(const std::string& file) {
    std::ifstream numbers{file};
    for (pid_t number = 0; numbers >> number;) {
        if (number == ::getpid()) return true;
    }
    return false;
}

/// The way down from `point` to this process's group, which lies at least `depth` below: a mount
/// from outside of the cgroup namespace does not tell the names in between.
std::string way_down(const std::string& point, int depth) {
    std::error_code ignored;
    std::filesystem::recursive_directory_iterator entry{point, ignored};
    for (const decltype(entry) end; !ignored && entry != end; entry.increment(ignored)) {
        const std::string file = entry->path().string() + "/cgroup.procs";
        if (entry.depth() + 1 >= depth && entry->is_directory(ignored) && lists_this_process(file))
            return entry->path().string().substr(point.size());
    }
    return "";
}

/// The way down from where a hierarchy is mounted to the group, or nothing if it is not beneath.
std::optional<std::string> way_to(const mount& at, const membership& group) {
    const auto outside = [](const std::string& path) { return path.compare(0, 3, "/..") == 0; };
    if (group.path.compare(0, at.top.size(), at.top) == 0) {
        std::string rest = group.path.substr(at.top.size());
        if (rest.empty() || (rest[0] == '/' && !outside(rest))) return rest;
    }
    const auto above = steps_above(at.top);
    if (!above || outside(group.path)) return std::nullopt;
    return way_down(at.point, *above);
}

/// Visits the group that this process has under `controller` ("" for version 2), and those above.
void visit_groups(const std::string& root, std::string_view controller, const visitor& visit) {
    std::vector<mount> all = mounts(root);
    std::erase_if(all, [&](const mount& at) { return !has(at.controllers, controller); });
    bool found = false;
    for (const membership& group : memberships(root)) {
        if (!has(group.controllers, controller)) continue;
        for (const mount& at : all) {
            std::optional<std::string> way = way_to(at, group);
            if (!way) continue;
            found = true;
            for (; !way->empty(); way->erase(way->rfind('/'))) visit(at.point + *way);
            visit(at.point);
        }
    }
    // A container may see its own group alone, and under another name.
    for (const mount& at : all) {
        if (!found) visit(at.point);
    }
}

/// The first number in a file, or nothing: "max" means no limit.
std::optional<std::uint64_t> number_in(const std::string& path) {
    std::ifstream file{path};
    std::uint64_t value = 0;
    if (file >> value) return value;
    return std::nullopt;
}

void narrow(group_limits& limits, const std::string& file, std::uint64_t used, std::size_t prefix) {
    // What version 1 says where there is no limit.
    constexpr std::uint64_t unlimited = std::uint64_t{1} << 62;
    const auto limit = number_in(file);
    if (!limit || *limit >= unlimited) return;
    if (*limit < limits.memory) {
        limits.memory = *limit;
        limits.memory_file = file.substr(prefix);
    }
    limits.memory_left = std::min(limits.memory_left, *limit > used ? *limit - used : 0);
}

void narrow_cpus(group_limits& limits, double quota, double period) {
    if (quota <= 0 || period <= 0) return;
    const double cpus = std::max(1.0, std::floor(quota / period));
    limits.cpus = std::min(limits.cpus, static_cast<std::size_t>(cpus));
}

std::uint64_t used_in(const std::string& usage, const std::string& statistics, const char* cache) {
    const std::uint64_t used = number_in(usage).value_or(0);
    return used - std::min(used, number_of(statistics, cache));
}

}  // namespace

std::uint64_t number_of(const std::string& path, std::string_view key) {
    std::ifstream file{path};
    std::string word;
    for (std::uint64_t value = 0; file >> word >> value;) {
        if (word == key) return value;
    }
    return 0;
}

std::string pressure_file(const std::string& root) {
    std::string found;
    visit_groups(root, "", [&](const std::string& group) {
        const std::string file = group + "/memory.pressure";
        if (found.empty() && std::ifstream{file}.good()) found = file;
    });
    return found;
}

group_limits limits_of_groups(const std::string& root) {
    group_limits limits;
    visit_groups(root, "", [&](const std::string& group) {
        const std::uint64_t used =
            used_in(group + "/memory.current", group + "/memory.stat", "inactive_file");
        narrow(limits, group + "/memory.max", used, root.size());
        narrow(limits, group + "/memory.high", used, root.size());
        std::ifstream file{group + "/cpu.max"};
        double quota = 0;
        double period = 0;
        if (file >> quota >> period) narrow_cpus(limits, quota, period);
    });
    visit_groups(root, "memory", [&](const std::string& group) {
        const std::uint64_t used = used_in(group + "/memory.usage_in_bytes", group + "/memory.stat",
                                           "total_inactive_file");
        narrow(limits, group + "/memory.limit_in_bytes", used, root.size());
    });
    visit_groups(root, "cpu", [&](const std::string& group) {
        // A quota of -1, which is no limit, is no number here.
        const auto quota = number_in(group + "/cpu.cfs_quota_us");
        const auto period = number_in(group + "/cpu.cfs_period_us");
        if (quota && period)
            narrow_cpus(limits, static_cast<double>(*quota), static_cast<double>(*period));
    });
    return limits;
}

}  // namespace leat::detail
