// A few bytes of a file as they lie in memory, to be sent from there.
#pragma once

#include <leat/asio.hpp>
#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/slice.hpp>
#include <leat/engine/options.hpp>

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace leat::serve {

/// Mostly one slice, and two where the range crosses the end of a fragment: put together they would
/// take memory of their own, for which something else would have to go.
class short_range {
public:
    /// At most 64 KiB, inside one chunk. Holds what is there; if that is not all, nothing.
    short_range(const chunk_manager& manager, const chunk_config& wanted) noexcept
        : pieces_{manager.peek(wanted), slice{}} {
        const std::uint64_t border = (wanted.offset / fragment + 1) * fragment;
        if (pieces_[0] || border >= wanted.offset + wanted.size) return;
        chunk_config before = wanted;
        before.size = static_cast<std::uint32_t>(border - wanted.offset);
        chunk_config behind = wanted;
        behind.offset = border;
        behind.size = wanted.size - before.size;
        pieces_[1] = manager.peek(behind);
        if (pieces_[1]) pieces_[0] = manager.peek(before);
        if (!pieces_[0]) pieces_[1] = slice{};
    }
    /// Whether all of it is there.
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(pieces_[0]); }
    void set(slice all) noexcept { pieces_[0] = std::move(all); }
    /// `head`, and behind it the range: valid as long as both are there.
    [[nodiscard]] std::array<boost::asio::const_buffer, 3> after(
        std::string_view head) const noexcept {
        return {boost::asio::const_buffer{head.data(), head.size()}, pieces_[0].buffer(),
                pieces_[1].buffer()};
    }

private:
    static constexpr std::uint64_t fragment = 64 * KiB;
    std::array<slice, 2> pieces_;
};

}  // namespace leat::serve
