// Sends back what TLS clients on 127.0.0.1 send, until one says "end": tls_echo CERTIFICATE KEY
// PORT.
#include <leat/asio.hpp>

#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <cstdio>
#include <string>

namespace asio = boost::asio;

// Whether the peer asked for the end. A peer that goes away is the end of its connection only.
leat::task<bool> echo(asio::ssl::context& keys, leat::tcp_stream peer) {
    asio::ssl::stream<leat::tcp_stream> stream{std::move(peer), keys};
    std::string line;
    try {
        stream.next_layer().expires_after(std::chrono::seconds{10});
        co_await stream.async_handshake(asio::ssl::stream_base::server, leat::use_task);
        for (;;) {
            const std::size_t size = co_await asio::async_read_until(
                stream, asio::dynamic_buffer(line), '\n', leat::use_task);
            co_await asio::async_write(stream, asio::buffer(line, size), leat::use_task);
            if (line.starts_with("end")) co_return true;
            line.erase(0, size);
        }
    } catch (const boost::system::system_error& error) {
        std::fprintf(stderr, "%s\n", error.code().message().c_str());
    }
    co_return false;
}

leat::task<> serve(asio::ssl::context& keys, std::uint16_t port) {
    const asio::ip::tcp::endpoint here{asio::ip::address_v4::loopback(), port};
    leat::tcp_acceptor acceptor{leat::shard_executor::current(), here};
    for (bool ended = false; !ended;) {
        leat::tcp_stream peer = co_await acceptor.async_accept();
        ended = co_await echo(keys, std::move(peer));
    }
}

int main(int count, char** arguments) try {
    if (count != 4) return 2;
    asio::ssl::context keys{asio::ssl::context::tls_server};
    keys.use_certificate_chain_file(arguments[1]);
    keys.use_private_key_file(arguments[2], asio::ssl::context::pem);
    leat::engine engine{{.shards = 1, .memory = 64 * leat::MiB}};
    engine.run(serve(keys, static_cast<std::uint16_t>(std::stoi(arguments[3]))));
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
