// Where a waiting request stands, for people to read.
#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/file.hpp>

namespace leat::detail {

where place_of(const chunk_request& waiting, const chunk_config& wanted) noexcept {
    where at{.doing = activity::get_chunk};
    at.file = wanted.file.number;
    at.offset = wanted.offset;
    at.size = wanted.size;
    if (waiting.file != nullptr) at.set_name(waiting.file->name);
    return at;
}

}  // namespace leat::detail
