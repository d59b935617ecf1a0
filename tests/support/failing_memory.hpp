// Allocations that fail when a test wants it. Replaces operator new, aligned_alloc and, outside
// sanitizers, malloc of the whole program: to be included by one source of it.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LEAT_REPLACES_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LEAT_REPLACES_MALLOC 0
#endif
#endif
#ifndef LEAT_REPLACES_MALLOC
#define LEAT_REPLACES_MALLOC 1
#endif

namespace leat::test {

/// While it lives, the nth allocation fails, of whatever thread, counted from 1; and those after
/// it, if `all_after`. One at a time.
class failing_memory {
public:
    explicit failing_memory(std::int64_t nth, bool all_after = false) noexcept {
        last_.store(all_after ? std::numeric_limits<std::int64_t>::min() : 0);
        left_.store(nth);
    }
    failing_memory(const failing_memory&) = delete;
    failing_memory& operator=(const failing_memory&) = delete;
    ~failing_memory() { end(); }

    /// Allocations succeed again. Returns whether one has failed.
    static bool end() noexcept { return left_.exchange(never) <= 0; }

    /// For the allocators: whether this allocation is to fail.
    [[nodiscard]] static bool due() noexcept {
        // Most of a program runs with none to fail.
        if (left_.load(std::memory_order_relaxed) > never / 2) return false;
        const std::int64_t left = left_.fetch_sub(1, std::memory_order_relaxed) - 1;
        return left <= 0 && left >= last_.load(std::memory_order_relaxed);
    }

private:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    inline static std::atomic<std::int64_t> left_{never};
    inline static std::atomic<std::int64_t> last_{0};
};

namespace detail {

inline void* allocate(std::size_t size, std::size_t alignment) noexcept {
    if (failing_memory::due()) return nullptr;
    void* memory = nullptr;
    return ::posix_memalign(&memory, alignment, size) == 0 ? memory : nullptr;
}

inline void* allocate_or_throw(std::size_t size, std::size_t alignment) {
    void* const memory = allocate(size, alignment);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}

inline constexpr std::size_t usual = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

}  // namespace detail

}  // namespace leat::test

// NOLINTBEGIN: replacements have the standard's signatures
void* operator new(std::size_t size) {
    return leat::test::detail::allocate_or_throw(size, leat::test::detail::usual);
}
void* operator new[](std::size_t size) {
    return leat::test::detail::allocate_or_throw(size, leat::test::detail::usual);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return leat::test::detail::allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return leat::test::detail::allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return leat::test::detail::allocate(size, leat::test::detail::usual);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return leat::test::detail::allocate(size, leat::test::detail::usual);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return leat::test::detail::allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    std::free(memory);
}

extern "C" {
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    void* const memory = leat::test::detail::allocate(size, alignment);
    if (memory == nullptr) errno = ENOMEM;
    return memory;
}
#if LEAT_REPLACES_MALLOC
void* __libc_malloc(std::size_t size);
void* malloc(std::size_t size) {
    if (!leat::test::failing_memory::due()) return __libc_malloc(size);
    errno = ENOMEM;
    return nullptr;
}
#endif
}
// NOLINTEND
