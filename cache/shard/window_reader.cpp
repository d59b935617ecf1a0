// Reads a list of fragments from the source, and tells the cache how that ended for each.
#include "window_reader.hpp"

#include "fills.hpp"

#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>

namespace leat::detail {

window_reader window_reader::run(fills& owner, fill_window* wanted, std::stop_token withdrawn) {
    const std::unique_ptr<fill_window> mine{wanted};
    const std::vector<chunk*>& parts = mine->parts;
    file_record& file = *parts.front()->file;
    const std::uint64_t begin = parts.front()->file_offset();
    std::uint64_t size = 0;
    for (const std::span<std::byte>& one : mine->buffers) size += one.size();
    std::uint64_t count = 0;
    boost::system::error_code code;
    if (withdrawn.stop_requested()) {  // before it has begun
        code = owner.cache().home().stopping() ? errc::stopped : errc::cancelled;
    } else {
        try {
            const priority urgency = mine->ahead ? priority::background : priority::demand;
            count = co_await file.manager->source->read_list(*file.opened, begin, mine->buffers,
                                                             urgency);
            code = judge_answer(count, size, file.size - begin);
        } catch (...) {
            code = error_of(std::current_exception()).code;
        }
    }
    const bool asked_back = withdrawn.stop_requested();
    owner.cache().all().files().release(file);
    owner.cache().home().unhold();
    for (chunk* const part : parts) {
        const std::uint64_t landed = std::min<std::uint64_t>(count, part->length);
        owner.read_ended(*part, fills::part_of_window(*mine, *part), code ? 0 : landed, code,
                         asked_back);
        count -= landed;
    }
}

}  // namespace leat::detail
