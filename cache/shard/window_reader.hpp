// The coroutine that reads several fragments of a chunk, one after the other in their file, at
// once.
#pragma once

#include "aged_reads.hpp"
#include "chunk.hpp"
#include "read_promise.hpp"

#include <coroutine>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

namespace leat::detail {

class fills;

/// Fragments, and small chunks, that follow each other, of which nothing is there. Somebody waits
/// for the first, unless all were asked for ahead.
struct fill_window {
    std::vector<chunk*> parts;
    std::vector<std::span<std::byte>> buffers;  ///< of the parts, whole units
    bool ahead = false;                         ///< nobody waits for it
    read_turn kind = read_turn::walk;           ///< of who asked for it
    aged_reads::begun begun;
};

/// A root of its own, which the shard waits for when it stops. It tells its fills how the read of
/// each part ended.
class window_reader {
public:
    struct promise_type : read_promise {
        /// The arguments of run(), as they lie in the frame: the token lives as long as the read.
        promise_type(const fills&, fill_window* const&, const std::stop_token& withdrawn) noexcept {
            stop = &withdrawn;
        }
        window_reader get_return_object() noexcept {
            return window_reader{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
    };

    /// Reads all of `wanted`, which it takes over, and whose file the caller has acquired; it
    /// releases it. A stop of `withdrawn` asks the source for an early end. Throws std::bad_alloc;
    /// then nothing is taken over.
    static window_reader run(fills& owner, fill_window* wanted, std::stop_token withdrawn);

    [[nodiscard]] work& beginning() const noexcept { return handle_.promise().beginning(handle_); }

private:
    explicit window_reader(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

}  // namespace leat::detail
