// Values of options: sizes and times with their units.
#pragma once

#include <leat/io/time_span.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <type_traits>

namespace leat::apps {

/// Adds an option whose value leat::parse_size reads into `bytes`: "4096", "10M", "10MB".
CLI::Option* add_size(CLI::App& app,
                      const std::string& name,
                      std::uint64_t& bytes,
                      const std::string& description);

/// Reads a time: a number with the unit us, ms, s or min; 0 needs none. Throws
/// CLI::ValidationError, which says so and names `option`.
[[nodiscard]] std::chrono::microseconds parse_time(const std::string& option,
                                                   const std::string& text);

/// Adds an option whose value parse_time reads; `time` is a time_span, or any duration of
/// std::chrono of at least a microsecond.
template <class Duration>
CLI::Option* add_time(CLI::App& app,
                      const std::string& name,
                      Duration& time,
                      const std::string& description) {
    return app
        .add_option_function<std::string>(
            name,
            [name, &time](const std::string& text) {
                const std::chrono::microseconds given = parse_time(name, text);
                if constexpr (std::is_same_v<Duration, time_span>) {
                    time = given;
                } else {
                    time = std::chrono::duration_cast<Duration>(given);
                }
            },
            description)
        ->type_name("TIME");
}

/// The units of sizes and times, for the footer of --help.
[[nodiscard]] const char* units_text() noexcept;

}  // namespace leat::apps
