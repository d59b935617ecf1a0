// How an engine is made, and the parsing of sizes and CPU lists for every program.
#pragma once

#include <leat/engine/cache_policy.hpp>
#include <leat/engine/error.hpp>
#include <leat/io/backend.hpp>
#include <leat/io/time_span.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

inline constexpr std::uint64_t KiB = 1024;
inline constexpr std::uint64_t MiB = 1024 * KiB;
inline constexpr std::uint64_t GiB = 1024 * MiB;

namespace literals {
constexpr std::uint64_t operator""_KiB(unsigned long long n) {
    return n * KiB;
}
constexpr std::uint64_t operator""_MiB(unsigned long long n) {
    return n * MiB;
}
constexpr std::uint64_t operator""_GiB(unsigned long long n) {
    return n * GiB;
}
}  // namespace literals

/// Something a user may want to know that is no error of a call: a fallback taken, a background
/// read that failed, a stalled shard. `text` is one sentence.
struct event {
    enum class level : std::uint8_t { information, warning };
    level severity;
    std::string text;
};

/// Options of an engine. What is left at its default is chosen from the machine and lowered
/// quietly where it must be; what is given is taken or refused with a sentence.
struct engine_options {
    unsigned shards = 0;  ///< 0: one for each CPU allowed (affinity, cgroup quota); at most 1024
    std::vector<unsigned> cpus = {};  ///< CPUs to pin to, one a shard, in shard order
    /// Each shard is pinned to a CPU of its own if `cpus` lists them, or if there are as many
    /// shards as the process may use CPUs; fewer run where the system puts them, since otherwise
    /// all small engines would meet on the first CPUs. false: none is pinned, and there may be more
    /// shards than CPUs. A resolved option tells what came of it.
    bool pin = true;
    /// Bytes for the cache, of all shards: buffers, and what stands for what is in them. Of a shard
    /// two chunks are its buffers' at least; where there is hardly more, what entries take comes on
    /// top. 0: default_memory(). More than a control group or the machine allows is taken, with a
    /// warning.
    std::uint64_t memory = 0;
    /// What engine::set_memory() may raise it to, in bytes; 0: `memory`. Only address space is
    /// reserved for it.
    std::uint64_t most_memory = 0;
    /// Gives memory back while the kernel is short of it, and takes it again when that is over:
    /// down to a quarter of `memory`, an eighth a second while tasks of the control group, or else
    /// of the machine, wait for memory for more than a twentieth of the time (PSI), or the group
    /// is over its memory.high.
    bool memory_pressure = false;
    /// Default of the engine's managers; see check_chunk_size.
    std::uint64_t chunk_size = 10 * MiB;
    /// What is let go when the memory is full, on each shard of what is there.
    cache_policy policy = cache_policy::s3fifo_e;
    io::backend_options backend = {};
    /// Longest busy wait before a shard parks; 0 parks at once. Twice what a small read takes on
    /// common devices: waking a parked core would cost half as much again.
    /// At most a second, or time_span::max(), which never parks.
    time_span spin = std::chrono::microseconds{200};
    /// How long stopping waits for tasks and the device; time_span::max(): for ever.
    time_span stop_timeout = std::chrono::seconds{10};
    /// A turn longer than this is counted and reported; time_span::max(): none is.
    time_span stall = std::chrono::milliseconds{50};
    bool huge_pages = true;
    bool register_buffers = true;
    /// Each shard touches and registers all of its memory when it is opened, some 0.1 to 2 s a GiB:
    /// all of it is resident from then on, and no request waits for the kernel to clear a page,
    /// which takes 0.1 to 0.3 ms for a huge one, and more where the machine is a guest whose host
    /// has not given it yet. More memory than is left is refused. false: as memory is first used.
    bool touch_memory = false;
    /// The program steps the shards on threads of its own, by host_loop or by shard::open(), turn()
    /// and park(). start() then makes no threads, `shards` defaults to 1, and nothing is pinned.
    bool hosted = false;
    /// Makes a shard's backend, on the thread that opens the shard, in place of io::make_backend
    /// with `backend`; a program may so put one of its own under leat. Must not give null.
    std::function<std::unique_ptr<io::backend>(unsigned shard)> make_backend = {};
    /// Called on any thread; must not throw. Empty: nobody listens.
    std::function<void(const event&)> on_event = {};
};

/// `options` with every default replaced by what this machine gives. Throws leat::system_error with
/// errc::invalid_option or errc::budget_too_small, whose what() says what is allowed.
[[nodiscard]] engine_options resolve(engine_options options);

/// Throws errc::invalid_option unless `bytes` is a multiple of 64 KiB from 64 KiB to 1 GiB.
void check_chunk_size(std::uint64_t bytes);

/// Throws unless an engine with these options, which needs `least`, may have `bytes` of memory, as
/// engine::set_memory says.
void check_memory(const engine_options& options, std::uint64_t bytes, std::uint64_t least);

/// Parses "4096", "10M", "10MiB" (1024 based), "10MB" (1000 based); K, M, G, T, P. Errors:
/// errc::invalid_option.
[[nodiscard]] boost::system::result<std::uint64_t> parse_size(std::string_view text);

/// The shortest exact form, or two digits behind the point, 1024 based: "10 MiB", "1.5 GiB", "17
/// B".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// Parses "0-3,8" into numbers in the order given. Errors: errc::invalid_option.
[[nodiscard]] boost::system::result<std::vector<unsigned>> parse_cpu_list(std::string_view text);

/// The CPUs this process may use, by affinity, and no more of them than a cgroup's quota grants. On
/// a shard, too, those of the process, not the one that the shard is pinned to.
[[nodiscard]] std::vector<unsigned> allowed_cpus();

/// Bytes of memory that this process may still take: the least of what MemAvailable tells and what
/// its control group and each group above leave. Page cache that can be dropped counts as free.
[[nodiscard]] std::uint64_t available_memory();

/// What engine_options::memory is if it is left at 0, in bytes: a quarter of available_memory(), or
/// two chunks if that is more and at most half of it. For programs with a default of their own,
/// which is to be no larger.
///
///     options.memory = std::min(256 * leat::MiB, leat::default_memory(options.chunk_size));
[[nodiscard]] std::uint64_t default_memory(std::uint64_t chunk_size);

/// A sentence if `options.memory` is more than the machine has or a control group allows, so that
/// using it all would end the program; else "". An engine tells it to `on_event`.
[[nodiscard]] std::string doubt_about_memory(const engine_options& options);

/// Throws leat::system_error with `code` and a sentence as its name.
[[noreturn]] void refuse(errc code, std::string_view sentence);

}  // namespace leat
