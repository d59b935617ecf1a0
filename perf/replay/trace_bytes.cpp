// Reads files block by block, and has zstd decompress them.
#include "replay/trace_bytes.hpp"

#include <boost/system/system_error.hpp>

#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

namespace leat::perf {

namespace {

constexpr std::size_t block_bytes = 256 * 1024;
// How every zstd frame begins: 0xFD2FB528, little endian.
constexpr std::array<char, 4> zstd_magic{'\x28', '\xb5', '\x2f', '\xfd'};

}  // namespace

void trace_bytes::free_context::operator()(ZSTD_DCtx_s* context) const noexcept {
    ::ZSTD_freeDCtx(context);
}

trace_bytes::trace_bytes(std::string path)
    : path_(std::move(path)), file_(open_file(path_, false)), buffer_(block_bytes) {
    refill();
    if (left() < zstd_magic.size() ||
        !std::equal(zstd_magic.begin(), zstd_magic.end(), buffer_.begin()))
        return;
    context_.reset(::ZSTD_createDCtx());
    if (context_ == nullptr) throw std::bad_alloc();
}

void trace_bytes::refill() {
    ssize_t count = 0;
    do {
        count = ::read(file_.get(), buffer_.data(), buffer_.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        throw boost::system::system_error(
            boost::system::error_code(errno, boost::system::system_category()), path_);
    }
    begin_ = 0;
    end_ = static_cast<std::size_t>(count);
    ended_ = count == 0;
}

std::size_t trace_bytes::read(std::span<char> into) {
    if (context_ != nullptr) return decompress(into);
    if (left() == 0 && !ended_) refill();
    const std::size_t count = std::min(into.size(), left());
    std::memcpy(into.data(), buffer_.data() + begin_, count);
    begin_ += count;
    return count;
}

std::size_t trace_bytes::decompress(std::span<char> into) {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos == 0) {
        if (left() == 0 && !ended_) refill();
        if (left() == 0 && !within_frame_) return 0;
        ZSTD_inBuffer in{buffer_.data() + begin_, left(), 0};
        const std::size_t said = ::ZSTD_decompressStream(context_.get(), &out, &in);
        if (::ZSTD_isError(said) != 0) {
            throw std::runtime_error(path_ +
                                     ": zstd cannot decompress it: " + ::ZSTD_getErrorName(said));
        }
        within_frame_ = said != 0;
        begin_ += in.pos;
        if (ended_ && within_frame_ && out.pos == 0)
            throw std::runtime_error(path_ + ": the compressed data ends too early");
    }
    return out.pos;
}

}  // namespace leat::perf
