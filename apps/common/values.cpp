// Parses and formats sizes and times with their units.
#include "common/values.hpp"

#include <leat/engine/options.hpp>

#include <charconv>
#include <limits>
#include <string_view>

namespace leat::apps {

CLI::Option* add_size(CLI::App& app,
                      const std::string& name,
                      std::uint64_t& bytes,
                      const std::string& description) {
    const auto read = [name, &bytes](const std::string& text) {
        const auto value = parse_size(text);
        if (!value) {
            throw CLI::ValidationError(
                name, '"' + text +
                          "\" is not a size; expected a whole number of bytes below 2^64, or one "
                          "with a unit, such as 4096, 64K, 10MiB or 10MB");
        }
        bytes = *value;
    };
    CLI::Option* const option = app.add_option_function<std::string>(name, read, description);
    option->type_name("SIZE");
    if (bytes != 0) option->default_str(format_size(bytes));
    return option;
}

std::chrono::microseconds parse_time(const std::string& option, const std::string& text) {
    std::int64_t count = 0;
    const char* const begin = text.data();
    const auto [end, failure] = std::from_chars(begin, begin + text.size(), count);
    const std::string_view unit =
        std::string_view{text}.substr(static_cast<std::size_t>(end - begin));
    std::int64_t scale = 0;
    if (unit == "us") scale = 1;
    if (unit == "ms") scale = 1000;
    if (unit == "s") scale = 1'000'000;
    if (unit == "min") scale = 60'000'000;
    if (unit.empty() && count == 0) scale = 1;
    // Nanoseconds are to hold it, too.
    constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max() / 1000;
    if (failure != std::errc{} || count < 0 || scale == 0 || count > largest / scale) {
        throw CLI::ValidationError(
            option, '"' + text +
                        "\" is not a time; expected a whole number with a unit (us, ms, s or "
                        "min), such as 100us or 10s");
    }
    return std::chrono::microseconds{count * scale};
}

const char* units_text() noexcept {
    return R"(Units:
  SIZE  a number of bytes; K, M, G, T, P or KiB, MiB ... multiply by powers of 1024, KB, MB ... by
        powers of 1000
  TIME  a number with one of us, ms, s, min
  LIST  CPU numbers, such as 0-3,8
)";
}

}  // namespace leat::apps
