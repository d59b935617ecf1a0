// An allocator over the frame pool of the shard that allocates.
#pragma once

#include <leat/engine/detail/frame_pool.hpp>

#include <cstddef>

namespace leat::detail {

/// Gives memory of frame_pool: recycled on a shard, of the ordinary heap on other threads. All of
/// them are equal. For small things that live as briefly as a coroutine's frame.
template <class T = void>
struct frame_allocator {
    using value_type = T;

    frame_allocator() = default;
    template <class U>
    frame_allocator(const frame_allocator<U>&) noexcept {}

    [[nodiscard]] T* allocate(std::size_t count) {
        static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
        return static_cast<T*>(frame_pool::allocate(count * sizeof(T)));
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        frame_pool::release(memory, count * sizeof(T));
    }
    template <class U>
    friend bool operator==(const frame_allocator&, const frame_allocator<U>&) noexcept {
        return true;
    }
};

template <>
struct frame_allocator<void> {
    using value_type = void;
};

}  // namespace leat::detail
