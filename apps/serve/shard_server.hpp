// One shard's part of the server: its listeners, its connections, its open files.
#pragma once

#include "authenticator.hpp"
#include "connection.hpp"
#include "folder_pages.hpp"
#include "open_files.hpp"
#include "serve_counters.hpp"
#include "shard_report.hpp"
#include "site.hpp"

#include <leat/engine/asio/tcp_acceptor.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/task.hpp>

#include <boost/intrusive/list.hpp>

#include <list>
#include <memory>
#include <vector>

namespace leat::serve {

/// Made, used and destroyed on its shard.
class shard_server {
public:
    /// Takes the shard's sockets of the site's listeners. `shared` must outlive it.
    explicit shard_server(site& shared);
    shard_server(const shard_server&) = delete;
    shard_server& operator=(const shard_server&) = delete;

    /// Accepts until drain(), and serves until a stop request.
    [[nodiscard]] task<> run();
    /// Accepts no more, ends the connections on which nothing is asked, and the others after their
    /// answers.
    void drain();
    [[nodiscard]] bool draining() const noexcept { return draining_; }

    [[nodiscard]] site& shared() const noexcept { return site_; }
    [[nodiscard]] chunk_manager& manager() const noexcept { return *site_.manager; }
    [[nodiscard]] open_files& files() noexcept { return files_; }
    /// As folder_pages::find, of the shard that has this folder's pages: one for all shards.
    [[nodiscard]] task<folder_pages::found> page_of(std::string path, bool wanted);
    [[nodiscard]] authenticator* passwords() noexcept { return passwords_.get(); }
    [[nodiscard]] serve_counters& counters() noexcept { return counters_; }
    /// Connections that were turned away and have not ended yet.
    [[nodiscard]] unsigned& leaving() noexcept { return leaving_; }
    /// For what a task needs between two waits.
    [[nodiscard]] std::vector<char>& scratch() noexcept { return scratch_; }
    /// What it does, with at most `most` connections and files. Looks at each connection and each
    /// open file once: 20,000 take about a millisecond.
    [[nodiscard]] shard_report report(std::size_t most) const;
    /// A request is over: counts and logs it.
    void record(const request_record& over);

private:
    [[nodiscard]] task<> accept_from(tcp_acceptor& acceptor, scope& connections);
    [[nodiscard]] task<> serve(tcp_stream socket);
    /// Has each connection heed what its peer acknowledges, several times in its patience.
    [[nodiscard]] task<> watch_progress();

    site& site_;
    open_files files_;
    folder_pages pages_;
    std::unique_ptr<authenticator> passwords_;
    serve_counters counters_;
    std::vector<char> scratch_;
    std::list<tcp_acceptor> acceptors_;
    boost::intrusive::list<connection, boost::intrusive::constant_time_size<false>> connections_;
    unsigned leaving_ = 0;
    bool draining_ = false;
};

}  // namespace leat::serve
