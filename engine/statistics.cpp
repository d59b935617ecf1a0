// Asks all shards for their counters and waits, while they run.
#include <leat/engine/detail/inquiry.hpp>
#include <leat/engine/engine.hpp>
#include <leat/io/detail/misuse.hpp>

namespace leat {

namespace {
void refuse_shards(const char* sentence) noexcept {
    if (shard::current() != nullptr) detail::misuse(sentence);
}
}  // namespace

std::vector<waiting_task> engine::waiting(std::size_t limit, time_span patience) {
    refuse_shards(
        "engine::waiting() blocks: call it on a thread that is no shard, by offload for instance");
    if (phase_ != phase::running) return {};
    const auto told = detail::inquiry<std::vector<waiting_task>>::ask(
        *this, [limit](shard& one) { return one.waiting(limit); }, patience);
    std::vector<waiting_task> all;
    for (unsigned index = 0; index < shards(); ++index) {
        if (told[index]) {
            all.insert(all.end(), told[index]->begin(), told[index]->end());
        } else if (!stopping()) {
            all.push_back({.shard = index, .age = patience, .silent = true});
        }
    }
    detail::sort_oldest_first(all);
    if (all.size() > limit) all.resize(limit);
    return all;
}

std::vector<std::optional<shard_statistics>> engine::statistics(time_span patience) {
    refuse_shards(
        "engine::statistics() blocks: on a shard, co_await resume_on each and ask this_shard()");
    std::vector<std::optional<shard_statistics>> all(shards());
    if (phase_ != phase::running) return all;
    const auto told = detail::inquiry<shard_statistics>::ask(
        *this, [](shard& one) { return one.statistics(); }, patience);
    for (unsigned index = 0; index < shards(); ++index) {
        if (told[index]) all[index] = *told[index];
    }
    return all;
}

}  // namespace leat
