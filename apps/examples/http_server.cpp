// Serves a file over HTTP on 127.0.0.1, from every core:
// http_server FILE PORT [MEMORY [CHUNK_SIZE [SECONDS_OF_PATIENCE]]].
#include "common/accept_each.hpp"
#include "common/http_peer.hpp"
#include "common/interruption.hpp"

#include <leat/asio.hpp>

namespace apps = leat::apps;
namespace http = leat::http;
struct server {  // one a shard
    leat::chunk_manager& manager;
    leat::file file;
    std::uint16_t port;
    std::chrono::seconds patience;  // with a peer that says nothing, or takes nothing
    leat::tcp_acceptor acceptor = apps::listen_on(port);
    leat::task<> serve(leat::tcp_stream peer) try {
        boost::beast::flat_buffer received;
        http::request_parser parser;
        std::array<char, http::least_buffer> buffer;
        for (bool goes_on = true; goes_on;) {
            const bool heard = co_await apps::read_head(peer, received, parser, patience);
            if (!heard) break;
            const http::file_facts facts{file.size(), http::validators_of(file.version(), true)};
            const auto answer =
                http::answer_file(parser.head(), facts, {}, http::present(), buffer);
            const auto failed = co_await apps::send_answer(peer, manager, file, answer, patience);
            if (failed == leat::errc::file_changed) file = co_await manager.open(file.name());
            goes_on = answer.keep_alive && !failed;
        }
        co_await apps::close_in_stages(peer);
    } catch (const std::exception&) {  // the end of this connection, not of others
    }
};
leat::task<> listen(leat::per_shard<server>& servers) {
    server& here = servers.local();
    const auto each = [&here](leat::tcp_stream peer) { return here.serve(std::move(peer)); };
    co_await apps::accept_each(here.acceptor, each);
}
int main(int count, char** words) try {
    const auto word = [&](int at, const char* or_else) { return count > at ? words[at] : or_else; };
    const apps::interruption signals;
    leat::engine engine{{.memory = leat::parse_size(word(3, "0")).value(),
                         .chunk_size = leat::parse_size(word(4, "10M")).value(),
                         .on_event = [](const leat::event& one) { std::puts(one.text.c_str()); }}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    leat::per_shard<server> servers{engine, std::ref(manager),
                                    engine.run(manager.open(word(1, ""))), std::stoi(word(2, "")),
                                    std::chrono::seconds{std::stoi(word(5, "60"))}};
    for (unsigned shard = 0; shard < engine.shards(); ++shard)
        engine.spawn_on(shard, listen(servers));
    signals.wait();
    engine.stop();
    engine.join();  // before the manager dies, which the connections use
} catch (const std::exception& failure) {
    std::fprintf(stderr, "http_server: %s\n", failure.what());
    return 1;
}
