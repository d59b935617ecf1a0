// Reads from the source, and tells the cache how that ended.
#include "chunk_reader.hpp"

#include "fills.hpp"

#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>

namespace leat::detail {

chunk_reader chunk_reader::run(fills& owner,
                               chunk& filling,
                               fill_read wanted,
                               std::stop_token withdrawn) {
    const std::uint64_t begin = wanted.first << unit_shift;
    const std::uint64_t size = std::min(wanted.count << unit_shift, filling.bytes - begin);
    const std::uint64_t expected = std::min<std::uint64_t>(size, filling.length - begin);
    file_record& file = *filling.file;
    const manager_core& manager = *file.manager;
    std::uint64_t count = 0;
    boost::system::error_code code;
    if (withdrawn.stop_requested()) {  // before it has begun
        code = owner.cache().home().stopping() ? errc::stopped : errc::cancelled;
    } else {
        const priority urgency = wanted.demanded() ? priority::demand : priority::background;
        try {
            count = co_await manager.source->read(*file.opened, filling.file_offset() + begin,
                                                  std::span{filling.data() + begin, size}, urgency);
            code = judge_answer(count, size, filling.length - begin);
            count = std::min(count, expected);
        } catch (...) {
            code = error_of(std::current_exception()).code;
        }
    }
    owner.cache().all().files().release(file);
    owner.cache().home().unhold();
    owner.read_ended(filling, wanted, count, code, withdrawn.stop_requested());
}

}  // namespace leat::detail
