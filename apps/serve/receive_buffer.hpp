// What a connection has received and not yet used.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace leat::serve {

/// Bytes in a row: small while a connection waits, as long as a head may be while one arrives.
class receive_buffer {
public:
    static constexpr std::size_t least = 2048;

    receive_buffer() = default;
    receive_buffer(const receive_buffer&) = delete;
    receive_buffer& operator=(const receive_buffer&) = delete;

    [[nodiscard]] std::string_view bytes() const noexcept {
        return {data() + begin_, end_ - begin_};
    }
    /// Those at the front have been used.
    void consume(std::size_t count) noexcept {
        begin_ += count;
        if (begin_ != end_) return;
        begin_ = end_ = 0;
        large_.reset();
        capacity_ = least;
    }
    /// Room for more behind them, at least a byte unless there are `most` already. Moves the bytes.
    /// Throws std::bad_alloc.
    [[nodiscard]] std::span<char> room(std::size_t most) {
        if (end_ == capacity_ && begin_ != 0) {
            std::copy(data() + begin_, data() + end_, data());
            end_ -= begin_;
            begin_ = 0;
        }
        if (end_ == capacity_ && capacity_ < most) {
            const std::size_t larger = std::min(2 * capacity_, most);
            auto made = std::make_unique_for_overwrite<char[]>(larger);
            std::copy(data(), data() + end_, made.get());
            large_ = std::move(made);
            capacity_ = larger;
        }
        return {data() + end_, capacity_ - end_};
    }
    void received(std::size_t count) noexcept { end_ += count; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }

private:
    [[nodiscard]] char* data() noexcept { return large_ ? large_.get() : small_.data(); }
    [[nodiscard]] const char* data() const noexcept {
        return large_ ? large_.get() : small_.data();
    }

    std::array<char, least> small_;
    std::unique_ptr<char[]> large_;
    std::size_t capacity_ = least;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace leat::serve
