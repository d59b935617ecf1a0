// Where a range that is being sent stands: what goes out next, and how much of it at once.
#pragma once

#include <leat/cache/file.hpp>
#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/error.hpp>

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

namespace leat::detail {

/// Closes the stream when it dies before all is sent, but not before anything was.
class range_sender {
public:
    /// From this size on a send without a copy is worth its second completion.
    static constexpr std::uint32_t least_uncopied = 1 << 16;

    range_sender(tcp_stream& stream,
                 file from,
                 std::uint64_t offset,
                 std::uint64_t length,
                 boost::asio::const_buffer head) noexcept
        : stream_(stream),
          file_(std::move(from)),
          at_(offset),
          end_(offset + length),
          head_(head) {}
    range_sender(const range_sender&) = delete;
    range_sender& operator=(const range_sender&) = delete;
    ~range_sender() {
        if (begun_ && !done()) stream_.close();
    }

    [[nodiscard]] bool done() const noexcept { return head_.size() == 0 && at_ == end_; }
    [[nodiscard]] bool has_bytes() const noexcept { return at_ != end_; }
    /// Whether to wait for room, with nothing in hand, before the next piece is taken.
    [[nodiscard]] bool is_to_wait() const noexcept {
        return waits_ || (goes_uncopied() && !has_room_);
    }
    void waited() noexcept {
        waits_ = false;
        has_room_ = true;
        since_wait_ = 0;
    }
    /// Whether the next piece may go out without a copy, which is only tried where there is room:
    /// else it would be pinned while it waits.
    [[nodiscard]] bool goes_uncopied() const noexcept {
        return stream_.zero_copy() && head_.size() == 0 && limit_ >= least_uncopied &&
               end_ - at_ >= least_uncopied;
    }

    [[nodiscard]] std::uint64_t at() const noexcept { return at_; }
    [[nodiscard]] file_id from() const noexcept { return file_.id(); }
    /// The next piece, of the `at_once` bytes that one request is best made for.
    [[nodiscard]] chunk_config next(std::uint64_t at_once) const noexcept {
        const std::uint64_t wanted = at_ + std::min(limit_, at_once);
        return {file_.id(), at_, static_cast<std::uint32_t>(std::min(wanted, end_) - at_),
                hint::stream};
    }
    /// The same with what goes out before it.
    [[nodiscard]] std::array<boost::asio::const_buffer, 2> behind_head(
        boost::asio::const_buffer piece) const noexcept {
        return {head_, piece};
    }

    /// `count` of `asked` bytes have gone out.
    void sent(std::size_t count, std::size_t asked) noexcept {
        begun_ = begun_ || count != 0;
        has_room_ = false;
        const std::size_t of_head = std::min(count, head_.size());
        head_ += of_head;
        at_ += count - of_head;
        since_wait_ += count;
        if (count < asked) {
            // The room that comes is about what there was: no more is asked of the disk for it.
            const std::uint64_t units = (count - of_head + 4095) / 4096;
            limit_ = std::clamp<std::uint64_t>(units * 4096, smallest, largest);
        } else {
            limit_ = std::min(2 * limit_, largest);
        }
        // A peer that takes all as fast as it comes lets others of the shard go first, too.
        waits_ = count < asked || since_wait_ >= longest_run;
    }
    /// A send without a copy was acknowledged so late: a peer that is slow would keep its chunk.
    void acknowledged(std::chrono::nanoseconds after) noexcept {
        if (after > longest_uncopied) stream_.zero_copy(false);
    }

private:
    static constexpr std::chrono::milliseconds longest_uncopied{20};
    static constexpr std::uint64_t smallest = 1 << 14;
    static constexpr std::uint64_t largest = 1 << 20;
    static constexpr std::uint64_t longest_run = 1 << 18;

    tcp_stream& stream_;
    const file file_;
    std::uint64_t at_;
    const std::uint64_t end_;
    boost::asio::const_buffer head_;
    std::uint64_t limit_ = 1 << 16;  ///< bytes of a piece
    std::uint64_t since_wait_ = 0;   ///< bytes sent since others could go first
    bool begun_ = false;             ///< something has gone out
    bool waits_ = false;
    bool has_room_ = false;
};

}  // namespace leat::detail
