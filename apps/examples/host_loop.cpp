// A program with a loop of its own steps leat in it: no thread is made, poll(2) waits for both.
#include <leat/engine/host_loop.hpp>
#include <leat/leat.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

leat::task<> first_page(leat::chunk_manager& manager, std::string path, leat::engine& engine) {
    const leat::file file = co_await manager.open(path);
    const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(file.size(), 4096));
    const leat::slice slice = co_await manager.get_chunk({file, 0, size});
    std::printf("%zu bytes, the first of them %02x\n", slice.size(), unsigned(slice.bytes()[0]));
    engine.stop();
}

int main(int, char** arguments) try {
    leat::engine_options options;
    options.memory = 64 * leat::MiB;
    options.hosted = true;  // one shard, and no thread for it
    leat::engine engine{options};
    leat::chunk_manager manager{engine, leat::file_source{}};
    engine.start();
    leat::host_loop loop{engine};
    auto running = engine.spawn_on(0, first_page(manager, arguments[1], engine));

    std::array<int, 2> own{};  // something that the program itself waits for
    if (::pipe(own.data()) != 0) return 1;
    while (!loop.finished()) {
        if (loop.turn()) continue;
        std::array<pollfd, 2> waited{{{loop.descriptor(), POLLIN, 0}, {own[0], POLLIN, 0}}};
        timespec left{};
        ::ppoll(waited.data(), waited.size(), loop.time_left(left), nullptr);
    }
    engine.join();
    running.get();  // throws what ended the task
} catch (const leat::system_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
