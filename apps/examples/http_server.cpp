// Serves a file and its byte ranges on 127.0.0.1, from every core: http_server FILE PORT [MEMORY].
#include "common/accept_each.hpp"
#include "common/http_peer.hpp"

#include <leat/asio.hpp>

namespace apps = leat::apps;
using boost::beast::http::status;
using namespace std::chrono_literals;
apps::draining answers;

struct server {  // one a shard
    // Gives the error, if any. Where it has left the stream open, nothing has gone out.
    leat::task<boost::system::error_code> send(leat::tcp_stream& peer, apps::file_answer what) try {
        co_await leat::send_range(peer, manager, what.of, what.first, what.length,
                                  {.head = boost::asio::buffer(what.head), .patience = 1min});
        co_return boost::system::error_code{};
    } catch (const boost::system::system_error& failure) {
        co_return failure.code();
    }
    leat::task<> serve(leat::tcp_stream peer) try {
        boost::beast::flat_buffer buffer;
        for (bool goes_on = true; goes_on && !answers.begun();) {
            apps::http_request request;
            const status heard = co_await apps::read_head(peer, buffer, request, 1min);
            if (heard == status::unknown) co_return;
            const apps::draining::part one{answers};
            const apps::file_answer answer = apps::answer_to(request, heard, file);
            const boost::system::error_code failed = co_await send(peer, answer);
            if (failed && peer.is_open())
                co_await send(peer, apps::refusal(apps::status_of(failed)));
            if (failed == leat::errc::file_changed) file = co_await manager.open(file.name());
            goes_on = answer.goes_on && !failed;
        }
        co_await apps::close_in_stages(peer);
    } catch (const std::exception&) {  // the end of this connection, not of others
    }
    leat::task<> listen(const char* path, std::uint16_t port) {
        file = co_await manager.open(path);
        leat::tcp_acceptor acceptor{leat::shard_executor::current(), {{}, port}, true};
        const auto each = [this](leat::tcp_stream peer) { return serve(std::move(peer)); };
        co_await apps::accept_each(acceptor, answers, each);
    }
    leat::chunk_manager& manager;
    leat::file file{};
};
int main(int count, char** arguments) {
    sigset_t ends{};
    ::sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    leat::engine engine{{.memory = leat::parse_size(count > 3 ? arguments[3] : "0").value(),
                         .on_event = [](const leat::event& one) { std::puts(one.text.c_str()); }}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    std::vector<server> servers(engine.shards(), server{manager});
    const auto port = std::uint16_t(std::atoi(arguments[2]));
    for (unsigned shard = 0; shard < engine.shards(); ++shard)
        engine.spawn_on(shard, servers[shard].listen(arguments[1], port));
    ::sigwaitinfo(&ends, nullptr);
    answers.finish_within(5s);
    engine.stop();
    engine.join();  // the connections use what dies now
}
