// Prints a hash of each file named. Names go through a queue to a few readers; the hashing, which
// would keep a shard from its loop, is done by threads that are no shards.
#include <leat/leat.hpp>

#include <cinttypes>
#include <cstdio>
#include <string>

struct tools {
    leat::chunk_manager& manager;
    leat::offload_pool& pool;
    leat::queue<std::string> names{8};
    leat::semaphore slices{4};  // no more are held at once than memory is sure to have room for
    leat::mutex output{};
};

leat::task<> hash_each(tools& with) {
    for (;;) {
        const std::optional<std::string> name = co_await with.names.pop();
        if (!name) co_return;
        const leat::file file = co_await with.manager.open(*name);
        std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
        leat::slice_stream stream = with.manager.slices(file, 0, file.size());
        for (;;) {
            const leat::semaphore::permit held = co_await with.slices.acquire();
            const leat::slice slice = co_await stream.next();
            if (!slice) break;
            auto add = [&] {
                for (const std::byte one : slice.bytes())
                    hash = (hash ^ std::to_integer<unsigned>(one)) * 0x100000001b3;
            };
            co_await leat::offload(with.pool, add);
        }
        // Standard output may block, too: it is written elsewhere, one line after the other.
        auto print = [&] { std::printf("%016" PRIx64 "  %s\n", hash, name->c_str()); };
        const leat::mutex::guard line = co_await with.output.lock();
        co_await leat::offload(with.pool, print);
    }
}

// A file that cannot be read ends the other readers, and the loop that pushes.
leat::task<> hash_all(leat::chunk_manager& from, leat::offload_pool& pool, int count, char** of) {
    tools with{from, pool};
    auto read_all = [&](leat::scope& readers) -> leat::task<> {
        for (int i = 0; i < 3; ++i) readers.spawn(hash_each(with));
        for (int i = 1; i < count; ++i) static_cast<void>(co_await with.names.push(of[i]));
        with.names.close();
    };
    co_await leat::with_scope(read_all);
}

int main(int count, char** arguments) try {
    leat::offload_pool pool{{.threads = 2}};
    leat::engine engine{{.memory = 64 * leat::MiB, .chunk_size = leat::MiB}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    engine.run(hash_all(manager, pool, count, arguments));
} catch (const leat::system_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
