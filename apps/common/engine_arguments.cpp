// Registers the engine's options with the command line and checks what they say.
#include "common/engine_arguments.hpp"

#include "common/values.hpp"

#include <string>

namespace leat::apps {

namespace {

void add_cpus(CLI::App& app, engine_options& options) {
    const auto read = [&options](const std::string& text) {
        auto cpus = parse_cpu_list(text);
        if (!cpus) {
            throw CLI::ValidationError(
                "--cpus",
                '"' + text + "\" is not a CPU list; expected numbers and ranges, such as 0-3,8");
        }
        options.cpus = std::move(*cpus);
    };
    app.add_option_function<std::string>("--cpus", read, "CPUs to pin the shards to, in order")
        ->type_name("LIST");
}

void add_backend(CLI::App& app, engine_options& options) {
    const auto read = [&options](const std::string& text) {
        if (text == "auto") {
            options.backend.kind = io::backend_kind::automatic;
        } else if (text == "uring") {
            options.backend.kind = io::backend_kind::uring;
        } else if (text == "thread") {
            options.backend.kind = io::backend_kind::thread;
        } else {
            throw CLI::ValidationError(
                "--backend", '"' + text + "\" is not a backend; expected auto, uring or thread");
        }
    };
    app.add_option_function<std::string>(
           "--backend", read,
           "How files are read; auto uses io_uring, or threads where\nthat is not available")
        ->type_name("auto|uring|thread")
        ->default_str("auto");
}

void add_policy(CLI::App& app, engine_options& options) {
    const auto read = [&options](const std::string& text) {
        const auto policy = parse_cache_policy(text);
        if (!policy) {
            throw CLI::ValidationError(
                "--policy",
                '"' + text + "\" is no policy; expected one of " + names_of_policies(", "));
        }
        options.policy = *policy;
    };
    app.add_option_function<std::string>(
           "--policy", read, "Which chunks go when the memory is full; see docs/policy.md")
        ->type_name(names_of_policies("|"))
        ->default_str(std::string{name_of(options.policy)});
}

}  // namespace

std::string names_of_policies(std::string_view separator) {
    std::string names;
    for (const cache_policy one : cache_policies) {
        if (!names.empty()) names += separator;
        names += name_of(one);
    }
    return names;
}

void add_engine_arguments(CLI::App& app, engine_options& options) {
    app.option_defaults()->group("Engine");
    app.add_option("--shards", options.shards,
                   "Shards, each a thread; if there are as many as CPUs, each is\npinned to one")
        ->check(CLI::Range(1, 1024).description(""))
        ->type_name("N");
    add_cpus(app, options);
    app.add_flag_callback(
        "--no-pin", [&options] { options.pin = false; },
        "Do not pin shards; there may then be more of them than CPUs");
    add_size(app, "--memory", options.memory, "Memory for the cache, for all shards together");
    app.add_flag_callback(
        "--memory-pressure", [&options] { options.memory_pressure = true; },
        "Give memory back while the kernel is short of it");
    app.add_flag_callback(
        "--touch-memory", [&options] { options.touch_memory = true; },
        "Take all memory at the start, so that no request waits for\nthe kernel to clear pages");
    add_size(app, "--chunk-size", options.chunk_size,
             "Size of a chunk: a multiple of 64 KiB, at most 1 GiB");
    add_policy(app, options);
    add_backend(app, options);
    app.add_option("--threads", options.backend.threads,
                   "Threads per shard that read files without io_uring")
        ->check(CLI::Range(1, 256).description(""))
        ->type_name("N")
        ->capture_default_str();
    add_time(app, "--spin", options.spin, "How long an idle shard spins before it sleeps")
        ->default_str(std::to_string(options.spin.nanoseconds() / std::chrono::microseconds{1}) +
                      "us");
    add_time(app, "--stop-timeout", options.stop_timeout,
             "How long to wait for the device when stopping")
        ->default_str(
            std::to_string(options.stop_timeout.nanoseconds() / std::chrono::milliseconds{1}) +
            "ms");
    app.add_flag_callback(
        "--no-huge-pages", [&options] { options.huge_pages = false; }, "Use pages of 4 KiB");
    app.add_flag_callback(
        "--no-register", [&options] { options.register_buffers = false; },
        "Do not register buffers with the kernel");
    app.option_defaults()->group("Options");
}

}  // namespace leat::apps
