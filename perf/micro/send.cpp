// The workload "send": what sending a slice costs, copied and not.
#include "micro/send.hpp"

#include "common/clocks.hpp"
#include "common/figure.hpp"
#include "common/pages.hpp"

#include <leat/asio.hpp>

#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>
#include <vector>

namespace leat::perf {

namespace {

using boost::asio::ip::tcp;

double thread_cpu_seconds() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// What a connection is that takes all and looks at nothing: the kernel drops the bytes.
void drop_all(const tcp::endpoint& from) {
    boost::asio::io_context context;
    tcp::socket socket{context};
    socket.connect(from);
    while (::recv(socket.native_handle(), nullptr, 1 << 20, MSG_TRUNC) > 0) {
    }
}

struct sent {
    std::uint64_t writes = 0;
    double seconds = 0;
    double cpu_seconds = 0;  ///< of the shard's thread
};

task<sent> send_for(const chunk_manager& manager,
                    file from,
                    std::uint32_t size,
                    bool zero_copy,
                    double seconds,
                    std::jthread& peer) {
    tcp_acceptor acceptor{shard_executor::current(), {boost::asio::ip::address_v4::loopback(), 0}};
    peer = std::jthread{[to = acceptor.local_endpoint()] { drop_all(to); }};
    sent result;
    tcp_stream stream = co_await acceptor.async_accept();
    stream.zero_copy(zero_copy);
    const double cpu = thread_cpu_seconds();
    const auto begin = clock::now();
    const auto end = later(begin, duration_of(seconds));
    while (clock::now() < end) {
        const chunk_config config{from, result.writes % 4 * size, size};
        const slice piece = co_await manager.get_chunk(config);
        co_await boost::asio::async_write(stream, piece.buffer(), use_task);
        ++result.writes;
    }
    result.seconds = seconds_between(begin, clock::now());
    result.cpu_seconds = thread_cpu_seconds() - cpu;
    co_return result;
}

std::string size_name(std::uint32_t bytes) {
    return bytes >= MiB ? std::to_string(bytes / MiB) + "m" : std::to_string(bytes / KiB) + "k";
}

void run_send(bench& with) {
    // Without busy waits: what a send costs is asked, not what waiting for it costs.
    engine_options options = with.engine_with(1, 2 * with.options().engine.chunk_size);
    options.spin = {};
    engine one{options};
    chunk_manager manager{one, file_source{}};
    file from = one.run(manager.open(with.target().path));
    std::vector<contestant> all;
    for (const std::uint32_t size : {4096U, 65536U, 1U << 20}) {
        for (const bool zero_copy : {false, true}) {
            const std::string name =
                std::string("send.") + (zero_copy ? "zc." : "copy.") + size_name(size);
            all.push_back(
                {name, [&, name, size, zero_copy] {
                     std::jthread peer;
                     const sent found =
                         one.run(send_for(manager, from, size, zero_copy, with.seconds(), peer));
                     const auto writes = static_cast<double>(found.writes);
                     with.report().add(name + ".gbps", gbps(writes * size, found.seconds));
                     with.report().add(name + ".cpu_us", found.cpu_seconds * 1e6 / writes);
                 }});
        }
    }
    with.alternate("send", all);
}

constexpr std::array definitions{
    figure_definition{"send.{copy,zc}.{4k,64k,1m}.gbps",
                      "slices of so many bytes sent to a peer that drops them, copied or "
                      "zero-copy: what one core can send"},
    figure_definition{"send.{copy,zc}.{4k,64k,1m}.cpu_us",
                      "CPU time of the shard's thread for one send of so many bytes, copied or "
                      "zero-copy: which is cheaper at which size"},
};

}  // namespace

constexpr workload send_workload{
    "send", "slices over loopback, copied by the kernel and as zero-copy sends", definitions,
    &run_send};

}  // namespace leat::perf
