// A program with an io_context of its own asks leat for chunks; leat's shards run beside it.
#include <leat/asio.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

namespace asio = boost::asio;

// Runs in the io_context's thread, but for the reads: each await ends there again.
asio::awaitable<void> first_page(leat::chunk_manager& manager, std::string path) {
    const leat::file file = co_await leat::async_open(manager, path, asio::use_awaitable);
    const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(file.size(), 4096));
    const leat::chunk_config page{file, 0, size};
    // May be kept and dropped in any thread.
    const leat::slice slice = co_await leat::async_get_chunk(manager, page, asio::use_awaitable);
    std::printf("%zu bytes, the first of them %02x\n", slice.size(), unsigned(slice.bytes()[0]));
}

int main(int, char** arguments) try {
    leat::engine engine{{.shards = 1, .memory = 64 * leat::MiB}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    engine.start();
    asio::io_context context;
    const auto ended = [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);  // out of context.run()
    };
    asio::co_spawn(context, first_page(manager, arguments[1]), ended);
    context.run();
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
