// fio as a rival: the same reads by the program that everybody trusts.
#pragma once

#include "common/target_file.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace leat::perf {

/// One job of fio: io_uring, O_DIRECT, one process.
struct fio_job {
    bool random = false;
    std::uint64_t block = 4096;  ///< bytes
    unsigned depth = 1;
    bool fixed = true;            ///< registered buffers
    double seconds = 1;           ///< runtime
    std::optional<unsigned> cpu;  ///< to pin to
};

struct fio_result {
    double gbps = 0;
    double iops = 0;
    double p50_us = 0;  ///< completion latency
    double p99_us = 0;
};

/// Runs fio with --readonly. Nothing if there is no fio, or it fails; `why` says so then.
[[nodiscard]] std::optional<fio_result> run_fio(const target_file& target,
                                                const fio_job& job,
                                                std::string& why);

/// The reading of what fio prints, by itself for tests. Throws std::exception if it is not fio's.
[[nodiscard]] fio_result parse_fio(const std::string& json);

}  // namespace leat::perf
