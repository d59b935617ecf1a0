// Boundaries, and the heads of parts.
#include "http/multipart_ranges.hpp"

#include "http/head_writer.hpp"

#include <atomic>
#include <random>

namespace leat::http {

namespace {

constexpr std::string_view before_first = "--";
constexpr std::string_view before_others = "\r\n--";
constexpr std::string_view behind_boundary = "\r\nContent-Type: ";
constexpr std::string_view behind_type = "\r\nContent-Range: bytes ";
constexpr std::string_view behind_range = "\r\n\r\n";
constexpr std::string_view behind_last = "--\r\n";

std::uint64_t digits_of(std::uint64_t value) {
    std::uint64_t count = 1;
    for (; value >= 10; value /= 10) ++count;
    return count;
}

}  // namespace

part_boundary part_boundary::make() {
    static const std::uint64_t secret = [] {
        std::random_device device;
        return std::uint64_t{device()} << 32 | device();
    }();
    static std::atomic<std::uint64_t> count{0};
    // Numbers of answers; order is nobody's matter.
    const std::uint64_t own = count.fetch_add(1, std::memory_order_relaxed);
    part_boundary made;
    char* to = made.text_.data();
    for (const std::uint64_t word : {secret, own}) {
        for (int shift = 60; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[word >> shift & 15];
    }
    return made;
}

std::uint64_t multipart_ranges::content_length() const noexcept {
    const std::uint64_t digits_of_size = digits_of(size_);
    std::uint64_t sum = 0;
    for (const byte_range& part : parts_) {
        sum += before_others.size() + boundary_.view().size() + behind_boundary.size() +
               content_type_.size() + behind_type.size() + digits_of(part.first) + 1 +
               digits_of(part.first + part.length - 1) + 1 + digits_of_size + behind_range.size() +
               part.length;
    }
    return sum - (before_others.size() - before_first.size()) + before_others.size() +
           boundary_.view().size() + behind_last.size();
}

std::string_view multipart_ranges::head(std::size_t part, std::span<char> buffer) const noexcept {
    const byte_range& range = parts_[part];
    head_writer to{buffer};
    to.append(part == 0 ? before_first : before_others);
    to.append(boundary_.view());
    to.append(behind_boundary);
    to.text(content_type_);
    to.append(behind_type);
    to.number(range.first).text("-").number(range.first + range.length - 1);
    to.text("/").number(size_);
    to.append(behind_range);
    return to.written();
}

std::string_view multipart_ranges::end(std::span<char> buffer) const noexcept {
    head_writer to{buffer};
    to.append(before_others);
    to.append(boundary_.view());
    to.append(behind_last);
    return to.written();
}

}  // namespace leat::http
