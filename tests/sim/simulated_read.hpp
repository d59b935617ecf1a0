// A read as the device sees it: a range of a file, and the memory that it goes to.
#pragma once

#include <leat/io/detail/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace leat::sim {

/// Of an operation that reads into one buffer or several.
class simulated_read {
public:
    explicit simulated_read(const io::operation& op) noexcept;
    simulated_read(const simulated_read&) = delete;
    simulated_read& operator=(const simulated_read&) = delete;

    /// Calls use(part, before) for what the memory from its byte `from` up to `to` consists of,
    /// `before` being the bytes of the read that lie before the part.
    template <class Use>
    void each_part(std::uint64_t from, std::uint64_t to, Use use) const {
        std::uint64_t before = 0;
        for (const iovec& one : vectors) {
            const std::uint64_t begin = std::max(from, before);
            const std::uint64_t end = std::min<std::uint64_t>(to, before + one.iov_len);
            if (begin < end) {
                std::byte* const data = static_cast<std::byte*>(one.iov_base);
                use(std::span{data + (begin - before), static_cast<std::size_t>(end - begin)},
                    begin);
            }
            before += one.iov_len;
        }
    }

private:
    iovec one_{};  // before what refers to it

public:
    const std::span<const iovec> vectors;
    const std::uint64_t offset;
    const std::uint64_t size;
    const int buffer;  ///< index of the registered buffer that holds it all, or -1
};

}  // namespace leat::sim
