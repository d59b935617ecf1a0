// An open file of one version, and the state machine that reads from it.
#pragma once

#include <leat/io/backend.hpp>
#include <leat/io/error.hpp>
#include <leat/io/operation.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <linux/openat2.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace leat::io {

/// What tells one version of a file from another. Equal identities mean equal bytes as far as the
/// file system's timestamps tell; stores through a shared mapping may leave them unchanged. A block
/// device has its own number as `device`, its size, and zero elsewhere.
struct identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;        ///< bytes
    std::int64_t modified_ns = 0;  ///< mtime, nanoseconds since the epoch
    std::int64_t changed_ns = 0;   ///< ctime, nanoseconds since the epoch

    friend bool operator==(const identity&, const identity&) = default;
};

/// An open regular file or block device. Move-only; owns the descriptor and closes it at once when
/// destroyed, so no read may then be in flight. Const members may be called from any thread.
class file {
public:
    /// The attributes that adopt() wants of statx.
    static constexpr unsigned stat_mask = STATX_TYPE | STATX_MODE | STATX_INO | STATX_SIZE |
                                          STATX_MTIME | STATX_CTIME | STATX_DIOALIGN;

    /// What to open a file with: read-only, without waiting for a writer of a FIFO; if `beneath`,
    /// below the directory that the open operation names, whatever "..", links or mounts of /proc
    /// the path has.
    [[nodiscard]] static open_how how_to_open(bool beneath) noexcept;

    /// Takes over `descriptor`, opened as how_to_open() says, with its `attributes` (of stat_mask).
    /// Sets O_DIRECT if `allow_direct` and the file system takes it; clears O_NONBLOCK. Does not
    /// wait. Fails with EISDIR for a directory, errc::not_regular for anything but a regular file
    /// or a block device, or the system's error; the descriptor is closed then.
    [[nodiscard]] static boost::system::result<file> adopt(int descriptor,
                                                           const struct statx& attributes,
                                                           bool allow_direct = true) noexcept;

    file() = default;
    file(file&& other) noexcept;
    file& operator=(file&& other) noexcept;
    ~file();

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    [[nodiscard]] const identity& version() const noexcept { return version_; }
    /// Bytes, when it was opened.
    [[nodiscard]] std::uint64_t size() const noexcept { return version_.size; }
    /// Whether reads go past the page cache.
    [[nodiscard]] bool direct() const noexcept { return alignment_ > 1; }
    /// What offset, length and address of a direct read must be multiples of, in bytes; 1 if
    /// buffered.
    [[nodiscard]] unsigned alignment() const noexcept { return alignment_; }
    /// Whether a long read may block its submitter while the bytes are copied: a buffered one, or a
    /// direct one of a file system that takes O_DIRECT without telling its alignment, as those do
    /// that serve it from memory (tmpfs) or by another program.
    [[nodiscard]] bool may_block() const noexcept { return may_block_; }

    /// Whether the identity is still the one that was opened: errc::file_changed, or the system's
    /// error, if not. The ctime alone may differ, since a link, rename or unlink changes it and
    /// leaves the bytes. Asks backend::stat_cached, so it does not wait. Always well for a block
    /// device.
    [[nodiscard]] boost::system::error_code check(backend& through) const noexcept;

private:
    void close() noexcept;

    int descriptor_ = -1;
    unsigned alignment_ = 1;
    bool may_block_ = true;
    bool block_device_ = false;
    identity version_;
};

/// Reads a range of a file to its end, by as many operations as it takes.
///
/// The owner keeps it, the backend, the file and the memory in place from start() until the
/// completion runs; the completion runs exactly once, on the thread that runs the backend, from
/// inside backend::run, and may start the same object again or free it. All members are for that
/// thread only. May be derived from, to carry what the completion needs.
class file_read : private operation {
public:
    using completion = void (*)(file_read&) noexcept;

    file_read() = default;

    /// Reads [offset, offset + data.size()) into `data`, which lies in registered buffer `buffer`
    /// unless that is -1. `data` may reach beyond the end of the file: so may a caller round the
    /// size up to the file's alignment. What is not aligned on a direct file goes through a
    /// temporary of at most 128 KiB and two alignments; if nothing is unaligned, nothing is
    /// allocated.
    ///
    /// Errors: errc::file_changed if the identity changed before the last byte had landed,
    /// errc::short_read if the file stopped before its size though its identity is unchanged,
    /// errc::cancelled, ENOMEM, or the device's error. Precondition: idle, data.size() < 2^48.
    void start(backend& through,
               const file& from,
               std::uint64_t offset,
               std::span<std::byte> data,
               int buffer,
               completion done) noexcept;

    /// Asks that it end soon, with errc::cancelled unless it was completing anyway. No effect when
    /// idle.
    void cancel() noexcept;

    /// Bytes at the start of `data` that landed: all there are up to the end of the file if error()
    /// is clear, else those before the failure, whose version was not checked.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] boost::system::error_code error() const noexcept { return error_; }
    [[nodiscard]] bool idle() const noexcept { return done_ == nullptr; }

private:
    static void landed(operation& op) noexcept;
    void proceed() noexcept;
    void submit_straight(std::uint64_t position, std::size_t size) noexcept;
    void submit_bounced(std::uint64_t position, std::size_t size) noexcept;
    [[nodiscard]] bool take(std::size_t got) noexcept;
    void end_early() noexcept;
    void finish(boost::system::error_code error) noexcept;

    backend* backend_ = nullptr;
    const file* file_ = nullptr;
    completion done_ = nullptr;
    std::byte* data_ = nullptr;
    std::byte* bounce_ = nullptr;  ///< the temporary, while it is needed
    std::uint64_t offset_ = 0;
    std::size_t size_ = 0;      ///< bytes of `data` that may be written
    std::size_t expected_ = 0;  ///< bytes that the identity's size promises
    std::size_t count_ = 0;
    std::size_t skip_ = 0;   ///< bytes of the temporary before those wanted
    std::size_t piece_ = 0;  ///< bytes wanted of the operation in flight
    int buffer_ = -1;
    bool straight_ = false;  ///< the operation in flight reads into `data` itself
    bool cancelled_ = false;
    boost::system::error_code error_;
};

}  // namespace leat::io
