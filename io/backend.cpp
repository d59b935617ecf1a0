#include "thread_backend.hpp"
#include "uring_backend.hpp"

#include <leat/io/backend.hpp>
#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <fcntl.h>

#include <cerrno>
#include <limits>
#include <string_view>

namespace leat::io {

int backend::stat_cached(int descriptor, unsigned mask, struct statx& out) noexcept {
    constexpr int flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
    return ::statx(descriptor, "", flags, mask, &out) == 0 ? 0 : -errno;
}

int backend::wait_descriptor() {
    return -1;
}

bool backend::prepare_wait() {
    return true;
}

std::size_t backend::connection_limit() const noexcept {
    return std::numeric_limits<std::size_t>::max();
}

boost::system::error_code backend::register_buffer(unsigned, std::span<std::byte>) noexcept {
    return system_error_code(EOPNOTSUPP);
}

std::unique_ptr<backend> make_backend(const backend_options& options, std::string& note) {
    note.clear();
    if (options.kind == backend_kind::thread) {
        return std::make_unique<thread_backend>(options);
    }
    try {
        return std::make_unique<uring_backend>(options);
    } catch (const boost::system::system_error& error) {
        if (options.kind == backend_kind::uring) {
            throw;
        }
        // what() ends in the code's own message, which says that there is no backend.
        const std::string_view reason = error.what();
        note = "io_uring cannot be had, so threads read the files: ";
        note += reason.substr(0, reason.rfind(": " + error.code().message()));
    }
    return std::make_unique<thread_backend>(options);
}

}  // namespace leat::io
