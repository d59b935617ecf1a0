// The requests of a manager, noted in a file.
#pragma once

#include <leat/cache/chunk_manager.hpp>
#include <leat/engine/options.hpp>

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace leat {

namespace detail {
class recorder;
}

struct recording_options {
    /// Bytes of requests on their way to the file, 16 of them a hit, for all shards together; at
    /// least 64 KiB a shard. They last while the thread that writes does not get a CPU: at a
    /// hundred million hits a second for 9 ms.
    std::uint64_t memory = 16 * MiB;
};

/// What came of a recording.
struct recording_summary {
    std::uint64_t requests = 0;       ///< that are in the file
    std::uint64_t lost = 0;           ///< that are not: they came faster than they were written
    std::uint64_t bytes = 0;          ///< of the file
    boost::system::error_code error;  ///< why it ended before its time, if it did: ENOSPC, say
};

/// Records the requests of a manager, with time, hint and outcome, from its construction until
/// stop(); `leat-bench replay` reads the file. docs/design.md, Recordings, tells what is in it.
///
///     leat::recording tape{manager, "requests.rec"};
///     serve(manager);
///     const leat::recording_summary told = tape.stop();
///
/// What the manager is asked for is recorded, by get_chunk, read, streams, sends and guests; a
/// peek() only if it finds the bytes. What the cache reads ahead of its own accord is not, nor are
/// requests of other managers, one that is above this or below it among them. Of the engine's
/// managers one at a time is recorded.
///
/// A hit costs two stores more while it is recorded, and one comparison otherwise. Nothing waits
/// for the file: a thread of the recording's own writes it, and where that cannot keep up, requests
/// are lost and counted. An error of the file ends the recording and nothing else; it is told by
/// stop(), and by engine_options::on_event when it happens. What was requested more than a second
/// before the process is killed is in the file.
///
/// Threads: made, stopped and destroyed on any thread that is no shard; all three block, for the
/// file and for an answer of each shard, for a second at most where a shard is kept inside a turn
/// or, in a hosted engine, is stepped by the thread that waits: what that has noted is not in the
/// file then, and stop() tells errc::timed_out. stop() may be called by several threads at once.
///
/// Lifetime: the manager and its engine may end before the recording.
class recording {
public:
    /// Makes the file, or empties it if there is one, and begins: what any thread asks for when
    /// this has returned is recorded. Throws leat::system_error: the system's error if the file
    /// cannot be made, EBUSY if a manager of the engine is recorded already, errc::stopped if the
    /// engine has ended; std::bad_alloc; std::system_error if there can be no thread.
    recording(chunk_manager& of, const std::string& path, const recording_options& options = {});
    recording(const recording&) = delete;
    recording& operator=(const recording&) = delete;
    /// As stop().
    ~recording();

    /// Ends the recording, if it has not ended yet, and tells what came of it.
    recording_summary stop() noexcept;

private:
    void begin_on_shards();

    std::mutex stopping_;  // what follows, once it has begun
    std::shared_ptr<detail::shared_cache> cache_;
    std::shared_ptr<detail::recorder> recorder_;
    bool shards_missed_ = false;
    recording_summary told_;
};

}  // namespace leat
