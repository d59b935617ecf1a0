// Help, version, parsing and the last resort for exceptions.
#include "common/program.hpp"

#include "common/nearest.hpp"
#include "common/values.hpp"

#include <leat/io/error.hpp>
#include <leat/version.hpp>

#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>

namespace leat::apps {

namespace {

/// Shows flags without the values they stand for.
class help_formatter : public CLI::Formatter {
public:
    std::string make_option_name(const CLI::Option* option, bool positional) const override {
        std::string name = CLI::Formatter::make_option_name(option, positional);
        for (auto open = name.find('{'); open != std::string::npos; open = name.find('{')) {
            name.erase(open, name.find('}', open) - open + 1);
        }
        return name;
    }
};

/// What Boost's system_error says, without the number of the error.
std::string_view sentence(const char* what) {
    const std::string_view all{what};
    return all.ends_with(']') ? all.substr(0, all.rfind(" [")) : all;
}

/// What is wrong with words that are no options, and in no place for others.
std::string unexpected(const CLI::App& app, const std::string& otherwise) {
    for (const std::string& word : app.remaining()) {
        if (!word.starts_with('-')) continue;
        const std::string given = word.substr(0, word.find('='));
        const std::string name = given.substr(std::min(given.find_first_not_of('-'), given.size()));
        const std::string meant = nearest_option(app, name);
        return "there is no option " + given + (meant.empty() ? "" : "; the nearest is --" + meant);
    }
    return otherwise;
}

}  // namespace

void keep_standard_streams() noexcept {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(stream, F_GETFD) >= 0) continue;
        // The lowest number is taken: this one, as those below it are open.
        static_cast<void>(::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY));
    }
}

std::unique_ptr<CLI::App> make_app(const std::string& name,
                                   const std::string& description,
                                   const std::string& examples) {
    auto app = std::make_unique<CLI::App>(description + '\n', name);
    app->formatter(std::make_shared<help_formatter>());
    // CLI11 takes --flag=value for a number, and says of others no more than "stoll".
    app->option_defaults()
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->disable_flag_override();
    app->set_version_flag("--version", name + ' ' + library_version(),
                          "Print the version and exit");
    app->set_help_flag("-h,--help", "Print this help and exit");
    app->footer("Examples:\n" + examples + '\n' + units_text() + '\n' + exit_code_table());
    return app;
}

std::optional<exit_code> parse(CLI::App& app, int argc, char** argv) {
    return parse(app, std::vector<std::string>{argv + 1, argv + argc},
                 [](const std::string&) { return std::string{}; });
}

std::optional<exit_code> parse(CLI::App& app,
                               std::vector<std::string> words,
                               const std::function<std::string(const std::string&)>& origin) {
    try {
        std::ranges::reverse(words);  // as CLI11 wants them
        app.parse(std::move(words));
    } catch (const CLI::ParseError& ending) {
        if (ending.get_exit_code() == 0) {
            app.exit(ending);  // prints what --help or --version ask for
            return exit_code::success;
        }
        std::string text = ending.what();
        if (dynamic_cast<const CLI::ExtrasError*>(&ending) != nullptr) text = unexpected(app, text);
        constexpr std::string_view unwanted_value = " was given a disallowed flag override";
        if (text.ends_with(unwanted_value))
            text = "--" + text.substr(0, text.size() - unwanted_value.size()) + " takes no value";
        complain(app.get_name(), text + origin(text) + " (see --help)");
        return exit_code::usage;
    }
    return std::nullopt;
}

std::string describe(const boost::system::error_code& error) {
    if (error == system_error_code(EMFILE)) {
        return error.message() + "; ulimit -n says how many this process may have";
    }
    if (error == system_error_code(EISDIR)) {
        return error.message() + "; only regular files and block devices can be read";
    }
    return error.message();
}

exit_code fail(std::string_view program, const std::exception_ptr& failure) noexcept {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        const std::string message = error.code().message();
        std::string text{sentence(error.what())};
        if (text.ends_with(message)) {
            text.replace(text.size() - message.size(), message.size(), describe(error.code()));
        }
        complain(program, text);
        return exit_code_of(error.code());
    } catch (const std::bad_alloc&) {
        complain(program, "out of memory");
    } catch (const std::exception& error) {
        complain(program, error.what());
    } catch (...) {
        complain(program, "an exception of unknown type");
    }
    return exit_code::several;
}

}  // namespace leat::apps
