// What the tests of engine share: options, work that calls a function, and the code of an error.
#pragma once

#include "leftovers.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/sleep.hpp>

#include <chrono>
#include <functional>
#include <utility>

namespace leat::test {

/// Options of an engine whose memory nobody needs.
[[nodiscard]] inline engine_options options_of(
    unsigned shards, io::backend_kind kind = io::backend_kind::automatic) {
    return small_engine(shards, shards * 128 * KiB, 64 * KiB, kind);
}

/// Work that calls a function; kept in place while it is queued.
struct call : detail::work {
    explicit call(std::function<void()> function_)
        : detail::work(&invoke), function(std::move(function_)) {}
    static void invoke(detail::work& item) noexcept { static_cast<call&>(item).function(); }
    std::function<void()> function;
};

[[nodiscard]] inline task<> nap(time_span time) {
    co_await leat::sleep(time);
}

/// The code of the error that ends `job`, if one does.
[[nodiscard]] inline task<boost::system::error_code> code_of(task<> job) {
    boost::system::error_code code;
    task<> running = std::move(job);
    try {
        co_await std::move(running);
    } catch (const system_error& failure) {
        code = failure.code();
    }
    co_return code;
}

/// The code of the system_error that function() throws, if it does.
template <class Function>
[[nodiscard]] boost::system::error_code code_thrown_by(Function function) {
    try {
        function();
    } catch (const boost::system::system_error& failure) {
        return failure.code();
    }
    return {};
}

}  // namespace leat::test
