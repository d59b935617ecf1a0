// Workloads that are made up, the same for the same seed.
#pragma once

#include "replay/trace.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::perf {

struct made_up_options {
    std::string workload;  ///< "NAME" or "NAME:N"
    std::uint64_t seed = 1;
    std::uint64_t requests = 0;  ///< 0: the workload's choice
};

/// Makes the requests of one of these:
///
/// - records:N: 4 KiB each, of 100,000 records that are strewn over N GiB, 1024 unless N is given,
///   with Zipf's exponent 0.99.
/// - streams:N: N players, of whom a random one goes on each time, by 16 KiB; each plays a file
///   from end to end, and then another, of max(40, 2 N) files of 1 GiB, with exponent 0.8.
/// - mix: 20 streams and records, in turns.
/// - players: 20 of 200 files of 1 GiB, with exponent 0.8. Each asks for 64 KiB of a file's head
///   and of its tail, and then plays 30 MiB from a random place on, by 16 KiB.
/// - smallfiles:N: whole, of 10,000 files of N KiB, 4 unless N is given, with exponent 0.9.
/// - readers:N: N readers in turns, each of files of 256 MiB that no other reads, by 64 KiB; from a
///   random place of its first file on, and then from end to end.
/// - slow:N: N clients, of whom a random one goes on each time, by 10 KiB; each reads a file of
///   1 MiB of its own, from a random place on and over and over.
/// - tensors: 200 of 1 KB to 80 MB, as many of each order of magnitude, anywhere in a file of
///   16 GiB, but none over another, each whole and once, in random order; then others.
/// - scan:N: a file of N times 10 MiB, of which 4 KiB are asked for in one of its parts, with
///   exponent 0.99, and a file of 1 TiB that is read from its start, by 64 KiB, in turns.
///
/// Throws CLI::ValidationError for what is none of them.
[[nodiscard]] trace make_trace(const made_up_options& what);

/// Their names, for messages and help.
inline constexpr std::string_view made_up_names =
    "records:N, streams:N, mix, players, smallfiles:N, readers:N, slow:N, tensors "
    "or scan:N";

}  // namespace leat::perf
