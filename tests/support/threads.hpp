// What the system tells of this process's threads.
#pragma once

#include <sched.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace leat::test {

/// Their numbers.
[[nodiscard]] inline std::set<std::string> threads_of_this_process() {
    std::set<std::string> numbers;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        numbers.insert(entry.path().filename().string());
    }
    return numbers;
}

/// One thread's name, CPUs and signals.
struct thread_status {
    explicit thread_status(const std::string& number) {
        std::ifstream lines("/proc/self/task/" + number + "/status");
        std::string key;
        while (lines >> key) {
            std::string rest;
            std::getline(lines >> std::ws, rest);
            if (key == "Name:") name = rest;
            if (key == "Cpus_allowed_list:") cpus = rest;
            if (key == "SigBlk:") blocked = std::stoull(rest, nullptr, 16);
        }
    }
    [[nodiscard]] bool blocks(int signal) const { return (blocked >> (signal - 1) & 1) != 0; }

    std::string name;
    std::string cpus;  ///< as in "0-3,8"
    unsigned long long blocked = 0;
};

/// The CPUs on which the calling thread may run, up to CPU 1023.
[[nodiscard]] inline std::vector<unsigned> cpus_of_this_thread() {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    std::vector<unsigned> cpus;
    if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return cpus;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &mask)) cpus.push_back(cpu);
    }
    return cpus;
}

}  // namespace leat::test
