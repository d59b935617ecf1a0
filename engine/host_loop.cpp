#include <leat/engine/host_loop.hpp>

#include <algorithm>
#include <exception>

namespace leat {

host_loop::host_loop(engine& owner, unsigned shard) : shard_(owner.at(shard)) {
    shard_.open();
    descriptor_ = shard_.backend().wait_descriptor();
}

host_loop::~host_loop() {
    if (parked_) shard_.end_park();
}

bool host_loop::turn() noexcept {
    if (parked_) {
        shard_.end_park();
        parked_ = false;
    }
    if (finished_) return false;
    try {
        finished_ = shard_.finished();
        return finished_ || step();
    } catch (const std::exception& failure) {
        shard_.owner().give_up(shard_, failure.what());
        finished_ = true;
        return true;
    }
}

// As shard::run() turns and parks, but the waiting is the host's.
bool host_loop::step() {
    if (shard_.turn() || !shard_.backend().prepare_wait()) return true;
    // Declared after the descriptor was made ready: what a sender then does makes it readable.
    parked_ = shard_.begin_park();
    return !parked_;
}

io::time_point host_loop::next_deadline() const noexcept {
    return finished_ ? io::time_point::max() : shard_.next_deadline();
}

timespec* host_loop::time_left(timespec& left) const noexcept {
    const io::time_point until = next_deadline();
    if (until == io::time_point::max()) return nullptr;
    const auto time = std::max(until - shard_.now(), io::clock::duration{0});
    const auto nanoseconds = std::chrono::nanoseconds(time).count();
    left.tv_sec = nanoseconds / 1'000'000'000;
    left.tv_nsec = nanoseconds % 1'000'000'000;
    return &left;
}

}  // namespace leat
