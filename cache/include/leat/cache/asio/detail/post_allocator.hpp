// Memory for posting the completion of an operation, kept in the operation itself.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

namespace leat::detail {

/// For the one function that is posted for an operation, so that the post allocates nothing.
struct post_memory {
    alignas(std::max_align_t) std::array<std::byte, 96> bytes;
    bool used = false;
};

/// Gives that memory to the first who asks, if it suffices; else the heap's.
template <class T>
class post_allocator {
public:
    using value_type = T;
    explicit post_allocator(post_memory& memory) noexcept : memory_(&memory) {}
    template <class U>
    post_allocator(const post_allocator<U>& other) noexcept : memory_(other.memory()) {}

    [[nodiscard]] T* allocate(std::size_t count) {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        if (memory_->used || count > sizeof(post_memory::bytes) / sizeof(T))
            return std::allocator<T>{}.allocate(count);
        memory_->used = true;
        return reinterpret_cast<T*>(memory_->bytes.data());
    }
    // By the address alone: the operation may be gone.
    void deallocate(T* memory, std::size_t count) noexcept {
        if (static_cast<void*>(memory) != static_cast<void*>(memory_))
            std::allocator<T>{}.deallocate(memory, count);
    }
    [[nodiscard]] post_memory* memory() const noexcept { return memory_; }
    template <class U>
    bool operator==(const post_allocator<U>& other) const noexcept {
        return memory_ == other.memory();
    }

private:
    post_memory* memory_;
};

template <>
class post_allocator<void> {
public:
    using value_type = void;
    template <class U>
    post_allocator(const post_allocator<U>& other) noexcept : memory_(other.memory()) {}
    [[nodiscard]] post_memory* memory() const noexcept { return memory_; }
    template <class U>
    bool operator==(const post_allocator<U>& other) const noexcept {
        return memory_ == other.memory();
    }

private:
    post_memory* memory_;
};

}  // namespace leat::detail
