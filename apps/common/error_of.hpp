// The error of a task as a value.
#pragma once

#include <leat/engine/task.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace leat::apps {

/// Awaits `job` and gives the error that it threw, or none: for those who go on to wait after an
/// error, which a handler of exceptions cannot. Throws what is no boost::system::system_error.
[[nodiscard]] inline task<boost::system::error_code> error_of(task<> job) try {
    co_await std::move(job);
    co_return boost::system::error_code{};
} catch (const boost::system::system_error& failure) {
    co_return failure.code();
}

}  // namespace leat::apps
