// Which cold chunk comes next.
#pragma once

#include "common/pages.hpp"
#include "common/sink.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace leat::perf {

/// Walks a file's whole chunks in one shuffled order, around and around, so that a chunk comes
/// again only after all others.
class cold_chunks {
public:
    cold_chunks(std::uint64_t file_size, std::uint64_t chunk_size, std::uint64_t seed)
        : chunk_size_(chunk_size),
          order_(shuffled(static_cast<std::uint32_t>(file_size / chunk_size), seed)),
          random_(seed) {}

    [[nodiscard]] std::size_t count() const noexcept { return order_.size(); }
    /// The offset of the next chunk.
    std::uint64_t next_chunk() noexcept { return order_[at_++ % order_.size()] * chunk_size_; }
    /// The offset of a random page in the next chunk.
    std::uint64_t next_page() noexcept {
        return next_chunk() + random_.below(chunk_size_ / page_bytes) * page_bytes;
    }
    /// The offset of a random page of the whole file.
    std::uint64_t random_page() noexcept {
        return random_.below(order_.size() * chunk_size_ / page_bytes) * page_bytes;
    }

private:
    std::uint64_t chunk_size_;
    std::vector<std::uint32_t> order_;
    random_words random_;
    std::size_t at_ = 0;
};

}  // namespace leat::perf
