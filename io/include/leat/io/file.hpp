// An open file of one version.
#pragma once

#include <leat/io/backend.hpp>
#include <leat/io/detail/file_system.hpp>
#include <leat/io/error.hpp>
#include <leat/io/file_version.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <linux/openat2.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace leat::io {

class version_watch;

/// An open regular file or block device. Move-only; owns the descriptor and closes it when
/// destroyed, so no read may then be in flight. Const members may be called from any thread.
class file {
public:
    /// The attributes that adopt() wants of statx.
    static constexpr unsigned stat_mask = STATX_TYPE | STATX_MODE | STATX_INO | STATX_SIZE |
                                          STATX_MTIME | STATX_CTIME | STATX_NLINK | STATX_DIOALIGN |
                                          file_system::unique_mount;

    /// What to open a file with: read-only, without waiting for a writer of a FIFO; if `beneath`,
    /// below the directory that the open operation names, whatever "..", links or mounts of /proc
    /// the path has.
    [[nodiscard]] static open_how how_to_open(bool beneath) noexcept;

    /// Takes over `descriptor`, opened as how_to_open() says, with its `attributes` (of stat_mask),
    /// on a file system of that kind. Sets O_DIRECT if `allow_direct` and the file system takes it;
    /// clears O_NONBLOCK. Does not wait. Fails with EISDIR for a directory, errc::not_regular for
    /// anything but a regular file or a block device, ENOMEM, or the system's error; the descriptor
    /// is closed then.
    [[nodiscard]] static boost::system::result<file> adopt(int descriptor,
                                                           const struct statx& attributes,
                                                           bool allow_direct = true,
                                                           file_system on = {}) noexcept;

    file() noexcept;
    file(file&& other) noexcept;
    file& operator=(file&& other) noexcept;
    ~file();

    /// What it was opened by: relative to `directory`, which must stay open as long as this, or
    /// AT_FDCWD. So a change of ctime alone that comes of a rename can be told from a rewrite.
    void set_name(int directory, std::string path) noexcept;

    /// When its attributes came from its file system. Where they are remote, they are asked for
    /// again a second after; and at the first read, if this is not called.
    void asked_at(time_point when) noexcept;

    using closer = void (*)(const file& closing) noexcept;
    /// Has the destructor call `how` instead of close(2): it closes descriptor(), maybe later and
    /// on a thread that may wait.
    void close_by(closer how) noexcept { closer_ = how; }

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    [[nodiscard]] const file_version& version() const noexcept { return version_; }
    /// Bytes, when it was opened.
    [[nodiscard]] std::uint64_t size() const noexcept { return version_.size; }
    /// Whether its version can be told from every later one. It cannot while its time stamps are so
    /// young that another write may get the same ones: a tick of the kernel's clock, two seconds
    /// where the file system counts seconds or another machine's clock. Nor that of a block device
    /// without a sequence number.
    [[nodiscard]] bool settled() const noexcept { return settled_; }
    [[nodiscard]] const file_system& on() const noexcept { return on_; }
    /// Whether reads go past the page cache.
    [[nodiscard]] bool direct() const noexcept { return alignment() > 1; }
    /// What offset, length and address of a direct read must be multiples of, in bytes; 1 if
    /// buffered.
    [[nodiscard]] unsigned alignment() const noexcept {
        return alignment_.load(std::memory_order_acquire);
    }
    /// Whether a long read may block its submitter while the bytes are copied: a buffered one, or a
    /// direct one of a file system that takes O_DIRECT without telling its alignment, as those do
    /// that serve it from memory (tmpfs) or by another program.
    [[nodiscard]] bool may_block() const noexcept { return !direct() || direct_may_block_; }
    /// Reads through the page cache from now on, since direct ones are refused after all. False,
    /// and nothing done, if it does so already or cannot. Reads in flight are not disturbed.
    bool stop_direct() const noexcept;

    /// Whether the version is still the one that was opened: no error, errc::file_changed, or the
    /// system's error. Nothing if only the name can tell: the ctime alone has changed, and the
    /// number of links does not explain it. Asks backend::stat_cached, so it does not wait; a block
    /// device is asked for its size and its disk's sequence number. Once changed, always changed.
    [[nodiscard]] std::optional<boost::system::error_code> check(backend& through) const noexcept;

private:
    friend class file_read;

    [[nodiscard]] boost::system::error_code identify(const struct statx& attributes) noexcept;
    void close() noexcept;
    [[nodiscard]] boost::system::error_code set_flags(const struct statx& attributes,
                                                      bool allow_direct) noexcept;

    int descriptor_ = -1;
    mutable std::atomic<unsigned> alignment_{1};
    bool direct_may_block_ = true;
    bool block_device_ = false;
    bool settled_ = false;
    file_system on_;
    closer closer_ = nullptr;
    file_version version_;
    std::unique_ptr<version_watch> watch_;  ///< not of a block device
};

}  // namespace leat::io
