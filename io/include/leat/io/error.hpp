// Error codes of the category "leat". The system's errors stay in the system category.
#pragma once

#include <boost/system/error_code.hpp>

#include <type_traits>

namespace leat {

/// What can go wrong besides the system's own errors.
enum class errc {
    out_of_range = 1,    ///< offset + size lies beyond the end of the file, or size is 0
    crosses_chunk,       ///< the request does not lie inside one chunk
    all_pinned,          ///< every chunk is pinned, and was until the deadline
    no_buffer,           ///< no buffer is free at the moment, though not all are pinned
    file_changed,        ///< the file's version differs from the one that was opened
    closed,              ///< no open file has this id
    not_regular,         ///< neither a regular file nor a block device
    cancelled,           ///< a stop was requested through the caller's stop token
    timed_out,           ///< the caller's deadline passed
    stopped,             ///< the engine is stopping or has stopped
    no_backend,          ///< the requested backend is not available here
    budget_too_small,    ///< the memory is too small for two chunks on each shard
    short_read,          ///< a source returned fewer bytes than the file has there
    bad_answer,          ///< a source says that it returned more bytes than were asked for
    invalid_option,      ///< the value of an option is not allowed
    unhandled_exception  ///< a task on another shard ended with an exception without a code
};

/// The category of errc; its name is "leat". Thread-safe, lives for ever.
[[nodiscard]] const boost::system::error_category& error_category() noexcept;

[[nodiscard]] inline boost::system::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

/// The system's error `number` (an errno, positive) as an error code.
[[nodiscard]] inline boost::system::error_code system_error_code(int number) noexcept {
    return {number, boost::system::system_category()};
}

}  // namespace leat

template <>
struct boost::system::is_error_code_enum<leat::errc> : std::true_type {};
