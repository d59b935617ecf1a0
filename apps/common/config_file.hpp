// Options in a TOML file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace leat::apps {

/// An option as a file has it.
struct config_value {
    std::string name;                 ///< with those of its tables before it: "tls-certificate"
    std::vector<std::string> values;  ///< several of a list; "true" and "false" of a flag
    std::string place;                ///< "serve.toml, line 3"
};

/// Reads all of a file's text; `path` is for what is said of it. Values are texts, numbers, true,
/// false, and lists of those. Throws CLI::ConfigError with a sentence that names the line.
[[nodiscard]] std::vector<config_value> parse_config(std::string_view text,
                                                     const std::string& path);

}  // namespace leat::apps
