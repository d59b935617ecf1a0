// A warm request on a connection that goes on allocates nothing: all are answered while each
// allocation fails.
#include "failing_memory.hpp"
#include "shard_server.hpp"
#include "site.hpp"
#include "small_engine.hpp"

#include <leat/engine/per_shard.hpp>

#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

using namespace leat;

namespace {

constexpr std::size_t size = 300'000;

class served_folder {
public:
    served_folder() {
        std::string name = "serve-test.XXXXXX";
        path = ::mkdtemp(name.data());
        std::ofstream{path / "file"} << std::string(size, 'x');
    }
    ~served_folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

// Memory of its own, and calls that need none.
class client {
public:
    explicit client(const std::string& address) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port =
            htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
        BOOST_TEST_REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    }
    ~client() { ::close(socket_); }
    // The status, after `body` bytes of content.
    std::string_view ask(std::string_view request, std::size_t body) {
        if (::send(socket_, request.data(), request.size(), 0) < 0) return {};
        std::size_t got = 0;
        for (;;) {
            const ssize_t count = ::recv(socket_, memory_.data() + got, memory_.size() - got, 0);
            if (count <= 0) return {};
            got += static_cast<std::size_t>(count);
            const std::string_view all{memory_.data(), got};
            const std::size_t end = all.find("\r\n\r\n");
            if (end != all.npos && got >= end + 4 + body) return all.substr(9, 3);
        }
    }

private:
    const int socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    std::array<char, 1 << 17> memory_;
};

task<> run(per_shard<serve::shard_server>& servers) {
    co_await servers.local().run();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(warm_request_suite)

BOOST_AUTO_TEST_CASE(allocates_nothing) {
    const served_folder folder;
    engine cores{test::small_engine(1, 16 * MiB, MiB)};
    chunk_manager manager{cores, file_source{folder.path}};
    serve::server_options options;
    options.root = folder.path;
    options.listen = {"127.0.0.1:0"};
    options.headers = {"Cache-Control: max-age=60"};
    const auto shared = serve::make_site(options, 1);
    shared->manager = &manager;
    per_shard<serve::shard_server> servers{cores, std::ref(*shared)};
    cores.spawn_on(0, run(servers));
    client peer{shared->listeners.front().address()};

    struct request {
        std::string_view text;
        std::size_t body;
        std::string_view status;
    };
    const std::array<request, 5> requests{
        request{"GET /file HTTP/1.1\r\nHost: a\r\nRange: bytes=8192-12287\r\n\r\n", 4096, "206"},
        request{"GET /file HTTP/1.1\r\nHost: a\r\nRange: bytes=9-9\r\nUser-Agent: some one\r\n\r\n",
                1, "206"},
        request{"HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n", 0, "200"},
        request{"GET /./x/../file?query HTTP/1.1\r\nHost: a\r\nRange: bytes=-100\r\n\r\n", 100,
                "206"},
        request{"GET /file HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 "
                "GMT\r\n\r\n",
                0, "304"}};
    // Twice all over: once for the file and its bytes, and once for what is kept for the next time.
    for (int round = 0; round < 20; ++round) {
        for (const request& one : requests) BOOST_TEST(peer.ask(one.text, one.body) == one.status);
    }
    bool right = true;
    bool failed = false;
    {
        // Less than a second, after which the file is looked at again.
        const test::failing_memory none{1, true};
        for (int round = 0; round < 20; ++round) {
            for (const request& one : requests)
                right = right && peer.ask(one.text, one.body) == one.status;
        }
        failed = test::failing_memory::end();
    }
    BOOST_TEST(right);
    BOOST_TEST(!failed);
    cores.stop();
    cores.join();
}

BOOST_AUTO_TEST_SUITE_END()
