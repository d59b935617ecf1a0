// Counting replacements of operator new and delete.
#include "common/allocations.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {
constinit std::atomic<std::uint64_t> count{0};

void* allocate(std::size_t size) {
    count.fetch_add(1, std::memory_order_relaxed);
    void* const memory = std::malloc(size != 0 ? size : 1);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}

void* allocate(std::size_t size, std::align_val_t alignment) {
    count.fetch_add(1, std::memory_order_relaxed);
    const auto to = static_cast<std::size_t>(alignment);
    void* const memory = std::aligned_alloc(to, (size + to - 1) / to * to);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}
}  // namespace

namespace leat::perf {
std::uint64_t allocations() noexcept {
    return count.load(std::memory_order_relaxed);
}
}  // namespace leat::perf

// The arrays' and nothrow forms call these.
void* operator new(std::size_t size) {
    return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, alignment);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
