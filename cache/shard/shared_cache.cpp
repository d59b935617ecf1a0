// Makes the parts of all shards, and closes them when the engine ends.
#include "fill_queue.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/detail/shared_cache.hpp>
#include <leat/io/detail/misuse.hpp>

#include <algorithm>
#include <bit>

namespace leat::detail {

namespace {
// Of a source that does not say how many.
constexpr unsigned usual_reads_at_once = 512;
}  // namespace

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
      pin_deadline(options.pin_deadline),
      source(std::move(source_)),
      grain(options.grain != 0 ? options.grain : source->grain()),
      cache(cache_),
      engine(&cache_->engine()),
      serial(cache_->next_manager_number()),
      fills(std::make_unique<fill_queue[]>(cache_->shards())),
      shards(cache_->shards()) {
    const unsigned said = source->reads_at_once();
    const unsigned wanted = said != 0 ? said : usual_reads_at_once;
    const read_turns::bounds turns{
        .at_once = options.reads_at_once != 0 ? options.reads_at_once : wanted,
        // Of a source that does not say it is not known that reads wait for others there.
        .walk_part = said != 0 ? 8U : 2U,
        // What is being read into is of no use to anybody.
        .of_memory = options.reads_at_once == 0};
    for (unsigned index = 0; index < shards; ++index) {
        fills[index].pieces_at_once =
            static_cast<unsigned>(options.competing_fill_bytes / fill_piece);
        fills[index].line.turns.set_bounds(turns);
        fills[index].line.turns.fit(engine->memory_per_shard());
    }
}

unsigned manager_core::owner(std::uint64_t number, std::uint64_t index) const noexcept {
    // The upper half: the lower one picks the bucket.
    return static_cast<unsigned>((entry_table::hash(number, index) >> 32) % shards);
}

shard_cache& manager_core::here() const noexcept {
    const shard* const current = shard::current();
    if (current == nullptr)
        detail::misuse(
            "a chunk_manager was used on a thread that runs no shard: use it in a task, by "
            "engine::run or spawn_on, or ask by async_get_chunk and its kin");
    if (&current->engine() != engine)
        detail::misuse(
            "a chunk_manager was used on a shard of another engine: spawn the task on the "
            "manager's own");
    return *static_cast<shard_cache*>(current->cache_state());
}

namespace {
/// Ends the cache's use of the shards when the engine ends.
class cache_service final : public service {
public:
    explicit cache_service(leat::engine& engine) : cache_(std::make_shared<shared_cache>(engine)) {}
    cache_service(const cache_service&) = delete;
    cache_service& operator=(const cache_service&) = delete;
    ~cache_service() override { cache_->forget_engine(); }
    std::size_t close() noexcept override { return cache_->close(); }
    [[nodiscard]] const std::shared_ptr<shared_cache>& cache() const noexcept { return cache_; }

private:
    std::shared_ptr<shared_cache> cache_;
};
}  // namespace

std::shared_ptr<shared_cache> shared_cache::of(leat::engine& engine) {
    engine.start();  // the shards' arenas and rings exist from here on
    return engine
        .service_of<cache_service>(
            [](leat::engine& mine) { return std::make_shared<cache_service>(mine); })
        ->cache();
}

namespace {
constexpr std::uint64_t fewest_buckets = 64;
constexpr std::uint64_t average_fragment = 16 * KiB;
// A table takes at most this share of its shard's memory.
constexpr std::uint64_t table_share = 256;
}  // namespace

/// Buckets on their way to a shard's table.
struct shared_cache::growth : work {
    growth(shard_cache& of_, std::uint64_t count) : work(&arrived), of(of_), larger(count) {}
    static void arrived(work& message) noexcept {
        auto& self = static_cast<growth&>(message);
        // The memory may have been changed since.
        if (self.larger.size() == self.of.all().buckets())
            self.of.adopt_table(std::move(self.larger));
        else
            self.of.fit_table();
    }
    shard_cache& of;
    entry_table::buckets larger;
};

// A bucket for each chunk of the engine, since a shard may hold leases of all that others own, and
// for each fragment of the shard if they are of 16 KiB on average.
std::uint64_t shared_cache::buckets_for(std::uint64_t chunk_size) const noexcept {
    const std::uint64_t memory = engine_.memory_per_shard();
    const std::uint64_t chunks = memory / chunk_size * engine_.shards();
    const std::uint64_t entries = std::max(chunks, memory / average_fragment);
    const std::uint64_t most = memory / table_share / sizeof(entry*);
    return std::max(fewest_buckets, std::min(std::bit_ceil(entries), std::bit_floor(most)));
}

void shared_cache::expect_chunks_of(std::uint64_t chunk_size) {
    const std::lock_guard lock{growing_};
    if (chunk_size >= smallest_chunk_) return;
    const std::uint64_t count = buckets_for(chunk_size);
    const std::uint64_t before_count = buckets();
    smallest_chunk_ = chunk_size;
    if (count > before_count) {
        const std::size_t before = growths_.size();
        for (const auto& part : shards_) growths_.push_back(std::make_unique<growth>(*part, count));
        for (std::size_t i = before; i < growths_.size(); ++i)
            growths_[i]->of.home().deliver(*growths_[i]);
    }
}

std::uint64_t shared_cache::buckets() const noexcept {
    return buckets_for(smallest_chunk_);
}

shared_cache::shared_cache(leat::engine& engine)
    : engine_(engine), smallest_chunk_(engine.options().chunk_size) {
    const std::uint64_t count = buckets();
    for (unsigned index = 0; index < engine.shards(); ++index) {
        arenas_.push_back(engine.at(index).arena());
        shards_.push_back(std::make_unique<shard_cache>(*this, engine.at(index), count));
    }
    // Only now: nothing fails any more, and the shards run.
    for (const auto& part : shards_) part->attach();
}

shared_cache::~shared_cache() = default;

std::uint64_t shared_cache::close() noexcept {
    forget_engine();
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

}  // namespace leat::detail
