// --record, of every program that serves through a manager, and what came of it.
#pragma once

#include <leat/cache/recording.hpp>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace leat::apps {

/// Adds `--record FILE`. Parsing writes what was given to `path`, which must outlive `app`; it
/// stays empty where nothing is to be recorded.
void add_record_argument(CLI::App& app, std::string& path);

/// Records the requests of `manager` if `path` is not empty. Throws as leat::recording does.
void begin_recording(std::optional<recording>& into,
                     chunk_manager& manager,
                     const std::string& path);

/// For people, without the end of a line.
[[nodiscard]] std::string text_of(const recording_summary& told);
/// requests, lost, bytes, and error where there is one.
[[nodiscard]] boost::json::object json_of(const recording_summary& told);

}  // namespace leat::apps
