// The other end of a simulated connection.
#include "peer.hpp"

#include "allocations.hpp"

#include <algorithm>

namespace leat::sim {

namespace {
constexpr std::uint64_t longest_rest_ns = 50'000'000;

std::uint64_t any_room(random_stream& random) {
    constexpr std::uint64_t most[] = {3'000, 40'000, 200'000};
    return 1 + random.below(most[random.below(3)]);
}
}  // namespace

peer::peer(world& all, scheduler& by, std::uint64_t to_write, bool stays)
    : all_(all),
      by_(by),
      line_(all.sockets.await(any_room(all.device))),
      to_write_(to_write),
      stays_(stays) {
    line_->stir = [this] { stir(); };
}

// It is called from wherever the near side does something.
void peer::stir() {
    if (due_ || line_->silent || line_->was_reset || !line_->connected) return;
    const allocations_succeed here;
    due_ = true;
    std::uint64_t delay = 5'000 + all_.device.below(60'000);
    if (all_.strikes(fault::stalls)) delay += all_.device.below(longest_rest_ns);
    by_.at(all_.now_ns() + delay, [this] {
        due_ = false;
        step();
    });
}

void peer::step() {
    if (line_->closed) {  // what it has not read yet it will
        line_->unread = 0;
        return;
    }
    if (all_.strikes(fault::resets) && all_.device.chance(300)) {
        all_.note("peer resets", line_->number);
        all_.sockets.reset(*line_);
        return;
    }
    if (all_.strikes(fault::stuck)) {
        fall_silent();
        return;
    }
    if (line_->unread > 0) read();
    const bool has_room = line_->written - line_->received < line_->room;
    if (to_write_ > 0 && has_room) write();
    const bool writes = to_write_ > 0 && line_->written - line_->received < line_->room;
    if (line_->unread > 0 || writes) stir();
    if (to_write_ > 0 || line_->far_ended || (stays_ && !line_->near_ended)) return;
    all_.note("peer ends", line_->number);
    all_.sockets.end(*line_);
}

void peer::fall_silent() {
    all_.note("peer falls silent", line_->number);
    line_->silent = true;
}

void peer::read() {
    const std::uint64_t count = all_.device.between(1, line_->unread);
    all_.note("peer reads", line_->number, count);
    all_.sockets.read(*line_, count);
}

void peer::write() {
    const std::uint64_t room = line_->room - (line_->written - line_->received);
    const std::uint64_t count = all_.device.between(1, std::min(to_write_, room));
    to_write_ -= count;
    all_.note("peer writes", line_->number, count);
    all_.sockets.write(*line_, count);
}

}  // namespace leat::sim
