// Reads files into the cache for an administrator.
#pragma once

#include "running_server.hpp"

#include <leat/engine/error.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace leat::serve {

/// Walks through ranges of files, which brings them into memory; nothing stays pinned. Reads are
/// those of a stream that is one chunk ahead, so requests go before them.
class warming {
public:
    /// Walks that may be under way at once.
    static constexpr unsigned most = 8;

    struct outcome {
        bool refused = false;  ///< too many are under way
        bool done = false;     ///< else it goes on
        std::uint64_t bytes = 0;
        boost::system::error_code failure = {};  ///< then it is done
    };

    explicit warming(const running_server& of) : of_(of) {}

    /// Starts a walk, and waits for its end for so long at most. A thread that is no shard.
    [[nodiscard]] outcome start(std::string path,
                                std::uint64_t offset,
                                std::uint64_t length,
                                std::chrono::nanoseconds patience);

private:
    struct walk;
    static task<> run(running_server of, std::string path, std::shared_ptr<walk> state);

    const running_server of_;
    const std::shared_ptr<std::atomic<unsigned>> under_way_ =
        std::make_shared<std::atomic<unsigned>>(0);
    std::atomic<unsigned> next_shard_{0};
};

}  // namespace leat::serve
