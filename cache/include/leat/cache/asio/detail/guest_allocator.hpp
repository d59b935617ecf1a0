// Where operations get their memory if their handlers do not say.
#pragma once

#include <leat/engine/detail/frame_pool.hpp>
#include <leat/engine/shard.hpp>

#include <cstddef>
#include <memory>

namespace leat::detail {

/// The shard's pool of frames for what is made on a shard, else the heap. A copy gives back what
/// another has taken, on any thread.
template <class T>
class guest_allocator {
public:
    using value_type = T;
    guest_allocator() noexcept : pooled_(shard::current() != nullptr) {}
    template <class U>
    guest_allocator(const guest_allocator<U>& other) noexcept : pooled_(other.pooled()) {}

    [[nodiscard]] T* allocate(std::size_t count) {
        if (!pooled_) return std::allocator<T>{}.allocate(count);
        return static_cast<T*>(frame_pool::allocate(count * sizeof(T)));
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        if (!pooled_) return std::allocator<T>{}.deallocate(memory, count);
        frame_pool::release(memory, count * sizeof(T));
    }
    [[nodiscard]] bool pooled() const noexcept { return pooled_; }
    template <class U>
    bool operator==(const guest_allocator<U>& other) const noexcept {
        return pooled_ == other.pooled();
    }

private:
    bool pooled_;
};

template <>
class guest_allocator<void> {
public:
    using value_type = void;
    guest_allocator() noexcept : pooled_(shard::current() != nullptr) {}
    template <class U>
    guest_allocator(const guest_allocator<U>& other) noexcept : pooled_(other.pooled()) {}
    [[nodiscard]] bool pooled() const noexcept { return pooled_; }
    template <class U>
    bool operator==(const guest_allocator<U>& other) const noexcept {
        return pooled_ == other.pooled();
    }

private:
    bool pooled_;
};

}  // namespace leat::detail
