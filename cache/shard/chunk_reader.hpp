// The coroutine that reads a part of a chunk from its source.
#pragma once

#include "chunk.hpp"
#include "fill_read.hpp"
#include "read_promise.hpp"

#include <coroutine>
#include <stop_token>

namespace leat::detail {

class fills;

/// A root of its own, which the shard waits for when it stops. It tells its fills how it ended.
class chunk_reader {
public:
    struct promise_type : read_promise {
        /// The arguments of run(), as they lie in the frame: the token lives as long as the read.
        promise_type(const fills&,
                     const chunk&,
                     const fill_read&,
                     const std::stop_token& withdrawn) noexcept {
            stop = &withdrawn;
        }
        chunk_reader get_return_object() noexcept {
            return chunk_reader{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
    };

    /// Reads `wanted` of `filling`, whose file the caller has acquired; it releases it. A
    /// stop of `withdrawn` asks the source for an early end. Throws std::bad_alloc.
    static chunk_reader run(fills& owner,
                            chunk& filling,
                            fill_read wanted,
                            std::stop_token withdrawn);

    [[nodiscard]] work& beginning() const noexcept { return handle_.promise().beginning(handle_); }

private:
    explicit chunk_reader(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

}  // namespace leat::detail
