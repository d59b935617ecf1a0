// Prints how the first page of a file begins.
#include <leat/leat.hpp>

#include <algorithm>
#include <cstdio>

leat::task<> first_page(leat::chunk_manager& manager, std::string path) {
    const leat::file file = co_await manager.open(path);
    const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(file.size(), 4096));
    // No copy: these are the bytes where the disk wrote them, and they stay while the slice lives.
    const leat::slice slice = co_await manager.get_chunk({file, /*offset*/ 0, size});
    std::printf("%zu bytes, the first of them %02x\n", slice.size(), unsigned(slice.bytes()[0]));
}

int main(int, char** arguments) {
    leat::engine engine{{.shards = 1, .memory = 64 * leat::MiB}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    engine.run(first_page(manager, arguments[1]));
}
