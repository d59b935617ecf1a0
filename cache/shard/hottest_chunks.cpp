// Ranks chunks by their uses, and keeps the best.
#include "hottest_chunks.hpp"

#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>

#include <algorithm>

namespace leat::detail {

namespace {
constexpr auto hotter = [](const auto& one, const auto& other) { return one.hotter_than(other); };
}  // namespace

bool hottest_chunks::look() {
    next_ = cache_.parts().chunks.each_some(next_, [this](chunk& one) { consider(one); });
    return next_ != 0;
}

void hottest_chunks::consider(chunk& one) {
    if (limit_ == 0 || one.file->manager.get() != &of_ || one.doomed) return;
    const candidate seen{one.reuses, one.latest_use(), &one, one.file_number, one.piece};
    if (found_.size() == limit_) {
        if (!seen.hotter_than(found_.front())) return;
        std::pop_heap(found_.begin(), found_.end(), hotter);
        found_.pop_back();
    }
    found_.push_back(seen);
    std::push_heap(found_.begin(), found_.end(), hotter);
}

std::vector<cached_chunk> hottest_chunks::told() {
    std::sort_heap(found_.begin(), found_.end(), hotter);
    std::vector<cached_chunk> all;
    all.reserve(found_.size());
    for (const candidate& one : found_) {
        const bool there = one.at->file != nullptr && one.at->file_number == one.file_number &&
                           one.at->piece == one.piece;
        if (there) all.push_back(describe(*one.at));
    }
    return all;
}

cached_chunk hottest_chunks::describe(const chunk& one) const {
    cached_chunk told;
    told.name = one.file->name;
    told.file = one.file_number;
    told.offset = one.file_offset();
    told.size = one.length;
    told.bytes = one.bytes;
    told.shard = cache_.home().index();
    told.fragment = !one.piece.is_chunk();
    told.complete = one.landed_units() == one.units();
    told.reuses = one.reuses;
    told.pins = one.pins;
    told.leases = one.holders.size();
    told.idle =
        std::chrono::nanoseconds{std::max<std::int64_t>(0, cache_.stamp() - one.latest_use())};
    return told;
}

}  // namespace leat::detail
