// The options of leat-serve, how they are read, and what is wrong with them.
#include "arguments.hpp"

#include "common/engine_arguments.hpp"
#include "common/program.hpp"
#include "common/settings.hpp"
#include "common/values.hpp"
#include "http/extra_fields.hpp"
#include "http/text.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <utility>

namespace leat::serve {

namespace {

constexpr const char* description =
    R"(Serves the files below ROOT over HTTP/1.1: whole, by ranges, with everything that browsers,
players and download programs ask for. What is asked for often is answered from memory, the rest is
read with io_uring past the page cache. It keeps to its memory, whatever is asked for.)";

constexpr const char* examples =
    R"(  leat-serve /srv/media                       on http://127.0.0.1:8080, for this machine only
  leat-serve --listen 0.0.0.0:80 --list /srv/media
                                              for everyone, with pages that list the folders
  leat-serve --memory 8G --shards 4 --access-log access.log --header 'Cache-Control: max-age=60' .
  leat-serve --listen '[::]:443' --tls-certificate site.pem --tls-key site.key /srv/media
  leat-serve --config /etc/leat-serve.toml --print-config

Signals: TERM and INT finish the answers under way and end, a second one ends at once; HUP opens the
log and the TLS files again.
)";

// Only a machine with too much to do keeps the shards from their loops so long.
constexpr std::chrono::seconds stall{1};

// Requests come by interrupts: a longer spin costs more CPU than it saves.
constexpr std::chrono::microseconds spin{5};

CLI::Option* add_count(CLI::App& app,
                       const std::string& name,
                       std::uint64_t& count,
                       std::uint64_t least,
                       const std::string& text) {
    return app.add_option(name, count, text)
        ->check(CLI::Range(least, std::uint64_t{1} << 40).description(""))
        ->type_name("N")
        ->capture_default_str();
}

template <class Value>
void add_choice(CLI::App& app,
                const std::string& name,
                Value& value,
                const std::map<std::string, Value>& values,
                const std::string& text) {
    std::string all;
    std::string preset;
    for (const auto& [word, one] : values) {
        all += (all.empty() ? "" : "|") + word;
        if (one == value) preset = word;
    }
    const auto read = [name, &value, values, all](const std::string& word) {
        const auto found = values.find(word);
        if (found == values.end())
            throw CLI::ValidationError(name, '"' + word + "\" is not one of " + all);
        value = found->second;
    };
    app.add_option_function<std::string>(name, read, text)->type_name(all)->default_str(preset);
}

/// Permissions in octal digits.
std::uint32_t mode_of(const std::string& text) {
    std::uint32_t mode = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, wrong] = std::from_chars(text.data(), end, mode, 8);
    if (wrong != std::errc{} || stopped != end || mode > 0777)
        throw CLI::ValidationError("--admin-mode",
                                   '"' + text + "\" is no mode; expected such as 600 or 660");
    return mode;
}

std::string time_text(std::chrono::nanoseconds time) {
    return std::to_string(time / std::chrono::seconds{1}) + "s";
}

void add_duration(CLI::App& app,
                  const std::string& name,
                  std::chrono::nanoseconds& time,
                  const std::string& text) {
    apps::add_time(app, name, time, text)->default_str(time_text(time));
}

void add_content_options(CLI::App& app, server_options& given) {
    app.add_option("ROOT", given.root, "The folder whose files are served")
        ->required()
        ->type_name("");
    app.add_option(
           "--listen", given.listen,
           "Where to listen: ADDRESS:PORT, [ADDRESS]:PORT or\nunix:PATH; may be given several "
           "times")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false)  // ROOT may follow
        ->type_name("ADDRESS")
        ->default_str(given.listen.front());
    app.add_option("--admin", given.admin,
                   "Where the status page, /metrics and the like are:\n"
                   "ADDRESS:PORT, unix:PATH or none")
        ->type_name("ADDRESS")
        ->default_str(default_admin);
    app.add_option_function<std::string>(
           "--admin-mode", [&given](const std::string& text) { given.admin_mode = mode_of(text); },
           "Permissions of the path of --admin unix:PATH, such\nas 660")
        ->type_name("MODE")
        ->default_str("600");
    app.add_option("--index", given.index, "The file that answers for a folder, where there is one")
        ->type_name("NAME")
        ->capture_default_str();
    app.add_flag("--list", given.list, "Answer for other folders by a page that lists them");
    app.add_flag("--dotfiles", given.dotfiles, "Serve names that begin with a dot, too");
    app.add_option(
           "--header", given.headers,
           "A field of every answer with a file, such as\n'Cache-Control: max-age=60'; may be "
           "given several times")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false)
        ->type_name("FIELD");
    add_choice<etag_kind>(
        app, "--etag", given.etag,
        {{"version", etag_kind::version}, {"size-mtime", etag_kind::size_mtime}},
        "What entity tags are made of: size-mtime is the same\nfor copies on several "
        "machines");
    app.add_flag("--cache-status", given.cache_status,
                 "Tell in the field Cache-Status whether memory had it\n(RFC 9211)");
    add_choice<zero_copy_use>(app, "--zero-copy", given.zero_copy,
                              {{"auto", zero_copy_use::automatic},
                               {"on", zero_copy_use::on},
                               {"off", zero_copy_use::off}},
                              "Send large pieces without a copy; auto does so to\nother machines");
}

void add_access_options(CLI::App& app, server_options& given) {
    app.add_option("--tls-certificate", given.tls_certificate,
                   "Speak TLS with this certificate and its chain, in PEM\nform; read again at HUP")
        ->type_name("FILE");
    app.add_option("--tls-key", given.tls_key, "Its key, if it is not in the same file")
        ->type_name("FILE");
    app.add_option("--password-file", given.password_file,
                   "Ask for a name and a password of this file, made by\nhtpasswd -B")
        ->type_name("FILE");
    app.add_option("--realm", given.realm, "What the browser says that the password is for")
        ->type_name("TEXT")
        ->capture_default_str();
    app.add_flag(
        "--proxy-protocol", given.proxy_protocol,
        "Expect the PROXY protocol, version 2, before each\nconnection, and take the address "
        "from it");
    app.add_option(
           "--access-log", given.access_log,
           "Write a line for each request to this file, or to\nstandard output (-); opened again "
           "at HUP")
        ->type_name("FILE");
    add_choice<log_format>(app, "--log-format", given.format,
                           {{"combined", log_format::combined}, {"json", log_format::json}},
                           "How a line of the log looks");
}

void add_limits(CLI::App& app, server_options& given) {
    app.option_defaults()->group("Limits");
    add_count(
        app, "--max-connections", given.max_connections, 1,
        "Connections at once; further ones are told to try\nagain (503); by default 20,000, or as "
        "many as\nulimit -n leaves")
        ->default_str("");
    add_count(app, "--max-connections-per-address", given.max_connections_per_address, 0,
              "Of one address, or one network of 64 bits; 0: three\nquarters of --max-connections");
    add_count(app, "--max-requests", given.max_requests, 1, "Requests of one connection");
    add_count(app, "--max-ranges", given.max_ranges, 1,
              "Ranges of one request; if there are more, the answer\nis the whole file");
    apps::add_size(app, "--max-head", given.max_head, "Size of a request's head");
    add_duration(app, "--head-timeout", given.head_timeout, "How long a request's head may take");
    add_duration(app, "--idle-timeout", given.idle_timeout,
                 "How long a connection may be without a request");
    add_duration(app, "--send-timeout", given.send_timeout,
                 "How long a peer may take nothing of its answer");
    apps::add_size(app, "--rate", given.rate, "Bytes a second of one connection")->default_str("");
    add_count(app, "--open-files", given.open_files, 1, "Open files that a shard keeps");
    add_duration(app, "--drain-timeout", given.drain_timeout,
                 "How long to wait for answers under way when ending");
    app.option_defaults()->group("Options");
}

/// What is wrong with options that are right by themselves; empty: nothing.
std::string fault(const server_options& given) {
    if (!given.tls_key.empty() && given.tls_certificate.empty())
        return "--tls-key is given without --tls-certificate";
    if (given.max_head < 256 || given.max_head > MiB)
        return "--max-head is " + format_size(given.max_head) + ", and is to be from 256 to 1M";
    if (given.index.find('/') != std::string::npos || given.index == "." || given.index == "..")
        return "--index is \"" + given.index + "\", and is to be a name without a slash";
    const std::pair<const char*, std::chrono::nanoseconds> times[] = {
        {"--head-timeout", given.head_timeout},
        {"--idle-timeout", given.idle_timeout},
        {"--send-timeout", given.send_timeout}};
    for (const auto& [name, time] : times) {
        if (time == std::chrono::nanoseconds{})
            return name + std::string{" is 0, which would end every connection at once"};
    }
    // It stands in quotes, in a field of an answer.
    const auto ends_quotes = [](char one) {
        return http::is_control(one) || one == '"' || one == '\\';
    };
    if (std::any_of(given.realm.begin(), given.realm.end(), ends_quotes))
        return "--realm has a quote, a backslash or a control character";
    http::extra_fields fields;
    for (const std::string& line : given.headers) {
        const std::string wrong = fields.add(line);
        if (!wrong.empty()) return "--header \"" + line + "\": " + wrong;
    }
    return {};
}

}  // namespace

std::variant<server_options, apps::exit_code> parse_arguments(int argc, char** argv) {
    server_options given;
    given.engine.stall = stall;
    given.engine.spin = spin;
    const auto app = apps::make_app(program_name, description, examples);
    add_content_options(*app, given);
    add_access_options(*app, given);
    apps::settings settings{*app};
    add_limits(*app, given);
    apps::add_engine_arguments(*app, given.engine);
    if (const auto ended = settings.parse(argc, argv)) return *ended;
    if (const std::string wrong = fault(given); !wrong.empty()) {
        apps::complain(program_name, wrong + " (see --help)");
        return apps::exit_code::usage;
    }
    return given;
}

}  // namespace leat::serve
