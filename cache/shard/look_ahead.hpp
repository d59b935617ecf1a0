// A request for what a reader is going to come to, for whom nobody waits yet.
#pragma once

#include <leat/cache/detail/chunk_request.hpp>

#include <cstdint>

namespace leat::detail {

struct manager_core;

/// It keeps no pin once its bytes are there: a stream that pinned ahead could take the last buffer
/// from its own reader. On the heap, since who has asked may go while it travels; it deletes itself
/// when it has ended and been dropped. For the shard that asks.
class look_ahead : public chunk_request {
public:
    /// Asks for `wanted` bytes at `offset`, and by it for the `window` that begins there. nullptr
    /// if that cannot be: there is no memory, or the shard stops.
    [[nodiscard]] static look_ahead* ask(const manager_core& manager,
                                         std::uint64_t file,
                                         std::uint64_t offset,
                                         std::uint64_t size,
                                         std::uint64_t window,
                                         hint given) noexcept;
    /// Nobody wants it any more: what has not been begun is not read.
    void drop() noexcept;
    /// Whoever has asked for it keeps it here, first of a list; when it ends it leaves that, and is
    /// gone.
    void goes_with(look_ahead*& known) noexcept;
    [[nodiscard]] bool ended() const noexcept { return ended_; }

private:
    static void landed(chunk_request& request) noexcept;

    void leave() noexcept;

    look_ahead** known_ = nullptr;  ///< what refers to it in the list that it is in
    look_ahead* next_ = nullptr;
    bool ended_ = false;
    bool dropped_ = false;
};

}  // namespace leat::detail
