// Reads options from a TOML file and the environment, and tells where each came from.
#include "common/settings.hpp"

#include "common/config_file.hpp"
#include "common/messages.hpp"
#include "common/nearest.hpp"
#include "common/program.hpp"
#include "common/utf8.hpp"

#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <system_error>

namespace leat::apps {

namespace {

constexpr std::string_view prefix = "LEAT_";

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char one) { return std::tolower(one); });
    return text;
}

std::string variable_of(const std::string& name) {
    std::string variable{prefix};
    for (const char one : name)
        variable +=
            one == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(one)));
    return variable;
}

bool is_flag(const CLI::Option& option) {
    return option.get_expected_max() == 0;
}

/// The name without dashes, of a positional argument in lower case; empty for one that has a short
/// name only.
std::string name_of(const CLI::Option& option) {
    if (!option.get_lnames().empty()) return option.get_lnames().front();
    return option.get_positional() ? lower(option.get_name(true)) : std::string{};
}

/// What is no setting: it says what the program is to do now.
bool is_action(const std::string& name) {
    static const std::set<std::string> actions{"help", "version", "print-config", "config"};
    return actions.contains(name);
}

std::string in_quotes(std::string_view text) {
    std::string result{'"'};
    for (const char one : text) {
        if (one == '"' || one == '\\') result += '\\';
        if (static_cast<unsigned char>(one) < 0x20 || one == 0x7f) {
            std::array<char, 8> code{};
            std::snprintf(code.data(), code.size(), "\\u%04X", static_cast<unsigned>(one));
            result += code.data();
        } else {
            result += one;
        }
    }
    return result += '"';
}

bool is_whole_number(std::string_view text) {
    return !text.empty() && text.size() < 19 && (text == "0" || text.front() != '0') &&
           std::ranges::all_of(text, [](unsigned char one) { return std::isdigit(one) != 0; });
}

/// A field of HTTP whose value is nobody's business: its name stays.
std::string without_secret(const std::string& value) {
    const std::size_t colon = value.find(':');
    if (colon == std::string::npos) return value;
    const std::string name = lower(value.substr(0, colon));
    constexpr std::array<std::string_view, 6> secret{"auth", "cookie",   "token",
                                                     "key",  "password", "secret"};
    const auto within = [&](std::string_view one) { return name.find(one) != std::string::npos; };
    return std::ranges::any_of(secret, within) ? value.substr(0, colon) + ": ***" : value;
}

[[noreturn]] void throw_usage(const std::string& text) {
    throw CLI::ConfigError(text);
}

}  // namespace

settings::settings(CLI::App& app) : app_(app) {
    app.add_option(
           "--config", config_,
           "Read options from this TOML file, too: `open-files = 500`\nis --open-files 500. "
           "The environment (LEAT_OPEN_FILES)\ncounts before it, and the command line before "
           "both")
        ->type_name("FILE");
    app.add_flag(
        "--print-config", print_,
        "Print each option's value and where it came from, as a file\nfor --config, and exit");
}

const CLI::Option* settings::find(const std::string& name) const {
    if (const CLI::Option* const option = app_.get_option_no_throw("--" + name)) return option;
    for (const CLI::Option* const option : app_.get_options()) {
        if (option->get_positional() && name_of(*option) == name) return option;
    }
    return nullptr;
}

std::string settings::nearest(const std::string& name, std::size_t most) const {
    std::string best;
    for (const CLI::Option* const option : app_.get_options()) {
        const std::string known = name_of(*option);
        if (known.empty() || is_action(known)) continue;
        const std::size_t far = distance(name, known);
        if (far < most || (far == most && best.empty())) {
            best = known;
            most = far;
        }
    }
    return best;
}

settings::given_by_option settings::from_command_line(int argc, char** argv) const {
    given_by_option found;
    for (int at = 1; at < argc; ++at) {
        const std::string_view word{argv[at]};
        if (word == "--") break;
        if (!word.starts_with("--")) continue;
        const std::string name{word.substr(2, word.find('=') - 2)};
        if (const CLI::Option* const option = find(name)) found[option].origin = "command line";
    }
    return found;
}

settings::given_by_option settings::from_environment() const {
    given_by_option found;
    for (char** variable = ::environ; *variable != nullptr; ++variable) {
        const std::string_view text{*variable};
        const std::size_t equals = text.find('=');
        if (!text.starts_with(prefix) || equals == text.npos || equals + 1 == text.size()) continue;
        const std::string variable_name{text.substr(0, equals)};
        std::string name = lower(variable_name.substr(prefix.size()));
        std::ranges::replace(name, '_', '-');
        if (is_action(name)) continue;
        if (const CLI::Option* const option = find(name)) {
            found[option] = {{std::string{text.substr(equals + 1)}}, variable_name};
        } else if (const std::string meant =
                       nearest(name, std::min<std::size_t>(2, name.size() / 3));
                   !meant.empty()) {
            complain(app_.get_name(),
                     variable_name + " is no option; is " + variable_of(meant) + " meant?");
        }
    }
    return found;
}

settings::given_by_option settings::from_file(const std::string& path) const {
    // Folders open as files do, and a device may have no end.
    constexpr std::size_t most = 1 << 20;
    std::ifstream file{path};
    std::error_code unknown;
    if (!file || std::filesystem::is_directory(path, unknown))
        throw_usage("--config: " + path + " cannot be read");
    std::string text(most + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > most) throw_usage("--config: " + path + " has more than 1 MiB");
    given_by_option found;
    for (config_value& one : parse_config(text, path)) {
        const CLI::Option* const option = is_action(one.name) ? nullptr : find(one.name);
        if (option == nullptr) {
            const std::string meant = nearest(lower(one.name), one.name.size());
            throw_usage(one.place + ": there is no option " + one.name +
                        (meant.empty() ? "" : "; the nearest is " + meant));
        }
        for (const std::string& value : one.values) {
            // On the command line it would be no value, but the next word one.
            if (value.empty()) throw_usage(one.place + ": " + one.name + " is empty");
            if (value.find('\0') != std::string::npos)
                throw_usage(one.place + ": " + one.name + " has a zero byte");
        }
        found[option] = {std::move(one.values), std::move(one.place)};
    }
    return found;
}

std::string settings::origin_in(const std::string& message) const {
    for (const auto& [option, one] : given_) {
        if (one.origin == "command line") continue;
        const std::string name = name_of(*option);
        const std::size_t at = message.find("--" + name);
        const std::size_t end = at + 2 + name.size();
        const bool whole =
            at != std::string::npos &&
            (end >= message.size() || (std::isalnum(message[end]) == 0 && message[end] != '-'));
        if (whole || (option->get_positional() && message.starts_with(option->get_name(true))))
            return " (" + one.origin + ')';
    }
    return {};
}

std::optional<exit_code> settings::parse(int argc, char** argv) {
    std::vector<std::string> words;
    try {
        given_ = from_command_line(argc, argv);
        // What --help and --version ask for needs no file.
        for (const char* const name : {"--help", "--version"}) {
            if (given_.contains(app_.get_option_no_throw(name)))
                return apps::parse(app_, argc, argv);
        }
        const char* const by_environment = std::getenv("LEAT_CONFIG");
        if (by_environment != nullptr) config_ = by_environment;
        for (int at = 1; at < argc; ++at) {
            const std::string_view word{argv[at]};
            if (word.starts_with("--config=")) config_ = word.substr(9);
            if (word == "--config" && at + 1 < argc) config_ = argv[at + 1];
        }
        given_.merge(from_environment());
        if (!config_.empty()) given_.merge(from_file(config_));
        for (const auto& [option, one] : given_) {
            const std::string name = name_of(*option);
            for (const std::string& value : one.values) {
                if (option->get_positional()) {
                    continue;  // behind all options, below
                } else if (!is_flag(*option)) {
                    words.push_back("--" + name + '=' + value);
                } else if (value == "true" || value == "1") {
                    words.push_back("--" + name);
                } else if (value == "false" || value == "0") {
                    if (app_.get_option_no_throw("--no-" + name) == option)
                        words.push_back("--no-" + name);
                } else {
                    throw_usage("--" + name + ": \"" + value + "\" is neither true nor false");
                }
            }
        }
    } catch (const CLI::ParseError& wrong) {
        complain(app_.get_name(), std::string{wrong.what()} + " (see --help)");
        return exit_code::usage;
    }
    words.insert(words.end(), argv + 1, argv + argc);
    for (CLI::Option* const option : app_.get_options()) {
        if (option->get_required()) {
            required_ = option;
            option->required(false);  // until it is clear that it is nowhere
        }
    }
    const auto origin = [this](const std::string& message) { return origin_in(message); };
    if (const auto ended = apps::parse(app_, std::move(words), origin)) return ended;
    if (const auto failed = take_positional()) return failed;
    if (!print_) return std::nullopt;
    print();
    return exit_code::success;
}

std::optional<exit_code> settings::take_positional() {
    if (required_ == nullptr) return std::nullopt;
    if (required_->count() != 0) {
        given_[required_].origin = "command line";
        return std::nullopt;
    }
    const auto found = given_.find(required_);
    try {
        if (found == given_.end()) {
            if (print_) return std::nullopt;
            throw CLI::RequiredError(required_->get_name(true));
        }
        required_->add_result(found->second.values);
        required_->run_callback();
    } catch (const CLI::ParseError& wrong) {
        complain(app_.get_name(),
                 std::string{wrong.what()} + origin_in(wrong.what()) + " (see --help)");
        return exit_code::usage;
    }
    return std::nullopt;
}

void settings::print() const {
    for (const CLI::Option* const option : app_.get_options()) {
        const std::string name = name_of(*option);
        if (name.empty() || is_action(name)) continue;
        std::vector<std::string> values =
            option->count() > 0 ? option->reduced_results() : std::vector<std::string>{};
        const bool by_default = values.empty();
        if (by_default && is_flag(*option)) values.emplace_back("false");
        if (by_default && !option->get_default_str().empty())
            values.push_back(option->get_default_str());
        const auto found = given_.find(option);
        const std::string origin = found == given_.end() ? "default" : found->second.origin;
        std::string text;
        for (std::string value : values) {
            if (name == "header") value = without_secret(value);
            if (!text.empty()) text += ", ";
            const bool plain = is_flag(*option) || is_whole_number(value);
            text += plain ? value : in_quotes(value);
        }
        if (values.size() > 1 ||
            option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll)
            text = '[' + text + ']';
        // What has no default is not to be set to anything by this file, and what is no UTF-8
        // cannot be.
        const std::string shown = utf8(text);
        const char* const unset = text.empty() || shown != text ? "# " : "";
        std::printf("%s%s = %s  # %s\n", unset, name.c_str(), shown.c_str(), origin.c_str());
    }
}

}  // namespace leat::apps
