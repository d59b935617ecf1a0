// How many connections there may be.
#pragma once

#include "peer_address.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace leat::serve {

/// Counts the connections of all shards, in total and of each address. Any thread. Counts are
/// parted by address, so that shards seldom wait for each other, and for an insertion only.
class connection_limits {
public:
    connection_limits(std::uint64_t total, std::uint64_t of_one_address)
        : total_(total), of_one_address_(of_one_address) {}

    /// One connection that counts, until it is destroyed; empty if it was one too many.
    class place {
    public:
        place() = default;
        place(place&& other) noexcept
            : of_(std::exchange(other.of_, nullptr)), address_(other.address_) {}
        place& operator=(place&& other) noexcept {
            std::swap(of_, other.of_);
            std::swap(address_, other.address_);
            return *this;
        }
        ~place() {
            if (of_ != nullptr) of_->leave(address_);
        }
        [[nodiscard]] explicit operator bool() const noexcept { return of_ != nullptr; }

    private:
        friend class connection_limits;
        place(connection_limits& of, const peer_address& address) : of_(&of), address_(address) {}
        connection_limits* of_ = nullptr;
        peer_address address_;
    };

    /// Throws std::bad_alloc.
    [[nodiscard]] place enter(const peer_address& from);
    /// Connections that have a place.
    [[nodiscard]] std::uint64_t count() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t most() const noexcept { return total_; }

private:
    using network = std::array<std::uint8_t, 16>;
    struct hash {
        std::size_t operator()(const network& one) const noexcept;
    };
    struct alignas(64) part {
        std::mutex mutex;
        std::unordered_map<network, std::uint64_t, hash> counts;
    };
    [[nodiscard]] part& part_of(const network& one) noexcept;
    void leave(const peer_address& from) noexcept;

    const std::uint64_t total_;
    const std::uint64_t of_one_address_;
    std::atomic<std::uint64_t> count_{0};
    std::array<part, 64> parts_;
};

}  // namespace leat::serve
