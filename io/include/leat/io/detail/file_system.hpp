// What leat has to know of a file system before it reads from it.
#pragma once

#include <sys/stat.h>

#include <optional>

namespace leat::io {

/// How files of a file system are to be read and looked at.
struct file_system {
    /// The bit of statx's mask that asks for the mount's id that is never given again, and tells in
    /// the answer that stx_mnt_id is that (Linux 6.8).
    static constexpr unsigned unique_mount = 0x4000;

    /// io_uring is not to read them: where a FUSE server with direct_io answers a read with fewer
    /// bytes than asked for, the ring reads on at the same position (seen on Linux 6.18).
    bool read_by_threads = false;
    /// Their attributes may be another machine's or program's, and the kernel's copy out of date.
    bool remote = false;

    /// By statfs's f_type, 0 if it is unknown. What is not known to be local counts as remote.
    [[nodiscard]] static file_system of_type(long type) noexcept;

    /// That of the file whose `attributes` these are (file::stat_mask), asked of the kernel only,
    /// which does not wait. Nothing where the kernel cannot tell: fstatfs can, and may wait for a
    /// server.
    [[nodiscard]] static std::optional<file_system> of(const struct statx& attributes) noexcept;
};

}  // namespace leat::io
