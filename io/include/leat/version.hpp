// The version of the headers in use, and of the library that was loaded.
#pragma once

#define LEAT_VERSION_MAJOR 0
#define LEAT_VERSION_MINOR 1
#define LEAT_VERSION_PATCH 0
#define LEAT_VERSION "0.1.0"

namespace leat {

/// The version of the library that runs, such as "0.1.0". It differs from LEAT_VERSION, which the
/// program was compiled with, where another libleat.so was installed since. Any thread.
///
///     if (std::string_view{leat::library_version()} != LEAT_VERSION)
///         std::puts("compiled with another version of leat than is installed");
[[nodiscard]] const char* library_version() noexcept;

}  // namespace leat
