// Serves a file and its byte ranges on 127.0.0.1, from every core: http_server FILE PORT [MEMORY].
#include <leat/asio.hpp>
#include <leat/cache/asio/slice_body.hpp>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace http = boost::beast::http;
std::pair<std::uint64_t, std::uint64_t> parse_range(const std::string& text, std::uint64_t size) {
    unsigned long long first = 0, last = size - 1;
    if (std::sscanf(text.c_str(), "bytes=%llu-%llu", &first, &last) < 1) return {0, size};
    if (text.starts_with("bytes=-") && 0 - first <= size) first += size;  // the last -first
    return {first, std::max<std::uint64_t>(first, last < size ? last + 1 : size) - first};
}
leat::task<> serve(leat::chunk_manager& manager, leat::file file, leat::tcp_stream peer) try {
    boost::beast::flat_buffer buffer;
    for (bool open = true; open;) {
        http::request<http::empty_body> request;
        peer.expires_after(std::chrono::minutes{1});
        co_await http::async_read(peer, buffer, request, leat::use_task);
        peer.expires_after(std::chrono::minutes{1});
        const auto [first, size] = parse_range(request[http::field::range], file.size());
        const auto part = "bytes " + std::to_string(first) + '-' + std::to_string(first + size - 1);
        http::response<leat::slice_body> answer{http::status::ok, request.version()};
        answer.set(http::field::content_range, part + '/' + std::to_string(file.size()));
        answer.result(size == 0 ? 416 : size == file.size() ? 200 : 206);
        answer.keep_alive(open = request.keep_alive());
        answer.content_length(size);
        leat::slice_stream slices = manager.slices(file, first, size);
        answer.body().push_back(co_await slices.next());
        co_await http::async_write(peer, answer, leat::use_task);  // header and bytes, not copied
        while (slices.offset() < first + size) {
            const leat::slice slice = co_await slices.next();
            peer.expires_after(std::chrono::minutes{1});
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
        auto got = co_await acceptor.async_accept(boost::asio::as_tuple(leat::use_task));
        if (std::get<0>(got)) co_await leat::sleep(std::chrono::milliseconds{10});  // e.g. EMFILE
        mine.owner().spawn_on(mine.index(), serve(manager, file, std::move(std::get<1>(got))));
    }
}
int main(int count, char** arguments) {
    sigset_t ends{};
    ::sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // for the shards' threads, too
    leat::engine engine{{.memory = leat::parse_size(count > 3 ? arguments[3] : "0").value(),
                         .on_event = [](const leat::event& one) { std::puts(one.text.c_str()); }}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    for (unsigned shard = 0; shard < engine.shards(); ++shard)
        engine.spawn_on(shard, listen(manager, arguments[1], std::uint16_t(atoi(arguments[2]))));
    ::sigwaitinfo(&ends, nullptr);
}
