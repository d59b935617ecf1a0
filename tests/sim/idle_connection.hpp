// A connection that its owner keeps, as a server keeps those of clients that ask for nothing.
#pragma once

#include "workload.hpp"

#include <leat/asio.hpp>

#include <array>
#include <cstddef>

namespace leat::sim {

/// Reads, with a handler and no task, until something comes, the connection is ended to make room
/// for another, or the engine stops, and closes it: who destroys it comes later.
class idle_connection {
public:
    idle_connection(workload& in, tcp_stream stream) : in_(in), stream_(std::move(stream)) {}
    idle_connection(const idle_connection&) = delete;
    idle_connection& operator=(const idle_connection&) = delete;

    /// Begins to read.
    void wait();
    [[nodiscard]] bool waits() const noexcept { return waits_; }

private:
    void ended(boost::system::error_code code);

    workload& in_;
    tcp_stream stream_;
    std::array<std::byte, 64> memory_{};
    bool waits_ = false;
};

}  // namespace leat::sim
