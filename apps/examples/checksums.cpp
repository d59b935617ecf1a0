// Prints the sum of the bytes of each file named, all of them read at once.
#include <leat/leat.hpp>

#include <cstdio>
#include <string>
#include <vector>

leat::task<std::uint64_t> sum_of(leat::chunk_manager& manager, std::string path) {
    const leat::file file = co_await manager.open(path);
    std::uint64_t sum = 0;
    leat::slice_stream slices = manager.slices(file, 0, file.size());
    for (;;) {
        const leat::slice slice = co_await slices.next();
        if (!slice) co_return sum;
        for (const std::byte byte : slice.bytes()) sum += std::to_integer<std::uint64_t>(byte);
    }
}

// The first file that cannot be read ends all the others, and its error comes out of when_all.
leat::task<> sums(leat::chunk_manager& manager, std::vector<std::string> paths) {
    std::vector<leat::task<std::uint64_t>> jobs;
    for (const std::string& path : paths) jobs.push_back(sum_of(manager, path));
    const std::vector<std::uint64_t> results = co_await leat::when_all(std::move(jobs));
    for (std::size_t i = 0; i < paths.size(); ++i)
        std::printf("%llu  %s\n", static_cast<unsigned long long>(results[i]), paths[i].c_str());
}

int main(int count, char** arguments) try {
    leat::engine engine{{.memory = 256 * leat::MiB, .chunk_size = leat::MiB}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    engine.run(sums(manager, {arguments + 1, arguments + count}));
} catch (const leat::system_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
