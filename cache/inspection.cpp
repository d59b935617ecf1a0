// What a manager has in memory, asked of all shards, and what it is to let go of.
#include "shard/file_eviction.hpp"
#include "shard/hottest_chunks.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/engine/sleep.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace leat {

task<std::vector<cached_chunk>> chunk_manager::hottest(std::size_t limit) {
    (void)core_->here();
    std::vector<cached_chunk> all;
    for (unsigned index = 0; index < cache_->shards(); ++index) {
        co_await resume_on(index);
        detail::hottest_chunks found{cache_->at(index), *core_, limit};
        while (found.look()) co_await yield{};
        std::vector<cached_chunk> more = found.told();
        std::move(more.begin(), more.end(), std::back_inserter(all));
    }
    std::sort(all.begin(), all.end(), [](const cached_chunk& one, const cached_chunk& other) {
        return one.reuses != other.reuses ? one.reuses > other.reuses : one.idle < other.idle;
    });
    if (all.size() > limit) all.resize(limit);
    co_return all;
}

task<std::uint64_t> chunk_manager::evict(file from) {
    (void)core_->here();
    const detail::file_record* const record = from.record();
    if (record == nullptr || record->manager != core_)
        throw system_error({errc::closed, {.doing = activity::get_chunk}});
    std::uint64_t bytes = 0;
    for (unsigned index = 0; index < cache_->shards(); ++index) {
        co_await resume_on(index);
        detail::file_eviction left{cache_->at(index), *record, from.name()};
        while (left.look()) co_await yield{};
        bytes += left.bytes();
    }
    co_return bytes;
}

}  // namespace leat
