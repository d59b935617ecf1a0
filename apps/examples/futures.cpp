// From any thread, blocking: futures, and several chunks asked for by one request.
#include <leat/asio.hpp>

#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <vector>

int main(int, char** arguments) try {
    leat::engine engine{{.memory = 64 * leat::MiB, .chunk_size = leat::MiB}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    engine.start();
    const auto token = boost::asio::use_future;
    const leat::file file = leat::async_open(manager, arguments[1], token).get();

    // The first page of each of the first chunks: one message to each shard that owns some.
    std::vector<leat::chunk_config> pages;
    for (std::uint64_t at = 0; at < file.size() && pages.size() < 8; at += manager.chunk_size()) {
        const auto size = std::min<std::uint64_t>(file.size() - at, 4096);
        pages.push_back({file, at, static_cast<std::uint32_t>(size)});
    }
    std::size_t bytes = 0;
    const auto answers = leat::async_get_chunks(manager, pages, token).get();
    for (const leat::result<leat::slice>& answer : answers) bytes += answer.value().size();
    std::printf("%zu bytes of %zu chunks\n", bytes, answers.size());

    // Copied out, across the borders of chunks.
    std::vector<char> whole(file.size());
    const auto buffer = boost::asio::buffer(whole);
    const std::size_t read = leat::async_read(manager, file, 0, buffer, token).get();
    std::printf("%zu bytes copied\n", read);
    return read == file.size() ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
