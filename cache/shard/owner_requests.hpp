// Requests on the shard that owns their chunks.
#pragma once

#include "answers.hpp"
#include "buffer_line.hpp"
#include "chunk_store.hpp"
#include "eviction.hpp"
#include "fills.hpp"

#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/statistics.hpp>

#include <boost/system/error_code.hpp>

namespace leat::detail {

/// A request is served from its chunk, which is made if there is none; without a buffer for it the
/// request waits in line, as long as it has patience.
class owner_requests {
public:
    owner_requests(shard_cache& cache,
                   chunk_store& chunks,
                   eviction& room,
                   fills& reads,
                   answers& ends,
                   cache_statistics& counts) noexcept
        : cache_(cache),
          chunks_(chunks),
          room_(room),
          fills_(reads),
          answers_(ends),
          counts_(counts) {}

    /// Ends it at once, or lists it where it waits.
    void serve(chunk_request& wanted) noexcept;
    /// Ends it as cancelled. Precondition: it waits.
    void withdraw(chunk_request& wanted) noexcept;
    /// Whether some wait for a buffer.
    [[nodiscard]] bool waiting() const noexcept { return !line_.empty(); }
    /// Serves those that wait for a buffer, as far as there are some now.
    void serve_line() noexcept;
    /// The shard stops: ends those that wait for a buffer.
    void end_line() noexcept;
    /// What is wrong between two messages, or nullptr.
    [[nodiscard]] const char* fault() noexcept;

    // Messages that come from home.

    static void request_arrived(work& message) noexcept;
    static void cancellation_arrived(work& message) noexcept;

private:
    static void waited_too_long(work& item) noexcept;
    [[nodiscard]] chunk* find(const chunk_request& wanted) const noexcept;
    void serve_from(chunk& found, chunk_request& wanted) noexcept;
    void stand_in_line(chunk_request& wanted) noexcept;
    void leave_line(chunk_request& wanted) noexcept;
    [[nodiscard]] bool may_wait(const chunk_request& wanted) const noexcept;
    void end_brief_waits() noexcept;

    shard_cache& cache_;
    chunk_store& chunks_;
    eviction& room_;
    fills& fills_;
    answers& answers_;
    cache_statistics& counts_;
    buffer_line line_;
};

}  // namespace leat::detail
