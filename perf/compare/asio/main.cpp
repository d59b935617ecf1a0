// Cold 4 KiB reads by Boost.Asio's own io_uring files. A program of its own: the macro that turns
// them on must not meet leat's build.
//
// usage: leat-bench-asio FILE SIZE OBJECTS DEPTH SECONDS CPU
// Prints reads, seconds and CPU seconds.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/random_access_file.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sched.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <exception>
#include <random>
#include <string>

namespace {

namespace asio = boost::asio;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t page_bytes = 4096;

struct alignas(page_bytes) page {
    std::byte bytes[page_bytes];
};

struct run_state {
    std::uint64_t pages;
    clock_type::time_point end;
    std::uint64_t reads = 0;
    bool failed = false;
};

asio::awaitable<void> read_pages(asio::random_access_file& file,
                                 page& into,
                                 std::uint64_t seed,
                                 run_state& state) {
    std::mt19937_64 random{seed};
    while (clock_type::now() < state.end) {
        const std::uint64_t offset = random() % state.pages * page_bytes;
        const std::size_t count =
            co_await file.async_read_some_at(offset, asio::buffer(into.bytes), asio::use_awaitable);
        if (count != page_bytes) state.failed = true;
        ++state.reads;
    }
}

double cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

int measure(char** arguments) {
    const std::string path = arguments[1];
    const unsigned long objects = std::stoul(arguments[3]);
    const unsigned long depth = std::stoul(arguments[4]);
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(std::stoul(arguments[6]), &only);
    ::sched_setaffinity(0, sizeof only, &only);

    asio::io_context context{1};
    std::deque<asio::random_access_file> files;
    for (unsigned long i = 0; i < objects; ++i) {
        const int opened = ::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
        if (opened < 0) {
            std::perror(path.c_str());
            return 1;
        }
        files.emplace_back(context, opened);
    }
    std::deque<page> pages(depth);
    const auto begin = clock_type::now();
    const double cpu = cpu_seconds();
    const auto length = std::chrono::duration<double>(std::stod(arguments[5]));
    run_state state{std::stoull(arguments[2]) / page_bytes,
                    begin + std::chrono::duration_cast<clock_type::duration>(length)};
    for (unsigned long i = 0; i < depth; ++i) {
        asio::co_spawn(context, read_pages(files[i % objects], pages[i], i + 1, state),
                       [&](std::exception_ptr escaped) { state.failed |= escaped != nullptr; });
    }
    context.run();
    const std::chrono::duration<double> taken = clock_type::now() - begin;
    std::printf("%llu %.9f %.9f\n", static_cast<unsigned long long>(state.reads), taken.count(),
                cpu_seconds() - cpu);
    return state.failed ? 1 : 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 7) {
        std::fputs("usage: leat-bench-asio FILE SIZE OBJECTS DEPTH SECONDS CPU\n", stderr);
        return 2;
    }
    try {
        return measure(arguments);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "leat-bench-asio: %s\n", failure.what());
        return 1;
    }
}
