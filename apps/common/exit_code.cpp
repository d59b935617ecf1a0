// The table of exit codes, and which error ends a program with which.
#include "common/exit_code.hpp"

#include <leat/io/error.hpp>

#include <cerrno>

namespace leat::apps {

namespace {

exit_code of_leat(errc code) noexcept {
    switch (code) {
        case errc::out_of_range:
        case errc::crosses_chunk:
            return exit_code::out_of_range;
        case errc::invalid_option:
        case errc::budget_too_small:
            return exit_code::usage;
        case errc::no_backend:
            return exit_code::no_backend;
        default:
            return exit_code::read_error;
    }
}

exit_code of_system(int number) noexcept {
    switch (number) {
        case ENOENT:
        case ENOTDIR:
        case ENAMETOOLONG:
            return exit_code::not_found;
        case EACCES:
        case EPERM:
            return exit_code::not_permitted;
        default:
            return exit_code::read_error;
    }
}

}  // namespace

exit_code exit_code_of(const boost::system::error_code& error) noexcept {
    if (!error) return exit_code::success;
    if (error.category() == error_category()) return of_leat(static_cast<errc>(error.value()));
    if (error.category() == boost::system::system_category() ||
        error.category() == boost::system::generic_category()) {
        return of_system(error.value());
    }
    return exit_code::several;
}

exit_code both(exit_code one, exit_code other) noexcept {
    if (one == exit_code::success || one == other) return other;
    return other == exit_code::success ? one : exit_code::several;
}

const char* exit_code_table() noexcept {
    return R"(Exit codes:
  0  success
  1  failures of more than one kind, or of a kind not listed here
  2  a wrong option, or a wrong value of one
  3  a file was not found
  4  permission to open a file was denied
  5  a file cannot be read, has changed, or is of a kind that is not supported
  6  an offset lies beyond the end of a file
  7  the requested backend is not available
  8  a measurement cannot be trusted
A program that is interrupted by a signal ends by that signal.
)";
}

}  // namespace leat::apps
