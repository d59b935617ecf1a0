// Chunks from files of the file system or block devices.
#pragma once

#include <leat/cache/chunk_source.hpp>
#include <leat/engine/file_io.hpp>

#include <memory>
#include <string>

namespace leat {

/// Reads files and block devices through the shard's ring, directly where the file system allows
/// it.
///
/// A replaced or unlinked file stays readable while it is open; a file written in place ends in
/// errc::file_changed, as far as size and timestamps tell: stores through mmap may leave both
/// unchanged.
class file_source {
public:
    using file_type = io::file;

    /// Names are opened as open(2) does.
    file_source() = default;
    /// Names are relative to the directory `root` and cannot leave it, neither by ".." nor by
    /// links. Throws if it cannot be opened.
    explicit file_source(const std::string& root);

    [[nodiscard]] task<io::file> open(std::string name);
    [[nodiscard]] task<std::size_t> read(const io::file& file,
                                         std::uint64_t offset,
                                         std::span<std::byte> buffer,
                                         priority urgency);

private:
    struct directory;
    std::shared_ptr<directory> root_;
};

}  // namespace leat
