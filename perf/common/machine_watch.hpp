// Whether the machine did something else meanwhile.
#pragma once

#include <cstdint>

namespace leat::perf {

/// CPU seconds that other programs, and the host of a virtual machine, have taken since this was
/// made.
class machine_watch {
public:
    machine_watch();

    /// CPUs that were busy with others on the average, such as 0.3. From /proc/stat, whose ticks
    /// of 10 ms say nothing over times that are not long_enough().
    [[nodiscard]] double foreign_cpus() const;
    [[nodiscard]] bool long_enough() const;

private:
    struct reading {
        double wall = 0;
        double all = 0;  ///< of all programs, stolen time included
        double own = 0;  ///< of this process and the children it has waited for
    };
    static reading read();

    reading begin_;
};

}  // namespace leat::perf
