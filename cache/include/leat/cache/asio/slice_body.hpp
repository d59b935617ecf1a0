// Slices as the body of a Beast message.
#pragma once

#include <leat/cache/asio/detail/slice_buffer.hpp>

#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace leat {

/// A Beast body for sending: the bytes of a sequence of slices, not copied.
///
///     namespace http = boost::beast::http;
///
///     http::response<leat::slice_body> answer;
///     answer.body().push_back(std::move(page));
///     answer.prepare_payload();
///     co_await http::async_write(stream, answer, leat::use_task);
///
/// The message owns the slices, so it must live until it is written; their buffers stay in memory
/// until then. Messages can be moved, not copied. There is no reader: messages of this body cannot
/// be parsed.
struct slice_body {
    /// The slices in order; empty ones add nothing.
    class value_type {
    public:
        value_type() = default;
        explicit value_type(slice only) { push_back(std::move(only)); }
        explicit value_type(std::vector<slice> slices) : slices_(std::move(slices)) {}

        void push_back(slice next) { slices_.push_back(std::move(next)); }
        [[nodiscard]] const std::vector<slice>& slices() const noexcept { return slices_; }

    private:
        std::vector<slice> slices_;
    };

    /// Bytes, for the header Content-Length.
    [[nodiscard]] static std::uint64_t size(const value_type& body) noexcept {
        std::uint64_t sum = 0;
        for (const slice& one : body.slices()) sum += one.size();
        return sum;
    }

    /// Beast's BodyWriter: gives a few slices at a time, so that one gathering write sends them.
    class writer {
    public:
        /// Unused ones are empty: a fixed number needs no memory of its own.
        using const_buffers_type = std::array<boost::asio::const_buffer, 8>;

        template <bool IsRequest, class Fields>
        writer(const boost::beast::http::header<IsRequest, Fields>&, const value_type& body)
            : slices_(body.slices()) {}

        void init(boost::system::error_code& failed) { failed = {}; }
        boost::optional<std::pair<const_buffers_type, bool>> get(
            boost::system::error_code& failed) {
            failed = {};
            const_buffers_type buffers{};
            std::size_t count = 0;
            for (; next_ < slices_.size() && count < buffers.size(); ++next_) {
                if (slices_[next_].size() != 0) buffers[count++] = slices_[next_].buffer();
            }
            if (count == 0) return boost::none;
            return {{buffers, next_ < slices_.size()}};
        }

    private:
        const std::vector<slice>& slices_;
        std::size_t next_ = 0;
    };
};

}  // namespace leat
