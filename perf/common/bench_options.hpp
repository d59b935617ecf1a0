// What is measured on what, for how long.
#pragma once

#include <leat/engine/options.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace leat::perf {

/// The options of a run, after fio's t/io_uring where they mean the same.
struct bench_options {
    std::string file;           ///< what is read; empty: a sample that is made once
    std::uint64_t size = 0;     ///< bytes of it that are used; 0: 2 GiB, or all there are
    unsigned rounds = 5;        ///< in which leat and its rivals alternate
    double seconds = 0;         ///< of one measurement; 0: the workload's choice
    unsigned depth = 0;         ///< requests in flight; 0: the workload's choice
    std::uint64_t block = 0;    ///< bytes of a request; 0: the workload's choice
    bool fixed_buffers = true;  ///< raw rings read into registered buffers
    bool random = true;         ///< raw rings read random blocks
    unsigned threads = 0;       ///< of workloads that have threads of their own; 0: as many as CPUs
    double minutes = 10;        ///< of the workload soak
    std::vector<std::string> against{"fio", "pread", "mmap", "asio"};
    engine_options engine;  ///< of leat; shards 0: the workload's choice
    std::string json;       ///< file to write the figures to

    [[nodiscard]] bool rival(const std::string& name) const {
        for (const std::string& one : against) {
            if (one == name) return true;
        }
        return false;
    }
};

}  // namespace leat::perf
