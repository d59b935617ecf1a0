// What a log tells of a request.
#pragma once

#include "peer_address.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace leat::serve {

/// A request that has been answered, or refused, or whose answer was cut off.
struct request_record {
    std::chrono::system_clock::time_point began;
    std::chrono::nanoseconds took{0};  ///< from the head until the socket had all of the answer
    peer_address peer;
    unsigned status = 0;
    std::uint64_t bytes = 0;  ///< of content that were sent
    std::uint8_t minor_version = 1;
    std::string_view method;  ///< empty if the request could not be read
    std::string_view target;
    std::string_view user;
    std::string_view range;
    std::string_view referer;
    std::string_view user_agent;
};

}  // namespace leat::serve
