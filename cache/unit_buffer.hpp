// Memory aligned as sources are promised.
#pragma once

#include <leat/cache/detail/presence.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <span>

namespace leat::detail {

/// Memory for a source that the caller's is not fit for.
class unit_buffer {
public:
    unit_buffer() = default;
    unit_buffer(const unit_buffer&) = delete;
    unit_buffer& operator=(const unit_buffer&) = delete;
    ~unit_buffer() { std::free(memory_); }

    /// At least `size` bytes rounded up to units, or as many as there are. Throws std::bad_alloc.
    [[nodiscard]] std::span<std::byte> of(std::size_t size) {
        size = std::min((size + unit_size - 1) / unit_size * unit_size, most);
        if (size_ < size) {
            std::free(memory_);
            size_ = 0;
            memory_ = static_cast<std::byte*>(std::aligned_alloc(unit_size, size));
            if (memory_ == nullptr) throw std::bad_alloc{};
            size_ = size;
        }
        return {memory_, size};
    }

private:
    static constexpr std::size_t most = std::size_t{256} << 10;
    std::byte* memory_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace leat::detail
