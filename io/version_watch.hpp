// What is known of an open file's version, by all who read the file.
#pragma once

#include <leat/io/backend.hpp>
#include <leat/io/file_version.hpp>

#include <boost/system/error_code.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace leat::io {

/// Decides whether a file is still the version that was opened. Any thread.
///
/// A change of the ctime alone may come of a link, an unlink or a rename, which leave the bytes, or
/// of a rewrite whose author has set the mtime back. The number of links tells the former, and what
/// the name gives that it was opened by; each explains one change, by which the ctime is then
/// known.
class version_watch {
public:
    /// The attributes that compare() wants of statx.
    static constexpr unsigned stat_mask =
        STATX_TYPE | STATX_INO | STATX_SIZE | STATX_MTIME | STATX_CTIME | STATX_NLINK;

    enum class finding : std::uint8_t {
        same,
        changed,
        unexplained,  ///< the ctime alone has changed: the name is to be asked
        outdated      ///< somebody else has explained a change meanwhile: look again
    };

    /// One look at the file: what it saw, and what was known before.
    struct look {
        std::uint64_t explained = 0;
        std::int64_t changed_ns = 0;
    };

    /// `remote`: as of file_system.
    version_watch(const file_version& opened, const struct statx& attributes, bool remote) noexcept;

    void set_name(int directory, std::string path) noexcept;
    [[nodiscard]] int directory() const noexcept { return directory_; }
    /// Empty if it has none.
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    void asked_at(time_point when) noexcept { updated_.store(when, std::memory_order_relaxed); }
    /// Whether the attributes are to be brought up to date before they are compared: those of a
    /// remote file, once a second. True to one of those who ask at the same time.
    [[nodiscard]] bool update_is_due(time_point now) noexcept;

    /// Compares the cached attributes of `descriptor`: no error, errc::file_changed, or the
    /// system's error; nothing if the name is to be asked about what `seen` is then.
    [[nodiscard]] std::optional<boost::system::error_code> check(backend& through,
                                                                 int descriptor,
                                                                 look& seen) noexcept;
    /// To be called before the file's attributes are read.
    [[nodiscard]] look begin() const noexcept {
        return {explained_.load(std::memory_order_acquire), 0};
    }
    /// What the attributes say that were read since `begun`.
    [[nodiscard]] finding compare(const struct statx& now, look& begun) noexcept;
    /// What it says besides whether the name gives the file.
    [[nodiscard]] finding explain(const look& begun, bool name_gives_it) noexcept;

    /// Whether these attributes are the file's, whatever its version.
    [[nodiscard]] bool is_file(const struct statx& attributes) const noexcept;

private:
    void accept(const look& explained) noexcept;

    const file_version opened_;
    const bool remote_;
    int directory_ = AT_FDCWD;
    std::string path_;
    std::atomic<time_point> updated_{time_point::min()};
    std::atomic<bool> changed_{false};

    std::mutex mutex_;                         ///< for what follows to be written
    std::atomic<std::int64_t> changed_ns_;     ///< the ctime that is known
    std::atomic<std::uint64_t> explained_{0};  ///< changes of it
    std::uint32_t links_;
    bool name_gives_it_ = true;
};

/// The version that statx tells of a regular file.
[[nodiscard]] file_version version_of(const struct statx& attributes) noexcept;

}  // namespace leat::io
