// An error that says what failed and where, small enough to travel between shards.
#pragma once

#include <leat/io/error.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>

namespace leat {

/// What leat was doing when something failed.
enum class activity : std::uint8_t {
    none,
    open,
    get_chunk,
    read,
    send_range,
    sleep,
    socket,
    task,
    start,
    stop,
    join,
    operation,
    asio,
    semaphore,
    mutex,
    event,
    queue,
    offload
};

[[nodiscard]] const char* to_string(activity what) noexcept;

/// Where something failed. Trivially copyable: it travels in messages between shards.
struct where {
    activity doing = activity::none;
    std::array<char, 71> name{};  ///< the file's name, its end if it is longer; "" if unknown
    std::uint64_t file = 0;       ///< the file_id's number, 0 if unknown
    std::uint64_t offset = 0;     ///< bytes from the start of the file
    std::uint64_t size = 0;       ///< bytes asked for

    void set_name(std::string_view full) noexcept;
};
static_assert(std::is_trivially_copyable_v<where>);

/// An error code and where it arose; the error type of boost::system::result in leat.
struct error {
    boost::system::error_code code;
    leat::where where{};
};

/// What leat throws. what() names the operation, the file, offset and size, and the reason.
class system_error : public boost::system::system_error {
public:
    explicit system_error(const error& cause);
    [[nodiscard]] const leat::where& where() const noexcept { return where_; }
    [[nodiscard]] leat::error cause() const noexcept { return {code(), where_}; }

private:
    leat::where where_;
};

/// What was done, e.g. `get_chunk "film.mkv" offset 10485760 size 4096`.
[[nodiscard]] std::string to_string(const where& at);

/// One sentence, e.g. `get_chunk "film.mkv" offset 10485760 size 4096: Input/output error`.
/// system_error::what() gives it with the code in brackets behind: ` [system:5]`.
[[nodiscard]] std::string to_string(const error& cause);

/// What an exception says: the cause of a leat::system_error, any system_error's code, ENOMEM for
/// std::bad_alloc, else errc::unhandled_exception. `thrown` is not empty.
[[nodiscard]] error error_of(const std::exception_ptr& thrown) noexcept;

/// A value, or an error with its place.
template <class T>
using result = boost::system::result<T, error>;

/// Lets result<T>::value() throw a leat::system_error.
[[noreturn]] void throw_exception_from_error(const error& cause, const boost::source_location&);

}  // namespace leat
