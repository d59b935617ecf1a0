#include "fill_queue.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/shared_cache.hpp>

#include <algorithm>
#include <bit>

namespace leat {

reciprocal::reciprocal(std::uint64_t divisor) noexcept
    : factor_(0), shift_(static_cast<unsigned>(std::countr_zero(divisor))) {
    std::uint64_t odd = divisor >> shift_;
    if (odd == 1) {  // the reciprocal of 1 would need 65 bits
        --shift_;
        odd = 2;
    }
    factor_ = ~std::uint64_t{0} / odd + 1;
}

manager_core::manager_core(std::shared_ptr<shared_cache> cache_,
                           std::uint64_t chunk_size_,
                           std::unique_ptr<any_source> source_,
                           const manager_options& options)
    : by_chunk(chunk_size_),
      chunk_size(chunk_size_),
      // Far beyond anybody's patience, and within what a clock can count.
      pin_deadline(std::clamp<std::chrono::milliseconds>(
          options.pin_deadline, std::chrono::milliseconds{0}, std::chrono::hours{24 * 3650})),
      source(std::move(source_)),
      cache(cache_),
      fills(std::make_unique<fill_queue[]>(cache_->shards())),
      shards(cache_->shards()) {
    for (unsigned index = 0; index < shards; ++index) {
        fills[index].pieces_at_once =
            static_cast<unsigned>(options.competing_fill_bytes / fill_piece);
    }
}

unsigned manager_core::owner(std::uint64_t number, std::uint64_t index) const noexcept {
    // The upper half: the lower one picks the bucket.
    return static_cast<unsigned>((shard_cache::hash(number, index) >> 32) % shards);
}

namespace {
/// Ends the cache's use of the shards when the engine ends.
class cache_service final : public service {
public:
    explicit cache_service(leat::engine& owner) : cache_(std::make_shared<shared_cache>(owner)) {}
    std::size_t close() noexcept override { return cache_->close(); }
    [[nodiscard]] const std::shared_ptr<shared_cache>& cache() const noexcept { return cache_; }

private:
    std::shared_ptr<shared_cache> cache_;
};
}  // namespace

std::shared_ptr<shared_cache> shared_cache::of(leat::engine& owner) {
    owner.start();  // the shards' arenas and rings exist from here on
    return owner
        .service_of<cache_service>(
            [](leat::engine& mine) { return std::make_shared<cache_service>(mine); })
        ->cache();
}

shared_cache::shared_cache(leat::engine& owner) : owner_(owner) {
    const std::uint64_t smallest = std::min<std::uint64_t>(owner.options().chunk_size, MiB);
    const std::uint64_t buckets = std::bit_ceil(2 * owner.memory_per_shard() / smallest + 64);
    for (unsigned index = 0; index < owner.shards(); ++index) {
        arenas_.push_back(owner.at(index).arena());
        shards_.push_back(std::make_unique<shard_cache>(*this, owner.at(index), buckets));
    }
    // Only now: nothing fails any more, and the shards run.
    for (const auto& part : shards_) part->move_in();
}

shared_cache::~shared_cache() = default;

std::uint64_t shared_cache::close() noexcept {
    std::uint64_t pins = 0;
    for (const auto& part : shards_) pins += part->close();
    if (pins != 0) kept_by_orphans_ = shared_from_this();
    settle_orphans(static_cast<std::uint64_t>(excess - static_cast<std::int64_t>(pins)));
    return pins;
}

void shared_cache::settle_orphans(std::uint64_t pins) noexcept {
    const auto count = static_cast<std::int64_t>(pins);
    if (orphans_.fetch_sub(count, std::memory_order_acq_rel) != count) return;
    const std::shared_ptr<shared_cache> last = std::move(kept_by_orphans_);
}

}  // namespace leat
