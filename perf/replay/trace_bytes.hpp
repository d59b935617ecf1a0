// The bytes of a trace, decompressed where they are compressed.
#pragma once

#include "common/target_file.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct ZSTD_DCtx_s;

namespace leat::perf {

/// Reads a file from its start. That it is compressed by zstd is seen by its first bytes, whatever
/// its name is.
class trace_bytes {
public:
    /// Throws boost::system::system_error.
    explicit trace_bytes(std::string path);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Gives how many bytes it has read, 0 only at the end. Throws boost::system::system_error, and
    /// std::runtime_error for what zstd does not understand.
    [[nodiscard]] std::size_t read(std::span<char> into);

private:
    struct free_context {
        void operator()(ZSTD_DCtx_s* context) const noexcept;
    };

    void refill();
    [[nodiscard]] std::size_t left() const noexcept { return end_ - begin_; }
    [[nodiscard]] std::size_t decompress(std::span<char> into);

    std::string path_;
    descriptor file_;
    std::vector<char> buffer_;  // as the file has them
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool ended_ = false;
    std::unique_ptr<ZSTD_DCtx_s, free_context> context_;  // null: not compressed
    bool within_frame_ = false;
};

}  // namespace leat::perf
