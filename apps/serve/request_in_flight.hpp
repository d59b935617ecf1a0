// A request that is being answered, as an administrator sees it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace leat::serve {

struct request_in_flight {
    std::string peer;  ///< address and port
    std::string method;
    std::string target;  ///< as it was sent; cut
    unsigned shard = 0;
    std::chrono::nanoseconds age{0};  ///< since its head had come
    std::uint64_t sent = 0;           ///< bytes of content that the socket has taken
    std::uint64_t length = 0;         ///< of all content; 0: not known yet, or none

    /// Bytes a second, on average.
    [[nodiscard]] double rate() const noexcept {
        const double seconds = std::chrono::duration<double>(age).count();
        return seconds > 0 ? static_cast<double>(sent) / seconds : 0;
    }
};

}  // namespace leat::serve
