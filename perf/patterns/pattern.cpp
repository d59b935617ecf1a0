// The table of patterns.
#include "patterns/pattern.hpp"

#include <leat/engine/options.hpp>

#include <algorithm>
#include <array>

namespace leat::perf {

namespace {

/// Memory for so many chunks of 10 MiB.
constexpr std::uint64_t chunks(std::uint64_t count) {
    return count * 10 * MiB;
}

constexpr std::uint64_t usual = chunks(51);

constexpr std::array all_patterns{
    pattern{"small4", "10,000 files of 4 KiB, read whole, Zipf 0.9", "smallfiles:4", 500'000,
            500'000, 64 * MiB},
    pattern{"small12", "10,000 files of 12 KiB, read whole, Zipf 0.9", "smallfiles:12", 500'000,
            500'000, 192 * MiB},
    pattern{"records", "100,000 records of 4 KiB, strewn over 1 TiB, Zipf 0.99", "records:1024",
            1'000'000, 300'000, usual},
    pattern{"records16", "the same for 16 clients at once", "records:1024", 500'000, 200'000, usual,
            16},
    pattern{"packed", "100,000 records of 4 KiB, strewn over 2 GiB, Zipf 0.99", "records:2",
            500'000, 300'000, usual},
    pattern{"streams20", "20 streams by 16 KiB through 40 files of 1 GiB, Zipf 0.8", "streams:20",
            2'000'000, 2'000'000, usual},
    pattern{"streams80", "80 streams through 160 files", "streams:80", 1'000'000, 1'000'000, usual},
    pattern{"streams200", "200 streams through 400 files", "streams:200", 300'000, 300'000, usual},
    pattern{"streams1000", "1000 streams through 2000 files", "streams:1000", 300'000, 200'000,
            usual},
    pattern{"mix", "the requests of records and of streams20, in turns", "mix", 1'000'000,
            1'000'000, 2 * GiB},
    pattern{"players", "20 players: head and tail of a file, then 30 MiB of it from anywhere",
            "players", 500'000, 500'000, usual},
    pattern{"readers", "32 readers at once, each of cold files of its own, by 64 KiB", "readers:32",
            200'000, 200'000, usual, 32},
    pattern{"slow", "10,000 slow clients, each of a file of 1 MiB, by 10 KiB", "slow:10000",
            2'000'000, 600'000, chunks(50)},
    pattern{"ahead8", "8 readers by slices(), in memory for 24 chunks of 10 MiB", "readers:8",
            100'000, 100'000, chunks(24), 8, asking::slices},
    pattern{"ahead12", "12 readers by slices(), in memory for 24 chunks of 10 MiB", "readers:12",
            100'000, 100'000, chunks(24), 12, asking::slices},
    pattern{"ahead16", "16 readers by slices(), in memory for 24 chunks of 10 MiB", "readers:16",
            100'000, 100'000, chunks(24), 16, asking::slices},
    pattern{"tensors", "200 tensors of 1 KB to 80 MB, anywhere in 16 GiB, once each, by read()",
            "tensors", 200, 200, usual, 1, asking::read, hint::once},
};

}  // namespace

std::span<const pattern> patterns() noexcept {
    return all_patterns;
}

const pattern* find_pattern(std::string_view name) noexcept {
    const auto* const found = std::find_if(all_patterns.begin(), all_patterns.end(),
                                           [&](const pattern& one) { return one.name == name; });
    return found != all_patterns.end() ? found : nullptr;
}

std::string names_of_patterns() {
    std::string names;
    for (const pattern& one : all_patterns) {
        if (!names.empty()) names += ", ";
        names += one.name;
    }
    return names;
}

}  // namespace leat::perf
