// A source of one's own: the squares of all numbers, a file of 64-bit words made on the fly.
#include <leat/leat.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>

// Any type with these functions is a chunk_source; the cache fills its buffers by read().
class squares {
public:
    struct file_type {
        [[nodiscard]] std::uint64_t size() const noexcept { return leat::GiB; }
        [[nodiscard]] leat::file_version version() const noexcept { return {}; }
    };
    leat::task<file_type> open(std::string) { co_return file_type{}; }
    // The cache asks for whole pages; this is right for any offset and size.
    leat::task<std::size_t> read(const file_type&,
                                 std::uint64_t offset,
                                 std::span<std::byte> buffer,
                                 leat::priority) {
        for (std::size_t at = 0; at < buffer.size();) {
            const std::uint64_t number = (offset + at) / 8;
            const std::uint64_t square = number * number;
            const std::size_t in = (offset + at) % 8;
            const std::size_t count = std::min(8 - in, buffer.size() - at);
            std::memcpy(buffer.data() + at, reinterpret_cast<const char*>(&square) + in, count);
            at += count;
        }
        co_return buffer.size();
    }
};

leat::task<std::uint64_t> square_of(leat::chunk_manager& manager, std::uint64_t number) {
    const leat::file file = co_await manager.open("squares");
    const leat::slice slice = co_await manager.get_chunk({file, number * 8, 8});
    std::uint64_t square = 0;
    std::memcpy(&square, slice.data(), 8);
    co_return square;
}

int main() {
    leat::engine engine{{.memory = 64 * leat::MiB, .chunk_size = leat::MiB}};
    leat::chunk_manager manager{engine, squares{}};
    const std::uint64_t square = engine.run(square_of(manager, 123'456));
    std::printf("%llu\n", static_cast<unsigned long long>(square));
    return square == 123'456ull * 123'456 ? 0 : 1;
}
