// leat-serve: serves the files of a folder over HTTP.
#include "admin/admin_server.hpp"
#include "arguments.hpp"
#include "common/interruption.hpp"
#include "common/program.hpp"
#include "root_source.hpp"
#include "service_manager.hpp"
#include "shard_server.hpp"
#include "site.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/engine/engine.hpp>
#include <leat/engine/per_shard.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

namespace leat::serve {

namespace {

using std::chrono::steady_clock;

void say(const std::string& text) {
    apps::complain(program_name, text);
}

/// Reads again what may change while the server runs.
void reload(site& shared) {
    notify_reloading();
    if (shared.log) {
        if (const std::string failed = shared.log->reopen(); !failed.empty())
            say(failed + "; the former file is written on");
    }
    if (shared.tls) {
        if (const std::string failed = shared.tls->reload(); !failed.empty())
            say(failed + "; the former certificate stays");
    }
    notify("READY=1");
}

task<> run(per_shard<shard_server>& servers) {
    co_await servers.local().run();
}

task<> drain(per_shard<shard_server>& servers) {
    servers.local().drain();
    co_return;
}

/// Lets answers under way come to their end, until a second signal or the end of patience, which it
/// gives.
steady_clock::time_point drain_all(engine& cores,
                                   per_shard<shard_server>& servers,
                                   site& shared,
                                   const apps::interruption& signals) {
    shared.draining = true;
    notify("STOPPING=1");
    const auto give_up = steady_clock::now() + shared.options.drain_timeout;
    for (unsigned shard = 0; shard < cores.shards(); ++shard)
        cores.spawn_on(shard, drain(servers)).get();
    constexpr std::chrono::milliseconds period{20};
    std::uint64_t left = shared.limits->count();
    if (left != 0) say("finishing the answers of " + std::to_string(left) + " connections");
    while (left != 0 && steady_clock::now() < give_up) {
        pollfd wait{signals.descriptor(), POLLIN, 0};
        ::poll(&wait, 1, static_cast<int>(period.count()));
        const int signal = signals.take();
        if (signal == SIGTERM || signal == SIGINT) break;
        left = shared.limits->count();
    }
    if (left != 0)
        say("ended " + std::to_string(left) + " connections before their answers were whole");
    return give_up;
}

/// Writes the rest of the log, if anybody reads it.
void end_log(access_log& log, steady_clock::time_point give_up) {
    constexpr std::chrono::milliseconds least{100};
    const std::uint64_t before = log.failed();
    log.end(std::max(give_up, steady_clock::now() + least));
    const std::uint64_t lost = log.failed() - before;
    if (lost != 0) say("the last " + std::to_string(lost) + " lines of the log were not taken");
}

void announce(const site& shared, const engine& cores) {
    std::string text = "serving " + shared.options.root + " on";
    const char* separator = " ";
    for (const listener& one : shared.listeners) {
        const char* const scheme = shared.tls ? "https://" : "http://";
        text += separator + (one.is_unix() ? one.address() : scheme + one.address() + '/');
        separator = ", ";
    }
    text += " with " + std::to_string(cores.shards()) +
            (cores.shards() == 1 ? " shard and " : " shards and ") + format_size(cores.memory());
    if (shared.admin) {
        const listener& admin = *shared.admin;
        text += "; status page on ";
        text += admin.is_unix() ? admin.address() : "http://" + admin.address() + '/';
    }
    say(text);
}

apps::exit_code run(server_options given, const apps::interruption& signals) {
    root_source root{given.root};
    engine cores{given.engine};
    given.engine = cores.options();
    const std::unique_ptr<site> shared = make_site(std::move(given), cores.shards());
    chunk_manager manager{cores, std::move(root)};
    shared->manager = &manager;
    cores.start();
    per_shard<shard_server> servers{cores, std::ref(*shared)};
    for (unsigned shard = 0; shard < cores.shards(); ++shard) cores.spawn_on(shard, run(servers));
    std::optional<admin_server> admin;
    if (shared->admin) {
        admin.emplace(*shared->admin, running_server{cores, *shared, servers},
                      [] { ::kill(::getpid(), SIGTERM); });
    }
    announce(*shared, cores);
    notify("READY=1");
    for (int signal = signals.wait(); signal == SIGHUP; signal = signals.wait()) reload(*shared);
    const auto give_up = drain_all(cores, servers, *shared, signals);
    admin.reset();
    signals.let_through();
    cores.stop();
    const stop_report stopped = cores.join();
    if (shared->log) end_log(*shared->log, give_up);
    if (!stopped.code) return apps::exit_code::success;
    say("ended without waiting any longer: " + stopped.owed);
    // Threads may hang in calls of a file system that does not answer, and would be waited for in
    // vain. Only the paths of sockets are not to stay behind.
    shared->listeners.clear();
    shared->admin.reset();
    std::_Exit(static_cast<int>(apps::exit_code::several));
}

}  // namespace

}  // namespace leat::serve

int main(int argc, char** argv) {
    using namespace leat;
    apps::keep_standard_streams();
    apps::exit_code code = apps::exit_code::several;
    try {
        auto parsed = serve::parse_arguments(argc, argv);
        if (const auto* const ended = std::get_if<apps::exit_code>(&parsed))
            return static_cast<int>(*ended);
        auto& given = std::get<serve::server_options>(parsed);
        given.engine.on_event = [](const event& happened) {
            if (happened.severity == event::level::warning)
                apps::complain(serve::program_name, happened.text);
        };
        const apps::interruption signals;
        code = serve::run(std::move(given), signals);
    } catch (...) {
        code = apps::fail(serve::program_name, std::current_exception());
    }
    return static_cast<int>(code);
}
