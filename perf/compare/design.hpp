// What every design is given and has to do.
#pragma once

#include "common/sink.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace leat::perf {

/// Chunks in memory, all of one size.
struct chunk_store {
    const std::byte* data = nullptr;
    std::uint64_t chunk_size = 0;
    std::uint32_t chunks = 0;

    [[nodiscard]] std::uint32_t chunk_of(std::uint64_t page) const noexcept {
        return static_cast<std::uint32_t>(page * page_bytes / chunk_size);
    }
    [[nodiscard]] std::uint64_t in_chunk(std::uint64_t page) const noexcept {
        return page * page_bytes % chunk_size;
    }
    [[nodiscard]] std::span<const std::byte> chunk(std::uint32_t index) const noexcept {
        return {data + index * chunk_size, chunk_size};
    }
};

/// A way to serve pages to several threads at once.
class design {
public:
    design() = default;
    design(const design&) = delete;
    design& operator=(const design&) = delete;
    virtual ~design() = default;

    /// Asks for each page and returns the sum of their first words. Called on several threads at
    /// once.
    virtual std::uint64_t request(std::span<const std::uint32_t> pages) = 0;
};

struct named_design {
    std::string_view name;
    std::unique_ptr<design> (*make)(const chunk_store& chunks);
};

/// Those that guard a table with locks.
[[nodiscard]] std::span<const named_design> lock_designs() noexcept;
/// Those that send requests to threads.
[[nodiscard]] std::span<const named_design> channel_designs() noexcept;

}  // namespace leat::perf
