// Takes a shard's turns when somebody else's loop says so.
#include <leat/engine/host_loop.hpp>
#include <leat/io/detail/misuse.hpp>

#include <exception>

namespace leat {

namespace {
engine& hosted(leat::engine& engine) {
    if (engine.options().hosted) return engine;
    detail::misuse(
        "a host_loop was made for an engine whose shards have threads of their own: set "
        "engine_options::hosted");
}
}  // namespace

host_loop::host_loop(leat::engine& engine, unsigned shard) : shard_(hosted(engine).at(shard)) {
    shard_.open();
    descriptor_ = shard_.backend().wait_descriptor();
    ++engine.host_loops_;
}

host_loop::~host_loop() {
    if (finished_) return;
    // It has ended if engine::join() has stepped it, and a forked child only lets go of it.
    if (!shard_.ended() && !shard_.engine().inherited()) {
        shard_.expect_turn();
        if (parked_) shard_.end_park();
    }
    finish();
}

void host_loop::finish() noexcept {
    finished_ = true;
    --shard_.engine().host_loops_;
}

bool host_loop::turn() noexcept {
    if (finished_) return false;
    shard_.expect_turn();
    if (parked_) {
        shard_.end_park();
        parked_ = false;
    }
    try {
        if (!shard_.finished()) return step();
    } catch (const std::exception& failure) {
        shard_.engine().give_up(shard_, failure.what());
    }
    finish();
    return true;
}

// As shard::run() turns and parks, but the waiting is the host's.
bool host_loop::step() {
    if (shard_.turn() || !shard_.backend().prepare_wait()) return true;
    // Declared after the descriptor was made ready: what a sender then does makes it readable.
    parked_ = shard_.begin_park();
    return !parked_;
}

io::time_point host_loop::next_deadline() const noexcept {
    if (finished_ || shard_.ended()) return io::time_point::max();
    shard_.expect_opener();
    return shard_.next_deadline();
}

timespec* host_loop::time_left(timespec& left) const noexcept {
    const io::time_point until = next_deadline();
    if (until == io::time_point::max()) return nullptr;
    const io::time_point now = shard_.now();
    const auto time = until > now ? until - now : io::clock::duration{0};
    const auto nanoseconds = std::chrono::nanoseconds(time).count();
    left.tv_sec = nanoseconds / 1'000'000'000;
    left.tv_nsec = nanoseconds % 1'000'000'000;
    return &left;
}

}  // namespace leat
