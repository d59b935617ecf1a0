// Opens what a server needs.
#include "site.hpp"

#include "arguments.hpp"
#include "common/messages.hpp"
#include "service_manager.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace leat::serve {

namespace {

// Descriptors of the engine, the listeners, the log and the standard streams, and a reserve.
constexpr std::uint64_t other_descriptors = 128;

/// Raises the limit of descriptors as far as it goes, and keeps connections and open files within
/// it.
void fit_descriptors(server_options& options, unsigned shards) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const std::uint64_t all = limit.rlim_cur == RLIM_INFINITY ? ~std::uint64_t{0} : limit.rlim_cur;
    const std::uint64_t left = all - std::min(all / 2, other_descriptors);
    // At most a quarter is for files: those who wait for a file need a connection first.
    const std::uint64_t files = std::max<std::uint64_t>(1, left / 4 / shards);
    options.open_files = std::min(options.open_files, files);
    const std::uint64_t connections =
        std::max<std::uint64_t>(1, left - options.open_files * shards);
    if (options.max_connections == 0) {
        options.max_connections = std::min(connections, default_connections);
    } else if (options.max_connections > connections) {
        throw std::runtime_error("--max-connections " + std::to_string(options.max_connections) +
                                 ": at most " + std::to_string(connections) +
                                 ", since the process may have " + std::to_string(all) +
                                 " descriptors (ulimit -n)");
    }
}

/// Throws std::runtime_error with a sentence that begins with the option.
listener listen(const std::string& option,
                const std::string& address,
                unsigned shards,
                std::optional<::mode_t> mode = {}) try {
    return {address, shards, mode};
} catch (const std::runtime_error& failure) {
    throw std::runtime_error(option + ' ' + failure.what());
}

std::string normal_of(const std::string& option, const std::string& address) try {
    return listener::normal(address);
} catch (const std::runtime_error& failure) {
    throw std::runtime_error(option + ' ' + failure.what());
}

/// Throws std::runtime_error, as above, where an address is given that another one is, too.
void refuse_twice(const server_options& options) {
    std::set<std::string> given;
    const auto add = [&given](const char* option, const std::string& address) {
        const std::string normal = normal_of(option, address);
        if (normal.ends_with(":0")) return;  // whichever is free
        if (!given.insert(normal).second)
            throw std::runtime_error(option + (' ' + address) + ": this address is given twice");
    };
    for (const std::string& address : options.listen) add("--listen", address);
    if (!options.admin.empty() && options.admin != "none") add("--admin", options.admin);
}

/// Throws std::runtime_error, as above.
std::unique_ptr<password_check> read_passwords(const std::string& path) try {
    return std::make_unique<password_check>(path);
} catch (const std::exception& failure) {
    const std::string what = failure.what();
    const bool named = what.find(path) != std::string::npos;
    throw std::runtime_error("--password-file " + (named ? what : path + ", " + what));
}

/// The default address may be another server's: that one has the status page, then.
void listen_for_administrators(site& made) {
    const std::string& asked = made.options.admin;
    if (asked == "none") return;
    try {
        made.admin.emplace(
            listen("--admin", asked.empty() ? default_admin : asked, 1, made.options.admin_mode));
    } catch (const std::runtime_error& failure) {
        if (!asked.empty()) throw;
        apps::complain(program_name, std::string{"no status page: "} + failure.what());
    }
}

}  // namespace

std::unique_ptr<site> make_site(server_options options, unsigned shards) {
    auto made = std::make_unique<site>();
    made->servers.resize(shards);
    fit_descriptors(options, shards);
    for (const std::string& line : options.headers) static_cast<void>(made->fields.add(line));
    if (!options.tls_certificate.empty())
        made->tls = std::make_unique<tls_keys>(options.tls_certificate, options.tls_key);
    if (!options.password_file.empty()) made->passwords = read_passwords(options.password_file);
    for (const int passed : passed_sockets()) made->listeners.emplace_back(passed, shards);
    // Sockets of the service manager are in place of those of the options.
    if (made->listeners.empty()) {
        refuse_twice(options);
        for (const std::string& address : options.listen)
            made->listeners.push_back(listen("--listen", address, shards));
    }
    if (!options.access_log.empty())
        made->log = std::make_unique<access_log>(options.access_log, options.format, shards);
    if (options.max_connections_per_address == 0)
        options.max_connections_per_address =
            std::max<std::uint64_t>(1, options.max_connections / 4 * 3);
    made->limits = std::make_unique<connection_limits>(options.max_connections,
                                                       options.max_connections_per_address);
    made->options = std::move(options);
    listen_for_administrators(*made);
    return made;
}

}  // namespace leat::serve
