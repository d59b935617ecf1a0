// What a send without a copy keeps in memory, counted.
#pragma once

#include <leat/cache/detail/shard_cache.hpp>

#include <cstdint>

namespace leat::detail {

/// The right to keep `bytes` of chunks in memory while the device and the peer have not let go of
/// them; of the current shard, given back on it.
class uncopied_send {
public:
    explicit uncopied_send(std::uint64_t bytes) noexcept
        : bytes_(shard_cache::current().begin_send(bytes) ? bytes : 0) {}
    uncopied_send(const uncopied_send&) = delete;
    uncopied_send& operator=(const uncopied_send&) = delete;
    ~uncopied_send() {
        if (bytes_ != 0) shard_cache::current().end_send(bytes_);
    }

    /// Whether it was granted: too much may be kept already.
    [[nodiscard]] explicit operator bool() const noexcept { return bytes_ != 0; }

private:
    std::uint64_t bytes_;
};

}  // namespace leat::detail
