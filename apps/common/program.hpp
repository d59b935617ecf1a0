// What the main function of every program does alike.
#pragma once

#include "common/exit_code.hpp"
#include "common/messages.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::apps {

/// Takes the places of standard streams that are closed, so that no other file gets them, into
/// which complaints would be written then. Reading and writing them fails as before. To be called
/// before anything is opened that stays open.
void keep_standard_streams() noexcept;

/// A program's CLI::App with what all of them have in --help: `description` above the options, the
/// examples, the units and the exit codes below them; and with --version. Of an
/// option given twice the last value counts, unless the option says otherwise.
[[nodiscard]] std::unique_ptr<CLI::App> make_app(const std::string& name,
                                                 const std::string& description,
                                                 const std::string& examples);

/// Parses the command line. Returns the exit code if the program is to end: after --help and
/// --version (success), or after a fault in the arguments, which it prints to standard error.
[[nodiscard]] std::optional<exit_code> parse(CLI::App& app, int argc, char** argv);

/// As above, of words without the program's name. `origin` is given what is wrong, and gives what
/// to say behind it of where that came from.
[[nodiscard]] std::optional<exit_code> parse(
    CLI::App& app,
    std::vector<std::string> words,
    const std::function<std::string(const std::string&)>& origin);

/// What `error` says, with advice where there is any.
[[nodiscard]] std::string describe(const boost::system::error_code& error);

/// The exit code of what was thrown, after complaining about it. For `catch (...)` in main.
[[nodiscard]] exit_code fail(std::string_view program, const std::exception_ptr& failure) noexcept;

}  // namespace leat::apps
