// Adds up the bytes of a file on every core: each shard takes the chunks that it owns.
#include <leat/leat.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <vector>

/// The request for the whole chunk that begins at `offset`.
leat::chunk_config chunk_at(const leat::chunk_manager& manager,
                            const leat::file& file,
                            std::uint64_t offset) {
    const std::uint64_t size = std::min(manager.chunk_size(), file.size() - offset);
    return {file, offset, static_cast<std::uint32_t>(size)};
}

leat::task<> add_owned(leat::chunk_manager& manager,
                       leat::file file,
                       unsigned shard,
                       std::atomic<std::uint64_t>& sum) {
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t offset = 0; offset < file.size(); offset += manager.chunk_size()) {
        if (manager.owner(chunk_at(manager, file, offset)) == shard) offsets.push_back(offset);
    }
    // The lambda captures, so it has a name and outlives its coroutines.
    auto add = [&](std::uint64_t offset) -> leat::task<> {
        const leat::slice slice = co_await manager.get_chunk(chunk_at(manager, file, offset));
        std::uint64_t mine = 0;
        for (const std::byte byte : slice.bytes()) mine += std::to_integer<std::uint64_t>(byte);
        sum += mine;
    };
    co_await leat::for_each(offsets, 2, add);
}

leat::task<> checksum(leat::chunk_manager& manager, std::string path) {
    const leat::file file = co_await manager.open(path);
    std::atomic<std::uint64_t> sum = 0;
    auto add = [&](unsigned shard) { return add_owned(manager, file, shard, sum); };
    co_await leat::this_shard().engine().run_on_each(add);
    std::printf("%llu\n", static_cast<unsigned long long>(sum.load()));
}

int main(int, char** arguments) try {
    leat::engine engine{{.memory = 64 * leat::MiB, .chunk_size = leat::MiB}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    engine.run(checksum(manager, arguments[1]));
} catch (const leat::system_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
