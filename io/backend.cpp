// Chooses a backend, and says what is wrong with options.
#include "thread_backend.hpp"
#include "uring_backend.hpp"

#include <leat/io/backend.hpp>
#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <fcntl.h>

#include <bit>
#include <cerrno>
#include <limits>
#include <string_view>

namespace leat::io {

int backend::stat_cached(int descriptor, unsigned mask, struct statx& out) noexcept {
    constexpr int flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
    return ::statx(descriptor, "", flags, mask, &out) == 0 ? 0 : -errno;
}

void backend::note_unchanged(int) noexcept {}

bool backend::noted_unchanged(int) const noexcept {
    return false;
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

std::string find_fault(const backend_options& options) {
    const auto outside = [](const char* what, unsigned value, unsigned least, unsigned most) {
        return std::to_string(value) + " " + what + " are not allowed; it must be from " +
               std::to_string(least) + " to " + std::to_string(most);
    };
    if (options.entries < least_entries || options.entries > most_entries) {
        return outside("submission queue entries", options.entries, least_entries, most_entries);
    }
    const unsigned least = 2 * std::bit_ceil(options.entries);
    if (options.completion_entries < least ||
        options.completion_entries > most_completion_entries) {
        return outside("completion queue entries", options.completion_entries, least,
                       most_completion_entries) +
               ", at least twice the submission queue's";
    }
    if (options.threads < 1 || options.threads > most_threads) {
        return outside("threads that read files", options.threads, 1, most_threads);
    }
    if (options.rings == 0) {
        return "0 rings are not allowed; there must be at least 1";
    }
    return {};
}

std::unique_ptr<backend> make_backend(const backend_options& options, std::string& note) {
    note.clear();
    if (const std::string fault = find_fault(options); !fault.empty()) {
        throw boost::system::system_error(make_error_code(errc::invalid_option), fault);
    }
    if (options.kind == backend_kind::thread) {
        return std::make_unique<thread_backend>(options);
    }
    try {
        auto made = std::make_unique<uring_backend>(options);
        if (made->is_smaller_than_asked()) {
            note =
                "the limit on locked memory (ulimit -l, memlock) leaves no room for rings of the "
                "requested size, so smaller ones are used, with fewer operations in flight";
        }
        return made;
    } catch (const boost::system::system_error& error) {
        if (options.kind == backend_kind::uring) {
            throw;
        }
        // what() ends in the code's own message, which says that there is no backend.
        const std::string_view reason = error.what();
        note = "io_uring is not available, so threads read the files: ";
        note += reason.substr(0, reason.rfind(": " + error.code().message()));
    }
    return std::make_unique<thread_backend>(options);
}

}  // namespace leat::io
