// Replaces operator new by one that fails when the simulation says so.
#include "allocations.hpp"

#include "random.hpp"

#include <cstdlib>
#include <new>

namespace leat::sim {

namespace {
// One thread runs all.
constinit std::int64_t live = 0;
constinit std::uint64_t failed = 0;
constinit bool may_fail = false;
constinit unsigned one_in = 0;
random_stream choice{0, 0};

bool fails() noexcept {
    if (!may_fail || one_in == 0 || choice.below(one_in) != 0) return false;
    ++failed;
    return true;
}

void* counted(void* memory) noexcept {
    if (memory != nullptr) ++live;
    return memory;
}

void* allocate(std::size_t size) noexcept {
    return fails() ? nullptr : counted(std::malloc(size != 0 ? size : 1));
}

void* allocate(std::size_t size, std::align_val_t alignment) noexcept {
    void* memory = nullptr;
    if (fails() || ::posix_memalign(&memory, static_cast<std::size_t>(alignment), size) != 0)
        return nullptr;
    return counted(memory);
}

void release(void* memory) noexcept {
    if (memory != nullptr) --live;
    std::free(memory);
}

void* or_throw(void* memory) {
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}
}  // namespace

void set_failing_allocations(std::uint64_t seed, unsigned one_in_) noexcept {
    choice = random_stream{seed, 77};
    one_in = one_in_;
    failed = 0;
}

std::uint64_t failed_allocations() noexcept {
    return failed;
}

std::int64_t live_allocations() noexcept {
    return live;
}

allocations_fail_here::allocations_fail_here() noexcept : before_(may_fail) {
    may_fail = true;
}
allocations_fail_here::~allocations_fail_here() {
    may_fail = before_;
}
allocations_succeed::allocations_succeed() noexcept : before_(may_fail) {
    may_fail = false;
}
allocations_succeed::~allocations_succeed() {
    may_fail = before_;
}

}  // namespace leat::sim

// The arrays' forms call these.
void* operator new(std::size_t size) {
    return leat::sim::or_throw(leat::sim::allocate(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return leat::sim::or_throw(leat::sim::allocate(size, alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return leat::sim::allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return leat::sim::allocate(size, alignment);
}
void operator delete(void* memory) noexcept {
    leat::sim::release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    leat::sim::release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    leat::sim::release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    leat::sim::release(memory);
}

// The linker gives the code under test this one (--wrap).
extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size);
extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
    // There are few of them.
    if (leat::sim::fails() || leat::sim::fails()) return nullptr;
    void* memory = nullptr;
    return ::posix_memalign(&memory, alignment, size) == 0 ? memory : nullptr;
}
