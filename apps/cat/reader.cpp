// Opens each file, walks its slices, and hands them over.
#include "reader.hpp"

#include "common/program.hpp"

#include <leat/cache/slice_stream.hpp>

#include <spdlog/fmt/fmt.h>

#include <exception>

namespace leat::cat {

namespace {

/// Says that no more comes, whatever ends the reader.
class finishing {
public:
    explicit finishing(hand_over& queue) noexcept : queue_(queue) {}
    finishing(const finishing&) = delete;
    finishing& operator=(const finishing&) = delete;
    ~finishing() { queue_.finish(); }

private:
    hand_over& queue_;
};

/// What went wrong with a file, for its user.
std::string explain(const system_error& failure) {
    const std::string reason = apps::describe(failure.code());
    if (failure.where().doing == activity::open) return reason;
    return fmt::format("at offset {}: {}", failure.where().offset, reason);
}

}  // namespace

task<> reader::read_all() {
    const finishing at_end{queue_};
    for (const std::string& path : given_.files) {
        if (queue_.closed()) break;
        std::exception_ptr failure;
        try {
            co_await read_file(path);
        } catch (...) {
            failure = std::current_exception();
        }
        // What fails after the taker has gone fails because everything is being stopped.
        if (failure && !queue_.closed()) failed(path, failure);
    }
}

task<> reader::read_file(std::string path) {
    const file opened = co_await manager_.open(path);
    if (given_.offset > opened.size()) {
        apps::complain(program_name,
                       fmt::format("{}: offset {} lies beyond its end: it has {} bytes", path,
                                   given_.offset, opened.size()));
        outcome_ = apps::both(outcome_, apps::exit_code::out_of_range);
        co_return;
    }
    slice_stream pieces = manager_.slices(opened, given_.offset, given_.length);
    for (;;) {
        const bool wanted = co_await queue_.room();
        if (!wanted) co_return;
        slice piece = co_await pieces.next();
        if (!piece) co_return;
        queue_.put(std::move(piece));
    }
}

void reader::failed(const std::string& path, const std::exception_ptr& failure) {
    apps::exit_code code = apps::exit_code::several;
    std::string text;
    try {
        std::rethrow_exception(failure);
    } catch (const system_error& error) {
        code = apps::exit_code_of(error.code());
        text = explain(error);
    } catch (const std::exception& error) {
        text = error.what();
    }
    apps::complain(program_name, path + ": " + text);
    outcome_ = apps::both(outcome_, code);
}

}  // namespace leat::cat
