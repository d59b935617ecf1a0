// leat-cat: writes files through the cache to standard output.
#include "arguments.hpp"
#include "common/interruption.hpp"
#include "common/program.hpp"
#include "common/progress_bar.hpp"
#include "common/record_argument.hpp"
#include "expected_bytes.hpp"
#include "hand_over.hpp"
#include "output.hpp"
#include "reader.hpp"
#include "report.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/engine/engine.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <optional>

namespace leat::cat {

namespace {

using std::chrono::steady_clock;

// Slices that wait for standard output; those that fill ahead of them are slice_stream's.
constexpr std::size_t queued_slices = 2;

// Standard output may block for as long as it likes, and its slices keep their chunks meanwhile.
constexpr std::chrono::hours pin_deadline{24 * 365};

/// Waits until the output has ended, drawing progress, or a signal came; returns its number or 0.
int watch(const arguments& given, const apps::interruption& signals, const output& out) {
    std::optional<apps::progress_bar> bar;
    if (given.show_progress()) bar.emplace(expected_bytes(given), steady_clock::now());
    const int period = bar ? static_cast<int>(apps::progress_bar::period.count()) : -1;
    for (;;) {
        std::array<pollfd, 2> waits{pollfd{signals.descriptor(), POLLIN, 0},
                                    pollfd{out.ended(), POLLIN, 0}};
        const int ready = ::poll(waits.data(), waits.size(), period);
        if (bar) bar->update(out.written(), steady_clock::now());
        if (ready <= 0) continue;
        if (const int signal = signals.take()) return signal;
        if (waits[1].revents != 0) return 0;
    }
}

void print_statistics(const arguments& given, const report& all) {
    if (given.stats.empty()) return;
    const std::string text = given.stats == "json" ? all.json() : all.text();
    std::fputs(text.c_str(), stderr);
}

/// The exit code of a failure of standard output.
apps::exit_code output_failed(int error) {
    apps::complain(program_name, std::string{"standard output: "} + std::strerror(error));
    return apps::exit_code::several;
}

apps::exit_code run(const arguments& given, const apps::interruption& signals) {
    engine cores{given.engine};
    chunk_manager manager{cores, file_source{}, {.pin_deadline = pin_deadline}};
    cores.start();
    std::optional<recording> tape;
    apps::begin_recording(tape, manager, given.record);

    hand_over queue{queued_slices};
    output out{STDOUT_FILENO, queue};
    reader files{given, manager, queue};
    const steady_clock::time_point start = steady_clock::now();
    auto reading = cores.spawn_on(0, files.read_all());

    int signal = watch(given, signals, out);
    report all;
    all.duration = steady_clock::now() - start;
    signals.let_through();
    queue.close();
    auto gathering = cores.spawn_on(0, apps::gather(manager));
    cores.stop();
    const stop_report stopped = cores.join();
    all.bytes = out.written();
    if (tape) all.recorded = tape->stop();
    if (!stopped.code) {
        reading.get();
        all.engine = gathering.get();
        print_statistics(given, all);
    }
    if (signal == 0 && out.error() == EPIPE && signals.pipe_ends()) signal = SIGPIPE;
    // The output may still be blocked; the signal ends it, too.
    if (signal != 0) signals.raise_again(signal);
    const apps::exit_code outcome = files.outcome();
    return out.error() == 0 ? outcome : apps::both(outcome, output_failed(out.error()));
}

}  // namespace

}  // namespace leat::cat

int main(int argc, char** argv) {
    using namespace leat;
    apps::exit_code code = apps::exit_code::several;
    try {
        auto parsed = cat::parse_arguments(argc, argv);
        if (const auto* const ended = std::get_if<apps::exit_code>(&parsed)) {
            return static_cast<int>(*ended);
        }
        auto& given = std::get<cat::arguments>(parsed);
        if (::fcntl(STDOUT_FILENO, F_GETFD) < 0) {
            apps::complain(cat::program_name, "standard output is closed");
            return static_cast<int>(code);
        }
        apps::keep_standard_streams();
        given.engine.on_event = [](const event& happened) {
            // What makes no difference to the output is in the statistics.
            if (happened.severity == event::level::warning) {
                apps::complain(cat::program_name, happened.text);
            }
        };
        const apps::interruption signals;
        code = cat::run(given, signals);
    } catch (...) {
        code = apps::fail(cat::program_name, std::current_exception());
    }
    return static_cast<int>(code);
}
