// Memory for answers that are made, not read.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace leat::serve {

/// Counts the bytes of pages that are on their way to their clients, so that however many ask for a
/// large folder's page, and take it slowly, memory does not grow without end. Any thread.
class page_memory {
public:
    explicit page_memory(std::uint64_t most) noexcept : most_(most) {}

    /// The bytes of one page, until it is destroyed; empty if there was no room.
    class share {
    public:
        share() = default;
        share(share&& other) noexcept
            : of_(std::exchange(other.of_, nullptr)), bytes_(other.bytes_) {}
        share& operator=(share&& other) noexcept {
            std::swap(of_, other.of_);
            std::swap(bytes_, other.bytes_);
            return *this;
        }
        ~share() {
            if (of_ != nullptr) of_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
        }
        [[nodiscard]] explicit operator bool() const noexcept { return of_ != nullptr; }

    private:
        friend class page_memory;
        share(page_memory& of, std::uint64_t bytes) noexcept : of_(&of), bytes_(bytes) {}
        page_memory* of_ = nullptr;
        std::uint64_t bytes_ = 0;
    };

    /// One page has room, however large it is, when there is no other.
    [[nodiscard]] share take(std::uint64_t bytes) noexcept {
        const std::uint64_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
        share taken{*this, bytes};
        if (before != 0 && before + bytes > most_) return {};
        return taken;
    }
    /// Whether it is worth the while to make a page.
    [[nodiscard]] bool full() const noexcept {
        return used_.load(std::memory_order_relaxed) >= most_;
    }
    [[nodiscard]] std::uint64_t used() const noexcept {
        return used_.load(std::memory_order_relaxed);
    }

private:
    const std::uint64_t most_;
    std::atomic<std::uint64_t> used_{0};
};

}  // namespace leat::serve
