// The name that is meant where one is misspelt.
#pragma once

#include <CLI/CLI.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace leat::apps {

/// How many letters have to be changed, put in or taken out to make one of the other.
[[nodiscard]] std::size_t distance(std::string_view one, std::string_view other);

/// The long option of a program that is nearest to `name`, both without dashes; empty if none has
/// anything in common with it.
[[nodiscard]] std::string nearest_option(const CLI::App& app, std::string_view name);

}  // namespace leat::apps
