// Lists of free frames by size, one pool a thread.
#include <leat/engine/detail/frame_pool.hpp>
#include <leat/engine/shard.hpp>

#include <atomic>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define LEAT_RECYCLES_FRAMES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAT_RECYCLES_FRAMES 0
#endif
#endif
#ifndef LEAT_RECYCLES_FRAMES
#define LEAT_RECYCLES_FRAMES 1
#endif

namespace leat::detail {

namespace {
// Frames of threads that are no shards, and the balances of pools that are gone.
std::atomic<std::int64_t> frames_elsewhere{0};

// Whole granules, so that a block can serve any frame of its class, wherever it was made.
constexpr std::size_t rounded(std::size_t size) noexcept {
    return (size + 63) & ~std::size_t{63};
}
}  // namespace

frame_pool::~frame_pool() {
    for (free_list& list : lists_) {
        while (list.first != nullptr) {
            block* const first = list.first;
            list.first = first->next;
            ::operator delete(first);
        }
    }
    frames_elsewhere.fetch_add(balance_, std::memory_order_relaxed);
}

void* frame_pool::allocate(std::size_t size) {
    shard* const here = shard::current();
    if (here == nullptr) {
        void* const frame = ::operator new(rounded(size));
        frames_elsewhere.fetch_add(1, std::memory_order_relaxed);
        return frame;
    }
    frame_pool& pool = here->frames_;
    const std::size_t index = (size - 1) / granule;
    void* frame = nullptr;
    if (LEAT_RECYCLES_FRAMES && index < classes && pool.lists_[index].first != nullptr) {
        free_list& list = pool.lists_[index];
        frame = list.first;
        list.first = list.first->next;
        --list.count;
    } else {
        frame = ::operator new(rounded(size));
    }
    ++pool.balance_;
    return frame;
}

void frame_pool::release(void* frame, std::size_t size) noexcept {
    shard* const here = shard::current();
    if (here == nullptr) {
        frames_elsewhere.fetch_sub(1, std::memory_order_relaxed);
        ::operator delete(frame);
        return;
    }
    frame_pool& pool = here->frames_;
    --pool.balance_;
    const std::size_t index = (size - 1) / granule;
    if (LEAT_RECYCLES_FRAMES && index < classes && pool.lists_[index].count < kept_per_class) {
        free_list& list = pool.lists_[index];
        auto* const freed = static_cast<block*>(frame);
        freed->next = list.first;
        list.first = freed;
        ++list.count;
        return;
    }
    ::operator delete(frame);
}

const char* frame_pool::fault() const noexcept {
    for (const free_list& list : lists_) {
        if ((list.first == nullptr) != (list.count == 0)) return "free frames are counted wrongly";
        if (list.count > kept_per_class) return "more free frames are kept than ever are";
    }
    return nullptr;
}

std::int64_t frame_pool::live() noexcept {
    return frames_elsewhere.load(std::memory_order_relaxed);
}

}  // namespace leat::detail
