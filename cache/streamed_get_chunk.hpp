// Awaits a get_chunk of a reader of whom it is known how far he goes on.
#pragma once

#include <leat/cache/chunk_manager.hpp>

#include <algorithm>
#include <coroutine>
#include <cstdint>

namespace leat::detail {

/// Gives a result, as as_result does. Apart from get_chunk_awaiter, since a member more is a store
/// more of each hit. `window` and `walks` are as chunk_request has them.
class [[nodiscard]] streamed_get_chunk : private get_chunk_awaiter {
public:
    [[nodiscard]] streamed_get_chunk(const manager_core& manager,
                                     const chunk_config& config,
                                     leat::detail::patience patience,
                                     std::uint64_t window,
                                     bool walks = false) noexcept
        : get_chunk_awaiter(manager, config, patience),
          window_(static_cast<std::uint32_t>(std::min(window, most_known))),
          walks_(walks) {}
    using get_chunk_awaiter::await_ready;
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
        return suspend(coroutine, stop_of(coroutine), name_of(coroutine), window_, walks_);
    }
    [[nodiscard]] result<slice> await_resume() { return take(); }

private:
    /// Of who goes farther it is known once more when he comes there.
    static constexpr std::uint64_t most_known = 1 << 30;

    std::uint32_t window_;
    bool walks_;
};

}  // namespace leat::detail
