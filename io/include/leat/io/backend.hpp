// The seam between leat and the kernel: what an engine's shard asks, and who answers it.
#pragma once

#include <leat/io/detail/operation.hpp>

#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace leat::io {

/// Time as a backend tells it: nanoseconds of CLOCK_MONOTONIC, or a simulation's own.
using clock = std::chrono::steady_clock;
using time_point = clock::time_point;

/// What a backend has done so far and how; counts never decrease.
struct backend_statistics {
    std::string name;                     ///< "uring", "thread", ...
    std::string mode;                     ///< the rung of the feature ladder, in words
    std::uint64_t submitted = 0;          ///< operations accepted by submit()
    std::uint64_t completed = 0;          ///< operations whose on_complete has run
    std::uint64_t reads = 0;              ///< completed reads
    std::uint64_t bytes_read = 0;         ///< bytes they gave
    std::uint64_t enters = 0;             ///< system calls made to submit or wait
    std::uint64_t wakes = 0;              ///< wake() calls that made a system call
    std::uint64_t retries = 0;            ///< operations submitted again after EINTR or EAGAIN
    std::uint64_t deferred = 0;           ///< operations that waited for in-flight credit
    std::uint64_t overflows = 0;          ///< calls that left completions without room in the queue
    std::uint64_t multishots = 0;         ///< operations that the kernel took as multishot
    std::uint64_t zero_copy_sends = 0;    ///< completed as such
    std::uint64_t zero_copy_copied = 0;   ///< of them, copied all the same; where the kernel tells
    std::uint64_t zero_copy_refused = 0;  ///< made plain sends
    std::uint64_t registered = 0;         ///< bytes of registered buffers
    std::uint64_t registration_failures = 0;
};

/// Submits operations, completes them, tells the time, and can be woken.
///
/// All members but wake() may be called by one thread only: the one that first calls run(),
/// register_buffer() or wait_descriptor(), or, before that, the one that made it. Any thread may
/// destroy it once that
/// one has ceased to use it; with operations in flight that is a programmer's error.
class backend {
public:
    backend() = default;
    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;
    virtual ~backend() = default;

    /// Accepts an idle operation; it completes in a later run(). Never fails, blocks or allocates:
    /// what exceeds the in-flight credit waits, in order. What sockets do holds at most three
    /// quarters of that credit: however many of them wait for their peers, files are opened and
    /// read.
    virtual void submit(operation& op) noexcept = 0;

    /// Asks that a submitted operation end soon; it still completes exactly once. Direct reads that
    /// the device already has run to their end. No effect on an idle operation.
    virtual void cancel(operation& op) noexcept = 0;

    /// Hands what was submitted to the kernel and runs completions that are ready, not always all:
    /// what some bring about may go to the device before the others are run; while there are none,
    /// waits for one, for wake(), or until `deadline`. time_point::min() only polls,
    /// time_point::max() waits without end. Returns how often an on_complete ran. Not to be called
    /// from a completion. Throws boost::system::system_error for what no retry can mend: the
    /// backend then serves no more.
    virtual std::size_t run(time_point deadline) = 0;

    /// Makes a present or the next waiting run() return; one that only polls leaves it pending, and
    /// several before that are as one. Any thread; a write before wake() is seen by the running
    /// thread after run() returns. Async-signal-safe.
    virtual void wake() noexcept = 0;

    /// A descriptor that a program can wait for by poll(2), epoll and the like where it has no
    /// thread to spend on a waiting run(); see prepare_wait(). Always the same one, made at the
    /// first call, which comes before anything is submitted, registered or run; nobody else reads,
    /// writes or closes it. -1 if this backend has none. Throws boost::system::system_error if the
    /// system has none to give.
    [[nodiscard]] virtual int wait_descriptor();

    /// Returns true if run() would find nothing to do now; from then on wait_descriptor() becomes
    /// readable as soon as there is something, or wake() is called. False: call run() first; a
    /// pending wake-up is thereby taken. Throws as run() does.
    [[nodiscard]] virtual bool prepare_wait();

    [[nodiscard]] virtual time_point now() const noexcept = 0;

    /// The cached attributes of an open descriptor, at once: asks no server and waits for no
    /// device, so that a file's version can be compared after each read. Returns 0 or a negated
    /// errno.
    [[nodiscard]] virtual int stat_cached(int descriptor,
                                          unsigned mask,
                                          struct statx& out) noexcept;

    /// Reads may complete many at a time, and one look at their file, once all of them have, then
    /// serves all. Tells of such a look, by the completion of one, that has found the file of the
    /// open descriptor unchanged. A backend may forget it.
    virtual void note_unchanged(int descriptor) noexcept;
    /// Whether such a look has been noted since the read completed by whose completion this is
    /// asked.
    [[nodiscard]] virtual bool noted_unchanged(int descriptor) const noexcept;

    /// Registers `memory` as buffer `index` (below maximum_buffers) or, if empty, clears it. An
    /// error means that reads into it must go unregistered (buffer -1), nothing else.
    [[nodiscard]] virtual boost::system::error_code register_buffer(
        unsigned index, std::span<std::byte> memory) noexcept;
    static constexpr unsigned maximum_buffers = 16384;

    /// How many connections may be open, each with one operation that waits for its peer: where
    /// there are more, such operations wait for others to end. May be lower in a later run().
    [[nodiscard]] virtual std::size_t connection_limit() const noexcept;

    /// Operations accepted and not completed.
    [[nodiscard]] virtual std::size_t in_flight() const noexcept = 0;

    /// Names the operations that are in flight, for an error message: "2 reads of descriptor 7, 1
    /// accept ...".
    [[nodiscard]] virtual std::string owed() const = 0;

    [[nodiscard]] virtual backend_statistics statistics() const = 0;
};

/// Which backend to make.
enum class backend_kind : std::uint8_t { automatic, uring, thread };

/// How a backend is made.
struct backend_options {
    backend_kind kind = backend_kind::automatic;
    /// Submission queue entries; least_entries to most_entries, rounded up to a power of two.
    unsigned entries = 256;
    /// Completion queue entries and with it the in-flight credit. Idle connections count: one on
    /// which a read waits holds one. They may hold some seven tenths (see connection_limit());
    /// files always have a quarter.
    /// Twice `entries` to most_completion_entries, rounded up to a power of two; fewer if the limit
    /// of locked memory leaves no room for as many.
    unsigned completion_entries = 16384;
    /// Threads that read files: all of them without io_uring, and with it those of FUSE, for which
    /// the threads are made when the first is opened or read; 1 to most_threads.
    unsigned threads = 4;
    /// Rings that are to fit the limit of locked memory together; an engine sets it to its shards.
    unsigned rings = 1;
};
inline constexpr unsigned least_entries = 4;
inline constexpr unsigned most_entries = 4096;
inline constexpr unsigned most_completion_entries = 65536;
inline constexpr unsigned most_threads = 256;

/// What is wrong with the options, in one sentence that says what is allowed; empty if nothing is.
[[nodiscard]] std::string find_fault(const backend_options& options);

/// Makes the backend that `options` ask for. `automatic` falls back from io_uring to threads, and
/// then `note` tells why in one sentence; so it does if the ring is smaller than was asked for. The
/// caller says it once.
/// Throws boost::system::system_error with errc::no_backend if `uring` was demanded and is refused;
/// what() names the likely cause. With errc::invalid_option if find_fault() finds one.
[[nodiscard]] std::unique_ptr<backend> make_backend(const backend_options& options,
                                                    std::string& note);

}  // namespace leat::io
