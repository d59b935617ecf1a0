// Reads into a list of buffers from a source that knows only single ones.
#include <leat/cache/detail/any_source.hpp>
#include <leat/engine/error.hpp>
#include <leat/engine/for_each.hpp>

#include <cassert>

namespace leat::detail {

namespace {

/// One read of a list, buffer by buffer: what its parts have in common.
struct list_read {
    any_source& source;
    any_source::opened_file& file;
    std::uint64_t offset;
    priority urgency;
    std::size_t asked = 0;              ///< bytes of the buffers before the next one
    std::size_t end = ~std::size_t{0};  ///< the first byte known to be missing

    task<> next(std::span<std::byte> buffer) {
        const std::size_t before = asked;
        asked += buffer.size();
        return part(buffer, before);
    }

private:
    task<> part(std::span<std::byte> buffer, std::size_t before) {
        const std::size_t given = co_await source.read(file, offset + before, buffer, urgency);
        if (given > buffer.size())
            throw system_error({errc::bad_answer, {.doing = activity::read}});
        if (given < buffer.size()) end = std::min(end, before + given);
    }
};

}  // namespace

task<std::size_t> any_source::read_list(opened_file& file,
                                        std::uint64_t offset,
                                        buffer_list buffers,
                                        priority urgency) {
    assert(!buffers.empty() && buffers.size() <= longest_list);
    list_read parts{*this, file, offset, urgency};
    auto next = [&parts](std::span<std::byte> buffer) { return parts.next(buffer); };
    co_await for_each(buffers, buffers_at_once, next);
    co_return std::min(parts.end, parts.asked);
}

}  // namespace leat::detail
