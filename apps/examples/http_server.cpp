// Serves one file and its byte ranges on 127.0.0.1, from every core: http_server FILE PORT.
#include <leat/asio.hpp>
#include <leat/cache/asio/slice_body.hpp>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <csignal>

namespace http = boost::beast::http;
// Where "bytes=FIRST-LAST" or "bytes=FIRST-" begins, and its length; other units are ignored.
std::pair<std::uint64_t, std::uint64_t> parse_range(const std::string& text, std::uint64_t size) {
    unsigned long long first = 0, last = size - 1;
    if (std::sscanf(text.c_str(), "bytes=%llu-%llu", &first, &last) < 1) return {0, size};
    return {first, std::max<std::uint64_t>(first, last < size ? last + 1 : size) - first};
}
leat::task<> serve(leat::chunk_manager& manager, leat::file file, leat::tcp_stream peer) try {
    boost::beast::flat_buffer buffer;
    for (bool open = true; open;) {
        http::request<http::empty_body> request;
        peer.expires_after(std::chrono::minutes{1});
        co_await http::async_read(peer, buffer, request, leat::use_task);
        const auto [first, size] = parse_range(request[http::field::range], file.size());
        const auto part = "bytes " + std::to_string(first) + '-' + std::to_string(first + size - 1);
        http::response<leat::slice_body> answer{http::status::partial_content, request.version()};
        answer.set(http::field::content_range, part + '/' + std::to_string(file.size()));
        if (size == 0) answer.result(http::status::range_not_satisfiable);
        if (size == file.size()) answer.result(http::status::ok);
        answer.keep_alive(open = request.keep_alive());
        answer.content_length(size);
        leat::slice_stream slices = manager.slices(file, first, size);
        answer.body().push_back(co_await slices.next());
        co_await http::async_write(peer, answer, leat::use_task);  // header and bytes, not copied
        while (slices.offset() < first + size) {
            const leat::slice slice = co_await slices.next();
            co_await boost::asio::async_write(peer, slice.buffer(), leat::use_task);
        }
    }
} catch (const boost::system::system_error&) {  // the peer has gone, or sent what is no request
}
leat::task<> listen(leat::chunk_manager& manager, const char* path, std::uint16_t port) {
    const leat::file file = co_await manager.open(path);
    const boost::asio::ip::tcp::endpoint here{boost::asio::ip::address_v4::loopback(), port};
    leat::tcp_acceptor acceptor{leat::shard_executor::current(), here, /*share*/ true};
    for (leat::shard& mine = leat::this_shard();;) {
        leat::tcp_stream peer = co_await acceptor.async_accept();
        mine.owner().spawn_on(mine.index(), serve(manager, file, std::move(peer)));
    }
}
int main(int, char** arguments) {
    sigset_t ends{};
    ::sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // for the shards' threads, too
    const auto say = [](const leat::event& what) { std::puts(what.text.c_str()); };
    leat::engine engine{{.on_event = say}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    for (unsigned shard = 0; shard < engine.shards(); ++shard)
        engine.spawn_on(shard, listen(manager, arguments[1], std::uint16_t(atoi(arguments[2]))));
    ::sigwaitinfo(&ends, nullptr);
}
