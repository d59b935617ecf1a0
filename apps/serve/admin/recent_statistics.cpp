// Asks, and remembers for a second what came of it.
#include "recent_statistics.hpp"

#include <boost/system/system_error.hpp>

namespace leat::serve {

std::optional<cache_statistics> recent_statistics::of(chunk_manager& manager, time_span patience) {
    const std::lock_guard lock{mutex_};
    if (taken_ && clock::now() - *taken_ < period) return last_;
    last_.reset();
    try {
        last_ = manager.live_statistics(patience);
    } catch (const boost::system::system_error&) {  // too late, or the engine has stopped
    }
    taken_ = clock::now();
    return last_;
}

}  // namespace leat::serve
