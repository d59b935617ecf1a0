// Reads a file on every shard, each its share, counts the bytes where they are read, and gives up
// after a time.
#include <leat/leat.hpp>

#include <atomic>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

struct opening {
    leat::manual_reset_event done;
    leat::file file;
};

leat::task<> give_up_after(std::chrono::seconds time) {
    co_await leat::sleep(time);
}

leat::task<> open_it(leat::chunk_manager& manager, std::string path, opening& to) {
    to.file = co_await manager.open(path);
    to.done.set();
}

leat::task<> read_it(leat::chunk_manager& manager,
                     opening& from,
                     leat::per_shard<std::uint64_t>& read) {
    leat::task_name name{"share " + std::to_string(leat::this_shard().index())};
    co_await name;
    co_await from.done.wait();
    const std::uint64_t share = from.file.size() / leat::this_shard().engine().shards() + 1;
    const std::uint64_t begin = share * leat::this_shard().index();
    leat::slice_stream slices = manager.slices(from.file, begin, share);
    for (;;) {
        const leat::slice slice = co_await slices.next();
        if (!slice) co_return;
        read.local() += slice.bytes().size();
    }
}

int main(int, char** arguments) try {
    leat::engine engine{{.memory = 64 * leat::MiB, .chunk_size = leat::MiB}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    leat::per_shard<std::uint64_t> read{engine};
    std::atomic<std::uint64_t> sum{0};
    auto add_share = [&](unsigned) -> leat::task<> {
        opening shared;
        leat::task<> both =
            leat::when_all(open_it(manager, arguments[1], shared), read_it(manager, shared, read));
        auto first = co_await leat::when_any(std::move(both), give_up_after(30s));
        if (first.index == 1) std::puts("too slow");
        sum += read.local();
    };
    auto add_all = [&]() -> leat::task<> { co_await engine.run_on_each(add_share); };
    engine.run(add_all());
    std::printf("%llu bytes\n", static_cast<unsigned long long>(sum.load()));
} catch (const leat::system_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
