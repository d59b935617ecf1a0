// Reads TOML.
#include "common/config_file.hpp"

#include <CLI/CLI.hpp>

#include <toml++/toml.h>

#include <sstream>
#include <utility>

namespace leat::apps {

namespace {

/// The values of a TOML node, as they would stand on the command line.
void collect(const toml::node& node, std::vector<std::string>& values, const std::string& place) {
    if (const auto* const list = node.as_array()) {
        for (const toml::node& one : *list) collect(one, values, place);
    } else if (const auto* const text = node.as_string()) {
        values.push_back(text->get());
    } else if (node.is_integer() || node.is_floating_point()) {
        std::ostringstream number;
        node.visit([&number](const auto& one) {
            if constexpr (toml::is_number<decltype(one)>) number << one.get();
        });
        values.push_back(number.str());
    } else if (const auto* const flag = node.as_boolean()) {
        values.emplace_back(flag->get() ? "true" : "false");
    } else {
        throw CLI::ConfigError(
            place + ": a value is to be a text, a number, true, false or a list of those");
    }
}

/// Adds each value of a table, with the tables' names before its own.
void walk(const toml::table& table,
          const std::string& before,
          const std::string& path,
          std::vector<config_value>& found) {
    for (const auto& [key, node] : table) {
        config_value one;
        one.name = before + std::string{key.str()};
        one.place = path + ", line " + std::to_string(key.source().begin.line);
        if (const auto* const inner = node.as_table()) {
            walk(*inner, one.name + '-', path, found);
            continue;
        }
        collect(node, one.values, one.place);
        found.push_back(std::move(one));
    }
}

}  // namespace

std::vector<config_value> parse_config(std::string_view text, const std::string& path) {
    std::vector<config_value> found;
    try {
        walk(toml::parse(text, path), "", path, found);
    } catch (const toml::parse_error& wrong) {
        throw CLI::ConfigError(path + ", line " + std::to_string(wrong.source().begin.line) + ": " +
                               std::string{wrong.description()});
    }
    return found;
}

}  // namespace leat::apps
