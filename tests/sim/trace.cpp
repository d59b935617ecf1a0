// A hash of what happened, by which two runs are compared.
#include "trace.hpp"

#include <cinttypes>
#include <cstdio>
#include <string>

namespace leat::sim {

void trace::note(std::uint64_t time,
                 int shard,
                 std::string_view what,
                 std::uint64_t a,
                 std::uint64_t b,
                 std::uint64_t c) noexcept {
    ++events_;
    mix(time);
    mix(static_cast<std::uint64_t>(shard));
    for (const char letter : what) mix(static_cast<unsigned char>(letter));
    mix(a);
    mix(b);
    mix(c);
    if (!print_) return;
    char where[24] = "outside";
    if (shard >= 0) std::snprintf(where, sizeof where, "shard %d", shard);
    std::printf("%14" PRIu64 "  %-8s %-18.*s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", time, where,
                static_cast<int>(what.size()), what.data(), a, b, c);
}

}  // namespace leat::sim
