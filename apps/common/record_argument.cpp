// Registers --record, and tells what was recorded as text and as JSON.
#include "common/record_argument.hpp"

#include <leat/engine/options.hpp>

#include <spdlog/fmt/fmt.h>

namespace leat::apps {

void add_record_argument(CLI::App& app, std::string& path) {
    app.add_option("--record", path,
                   "Record what is asked of the cache in this file, for\nleat-bench replay")
        ->check([](const std::string& given) {
            return given.empty() ? std::string{"the name of a file is needed"} : std::string{};
        })
        ->type_name("FILE");
}

void begin_recording(std::optional<recording>& into,
                     chunk_manager& manager,
                     const std::string& path) {
    if (!path.empty()) into.emplace(manager, path);
}

std::string text_of(const recording_summary& told) {
    std::string text =
        fmt::format("{} requests, {} lost, {}", told.requests, told.lost, format_size(told.bytes));
    if (told.error) text += fmt::format("; ended by {}", told.error.message());
    return text;
}

boost::json::object json_of(const recording_summary& told) {
    boost::json::object all{
        {"requests", told.requests}, {"lost", told.lost}, {"bytes", told.bytes}};
    if (told.error) all["error"] = told.error.message();
    return all;
}

}  // namespace leat::apps
