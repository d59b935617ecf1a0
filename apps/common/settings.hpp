// Options from the command line, the environment and a file, in that order.
#pragma once

#include "common/exit_code.hpp"

#include <CLI/CLI.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace leat::apps {

/// Gives every long option of a program two more homes besides its command line: `--open-files 500`
/// may stand as the variable LEAT_OPEN_FILES=500 in the environment, and as `open-files = 500` in
/// the TOML file that --config or LEAT_CONFIG names. The command line counts before the
/// environment, and that before the file: an option that is given in one is not looked for in the
/// next, also one that may be given several times.
///
/// In the file a table is the beginning of names (`[access]` and below it `log = "-"` are
/// --access-log), a list gives an option several times, and true and false stand for a flag that is
/// given or not, `--no-NAME` where there is one. The positional argument is called as it is in
/// --help, in lower case: `root`, LEAT_ROOT. What is no option there is an error that names the
/// nearest one. In the environment it is only mentioned, and only where it looks like an option
/// misspelt: other variables may begin with LEAT_, too.
///
///     const auto app = apps::make_app(name, description, examples);
///     apps::settings settings{*app};
///     add_options(*app, given);
///     if (const auto ended = settings.parse(argc, argv)) return *ended;
class settings {
public:
    /// Adds `--config FILE` and `--print-config`. `app` must outlive this.
    explicit settings(CLI::App& app);
    settings(const settings&) = delete;
    settings& operator=(const settings&) = delete;

    /// As apps::parse, of all three. With --print-config it ends with success after printing, as a
    /// file for --config, each option's value and behind it where that came from. The values of
    /// headers that are secrets by their name (Authorization, cookies, tokens, keys) are not shown.
    [[nodiscard]] std::optional<exit_code> parse(int argc, char** argv);

private:
    struct given {
        std::vector<std::string> values;  ///< of a flag: "true"
        std::string origin;               ///< "command line", "LEAT_MEMORY", "serve.toml, line 3"
    };
    using given_by_option = std::map<const CLI::Option*, given>;

    [[nodiscard]] const CLI::Option* find(const std::string& name) const;
    [[nodiscard]] std::string nearest(const std::string& name, std::size_t most) const;
    [[nodiscard]] given_by_option from_command_line(int argc, char** argv) const;
    [[nodiscard]] given_by_option from_environment() const;
    [[nodiscard]] given_by_option from_file(const std::string& path) const;
    [[nodiscard]] std::string origin_in(const std::string& message) const;
    [[nodiscard]] std::optional<exit_code> take_positional();
    void print() const;

    CLI::App& app_;
    std::string config_;
    bool print_ = false;
    CLI::Option* required_ = nullptr;  ///< the positional argument, if there has to be one
    given_by_option given_;
};

}  // namespace leat::apps
