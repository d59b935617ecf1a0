// Reads from /proc what other processes used meanwhile.
#include "common/machine_watch.hpp"

#include "common/clocks.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>

namespace leat::perf {

namespace {
double cpu_seconds(int who) {
    rusage used{};
    ::getrusage(who, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}
}  // namespace

machine_watch::machine_watch() : begin_(read()) {}

machine_watch::reading machine_watch::read() {
    reading now;
    now.wall = std::chrono::duration<double>(clock::now().time_since_epoch()).count();
    now.own = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN);
    std::ifstream stat{"/proc/stat"};
    std::string name;
    // user, nice, system, idle, iowait, irq, softirq, steal; interrupts serve this program's I/O.
    std::array<double, 8> ticks{};
    stat >> name;
    for (double& one : ticks) stat >> one;
    const auto a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    now.all = (ticks[0] + ticks[1] + ticks[2] + ticks[7]) / a_second;
    return now;
}

bool machine_watch::long_enough() const {
    constexpr double ticks = 0.08;
    return std::chrono::duration<double>(clock::now().time_since_epoch()).count() - begin_.wall >=
           ticks;
}

double machine_watch::foreign_cpus() const {
    const reading end = read();
    const double wall = end.wall - begin_.wall;
    const double foreign = (end.all - begin_.all) - (end.own - begin_.own);
    // Each CPU's tick may fall on either side.
    const double doubt = 0.02;
    return std::max(0.0, foreign - doubt) / wall;
}

}  // namespace leat::perf
