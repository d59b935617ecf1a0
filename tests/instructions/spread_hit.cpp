// Makes as many hits as it is told to on chunks in turn: estimates follow each.
#include "hot_hits.hpp"

namespace {

constexpr std::uint64_t chunks = 12;

leat::task<std::uint64_t> hits_in_turn(const leat::chunk_manager& manager,
                                       leat::file_id file,
                                       std::uint64_t count) {
    std::uint64_t sum = 0;
    for (std::uint64_t n = 0; n < count; ++n) {
        const std::uint64_t offset = n % chunks * manager.chunk_size();
        const leat::slice got = co_await manager.get_chunk({file, offset, 4096});
        sum += static_cast<std::uint64_t>(got.bytes().front());
    }
    co_return sum;
}

}  // namespace

int main(int count, char** values) {
    return leat::test::make_hits(count, values, nullptr, leat::detail::fragment_size, chunks,
                                 hits_in_turn);
}
