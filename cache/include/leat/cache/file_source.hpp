// Chunks from files of the file system or block devices.
#pragma once

#include <leat/cache/chunk_source.hpp>
#include <leat/engine/file_io.hpp>

#include <memory>
#include <string>

namespace leat {

/// Reads files and block devices through the shard's ring, directly where the file system allows
/// it; files of FUSE by a few threads.
///
/// A replaced or unlinked file stays readable while it is open; a file written in place ends in
/// errc::file_changed, as far as its size and time stamps tell: stores through mmap may leave them
/// unchanged. Behind FUSE or a network a change is seen up to a second late, and what was read in
/// that second may be of the new version.
class file_source {
public:
    using file_type = io::file;
    static constexpr bool version_identifies = true;  ///< hard links are one file
    /// As many reads as keep one disk busy: a virtual one reaches its 100,000 small reads a second
    /// with about ten in flight, and eight of 64 KiB its 2.4 GB/s. Many disks behind one shard, or
    /// a network, have use for more.
    static constexpr unsigned reads_at_once = 32;

    /// Names are opened as open(2) does.
    file_source() = default;
    /// Names are relative to the directory `root` and cannot leave it, neither by ".." nor by
    /// links: open() then fails with EXDEV. Throws if `root` cannot be opened.
    explicit file_source(const std::string& root);

    /// Opens the present version. Throws leat::system_error: the system's error (EXDEV where the
    /// name leads out of the root), errc::not_regular, cancelled or stopped.
    [[nodiscard]] task<io::file> open(std::string name);
    /// Fills `buffer` from `offset` on, or up to the end of the file, and returns the count. `file`
    /// and `buffer` must live until it ends, also after a stop request: what the device has begun
    /// is written.
    ///
    /// Any memory will do: that of this shard's arena, as the cache gives, is read into as a
    /// registered buffer, and other memory as it is. The kernel pins its pages for each direct
    /// read, 4 KiB pages at 0.2 to 0.5 ms of CPU for 10 MiB; huge pages cost a tenth. Offset, size
    /// and address that are multiples of file.alignment() need no copy; the rest goes through a
    /// temporary of at most 128 KiB. Memory that reaches beyond the end of the file, up to the
    /// alignment, may be written there.
    ///
    /// Throws leat::system_error: errc::file_changed, short_read, cancelled, stopped, or the
    /// system's error.
    [[nodiscard]] task<std::size_t> read(const io::file& file,
                                         std::uint64_t offset,
                                         std::span<std::byte> buffer,
                                         priority urgency);
    /// Fills several buffers one after the other, as the above fills one, and by one operation of
    /// the kernel where file, offset and buffers are aligned. All buffers but the last are as long
    /// as a multiple of 4096 bytes and begin at one, and so does the range if the file is direct.
    /// The list must live until it ends, too. Scattered pieces cost the kernel little more than one
    /// buffer: 10 MiB in 160 of them 79 to 84 µs of CPU where they lie in one registered buffer,
    /// and 67 to 76 in a row; elsewhere 174 to 177, and 91 to 105.
    ///
    /// Programmer's error, which ends the program with a sentence: more than 1024 buffers.
    [[nodiscard]] task<std::size_t> read(const io::file& file,
                                         std::uint64_t offset,
                                         std::span<const std::span<std::byte>> buffers,
                                         priority urgency);

private:
    struct directory;
    std::shared_ptr<directory> root_;
};

}  // namespace leat
