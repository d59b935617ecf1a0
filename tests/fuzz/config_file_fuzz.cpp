// Configuration files: any text is read, or refused with a sentence that names the line.
#include "common/config_file.hpp"
#include "input.hpp"

#include <CLI/CLI.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

using leat::test::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    try {
        for (const auto& one : leat::apps::parse_config(text, "file"))
            require(one.place.starts_with("file, line "), "a value without its line");
    } catch (const CLI::ConfigError& refused) {
        const std::string_view what{refused.what()};
        require(what.starts_with("file, line "), "a fault without its line");
    }
    return 0;
}
