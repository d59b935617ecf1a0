// Writes without waiting for who reads.
#include "log_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace leat::serve {

namespace {

constexpr std::chrono::milliseconds longest_wait{50};
constexpr int for_writing = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

/// The pipe that standard output is, opened anew: others have the same, for whom it is to wait as
/// ever. What cannot be opened so is taken as it is.
int open_output() {
    struct stat found{};
    int opened = -1;
    if (::fstat(STDOUT_FILENO, &found) == 0 && S_ISFIFO(found.st_mode))
        opened = ::open("/proc/self/fd/1", for_writing);
    return opened >= 0 ? opened : ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
}

}  // namespace

log_file::log_file(const std::string& path) {
    constexpr ::mode_t mode = 0666;  // as the process's mask has it
    descriptor_ = apps::descriptor{path == "-" ? open_output()
                                               : ::open(path.c_str(), for_writing | O_CREAT, mode)};
    if (descriptor_.get() < 0) {
        const std::string why = errno == ENXIO ? "nobody reads this pipe" : std::strerror(errno);
        throw std::runtime_error("--access-log " + path + ": " + why);
    }
    struct stat found{};
    is_regular_ = ::fstat(descriptor_.get(), &found) == 0 && S_ISREG(found.st_mode);
}

bool log_file::has_room() const noexcept {
    pollfd asked{descriptor_.get(), POLLOUT, 0};
    return ::poll(&asked, 1, static_cast<int>(longest_wait.count())) > 0;
}

bool log_file::waits(const patience& goes_on) {
    const auto now = clock::now();
    if (!full_since_) full_since_ = now;
    return goes_on(now - *full_since_);
}

std::uint64_t log_file::write(std::string_view lines, const patience& goes_on) {
    std::string ended;
    if (in_line_) {
        (ended = '\n') += lines;
        lines = ended;
    }
    bool works = true;
    while (works && !lines.empty()) {
        if (!has_room()) {
            works = waits(goes_on);
            continue;
        }
        // A pipe that tells of room has it for so much: also one that would wait does not.
        const std::size_t count =
            is_regular_ ? lines.size() : std::min<std::size_t>(lines.size(), PIPE_BUF);
        const ssize_t written = ::write(descriptor_.get(), lines.data(), count);
        if (written > 0) {
            full_since_.reset();
            in_line_ = lines[static_cast<std::size_t>(written) - 1] != '\n';
            lines.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            works = waits(goes_on);
        } else {
            works = errno == EINTR;
        }
    }
    return static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
}

}  // namespace leat::serve
