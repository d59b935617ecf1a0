// Counts the lines of a file: slices come in order while the chunks ahead are read.
#include <leat/leat.hpp>

#include <algorithm>
#include <cstdio>

leat::task<std::uint64_t> count_lines(leat::chunk_manager& manager, std::string path) {
    const leat::file file = co_await manager.open(path);
    std::uint64_t lines = 0;
    leat::slice_stream slices = manager.slices(file, 0, file.size(), {.depth = 4});
    for (;;) {
        const leat::slice slice = co_await slices.next();
        if (!slice) co_return lines;
        lines += static_cast<std::uint64_t>(
            std::count(slice.bytes().begin(), slice.bytes().end(), std::byte{'\n'}));
    }
}

int main(int, char** arguments) try {
    leat::engine engine{{.memory = 64 * leat::MiB, .chunk_size = leat::MiB}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    const std::uint64_t lines = engine.run(count_lines(manager, arguments[1]));
    std::printf("%llu lines\n", static_cast<unsigned long long>(lines));
} catch (const leat::system_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
