// Walks the requests of a trace, cut into smaller ones if they are to be.
#pragma once

#include "replay/trace.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace leat::perf {

class request_cursor {
public:
    /// `split`, if it is not 0, is the most bytes of a request, which then lies within one chunk.
    /// The trace must outlive it.
    request_cursor(const trace& of, std::uint64_t chunk_size, std::uint64_t split) noexcept
        : all_(of.requests), chunk_size_(chunk_size), split_(split) {}

    /// The next request; false at the end.
    [[nodiscard]] bool next(trace_request& into) noexcept {
        if (next_ == all_.size()) return false;
        current_ = next_;
        into = all_[next_];
        if (split_ == 0) {
            ++next_;
            return true;
        }
        const std::uint64_t left = into.size - done_;
        into.offset += done_;
        into.size = std::min({left, split_, chunk_size_ - into.offset % chunk_size_});
        done_ += into.size;
        if (into.size == left) {
            done_ = 0;
            ++next_;
        }
        return true;
    }
    /// Which of the trace's requests the last one was, or was cut from.
    [[nodiscard]] std::size_t index() const noexcept { return current_; }

private:
    const std::vector<trace_request>& all_;
    std::uint64_t chunk_size_;
    std::uint64_t split_;
    std::size_t next_ = 0;
    std::uint64_t done_ = 0;  // bytes of the next one
    std::size_t current_ = 0;
};

}  // namespace leat::perf
