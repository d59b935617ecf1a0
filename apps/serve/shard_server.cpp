// Accepts connections and keeps account of them.
#include "shard_server.hpp"

#include <leat/engine/resume_on.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_scope.hpp>

#include <boost/asio/as_tuple.hpp>

#include <algorithm>
#include <functional>
#include <new>
#include <utility>

namespace leat::serve {

shard_server::shard_server(site& shared)
    : site_(shared),
      files_(*shared.manager, shared.types, shared.options.etag, shared.options.open_files),
      pages_(shared.options, shared.pages, shared.helpers),
      scratch_(shared.options.max_head) {
    site_.servers[this_shard().index()] = this;
    if (shared.passwords) passwords_ = std::make_unique<authenticator>(*shared.passwords);
    for (listener& one : shared.listeners) {
        tcp_acceptor& made = acceptors_.emplace_back(shard_executor::current());
        made.assign(boost::asio::ip::tcp::v4(), one.take(this_shard().index()));
    }
}

task<> shard_server::run() {
    const auto body = [this](scope& connections) -> task<> {
        for (tcp_acceptor& acceptor : acceptors_) {
            task<> accepting = accept_from(acceptor, connections);
            accepting.set_name("listener");
            connections.spawn(std::move(accepting));
        }
        connections.spawn(watch_progress());
        connections.spawn(pages_.run());
        co_return;
    };
    co_await with_scope(body);
}

task<> shard_server::watch_progress() {
    using namespace std::chrono_literals;
    constexpr std::uint64_t at_once = 256;
    const auto period = std::max<time_span>(site_.options.send_timeout / 4, 10ms);
    for (;;) {
        co_await leat::sleep(period);
        // Those that come or go meanwhile do no harm: each is looked at once or twice, or has just
        // begun.
        for (std::uint64_t left = counters_.connections; left != 0 && !connections_.empty();
             --left) {
            connection& next = connections_.front();
            connections_.splice(connections_.end(), connections_, connections_.begin());
            next.heed_progress();
            if (left % at_once == 0) co_await yield{};
        }
    }
}

task<folder_pages::found> shard_server::page_of(std::string path, bool wanted) {
    const std::vector<shard_server*>& all = site_.servers;
    const auto home = static_cast<unsigned>(std::hash<std::string>{}(path) % all.size());
    co_await resume_on(home);
    co_return co_await all[home]->pages_.find(std::move(path), wanted);
}

task<> shard_server::accept_from(tcp_acceptor& acceptor, scope& connections) {
    while (!draining_) {
        auto accepted = co_await acceptor.async_accept(boost::asio::as_tuple(use_task));
        if (draining_) break;
        bool failed = bool(std::get<0>(accepted));
        try {
            if (!failed) connections.spawn(serve(std::move(std::get<1>(accepted))));
        } catch (const std::bad_alloc&) {
            failed = true;
        }
        // Descriptors and memory come back when others go. Throws when a stop is requested.
        if (failed) co_await leat::sleep(std::chrono::milliseconds{10});
    }
}

task<> shard_server::serve(tcp_stream socket) {
    connection one{*this, std::move(socket)};
    task_name name{one.peer().endpoint()};
    co_await name;
    connections_.push_back(one);
    ++counters_.accepted;
    ++counters_.connections;
    co_await one.serve();
    --counters_.connections;
    connections_.erase(connections_.iterator_to(one));
}

void shard_server::drain() {
    draining_ = true;
    for (tcp_acceptor& one : acceptors_) one.close();
    for (connection& one : connections_) one.end_if_idle();
}

void shard_server::record(const request_record& over) {
    ++counters_.answers[over.status / 100 < counters_.answers.size() ? over.status / 100 : 0];
    counters_.body_bytes += over.bytes;
    counters_.count_time(over.took);
    if (site_.log) site_.log->write(this_shard().index(), over);
}

}  // namespace leat::serve
