// What tells versions of files apart.
#pragma once

#include <cstdint>

namespace leat::io {

/// What tells one version of a file from another. Equal versions mean equal bytes as far as the
/// file system's timestamps and the numbers of devices tell; stores through a shared mapping may
/// leave them unchanged. A block device has its own number as `device`, its size, its disk's
/// sequence number as `instance`, and zero elsewhere.
struct file_version {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;        ///< bytes
    std::int64_t modified_ns = 0;  ///< mtime, nanoseconds since the epoch
    std::int64_t changed_ns = 0;   ///< ctime, nanoseconds since the epoch
    /// Which of those that bear this device number in turn: the mount's unique id (Linux 6.8), or
    /// the disk's sequence number (Linux 5.15); 0 where the kernel has none.
    std::uint64_t instance = 0;

    friend bool operator==(const file_version&, const file_version&) = default;
};

}  // namespace leat::io
