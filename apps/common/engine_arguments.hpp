// The engine's options as every program of leat spells them.
#pragma once

#include <leat/engine/options.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

namespace leat::apps {

/// All policies, as --policy takes them.
[[nodiscard]] std::string names_of_policies(std::string_view separator);

/// Adds `--shards --cpus --no-pin --memory --memory-pressure --touch-memory --chunk-size --policy
/// --backend --threads --spin --stop-timeout --no-huge-pages --no-register` to `app`. Parsing
/// writes what was given to `options`, which must outlive it, and leaves the rest; the present
/// values are shown by --help as defaults. A value that cannot be read throws CLI::ValidationError,
/// which names it and what is allowed; whether the machine allows it the engine finds out.
void add_engine_arguments(CLI::App& app, engine_options& options);

}  // namespace leat::apps
