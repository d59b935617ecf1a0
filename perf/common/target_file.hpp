// The file that is measured on, and samples that leat-bench makes for itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace leat::perf {

/// A descriptor, closed at the end. Shareable.
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int number);
    [[nodiscard]] int get() const noexcept { return number_ ? *number_ : -1; }

private:
    std::shared_ptr<const int> number_;
};

/// Opens for reading, never for writing. Throws boost::system::system_error; what() names the group
/// to join where a device is refused.
[[nodiscard]] descriptor open_file(const std::string& path, bool direct);

/// A regular file or block device, of which `size` bytes are used.
struct target_file {
    std::string path;
    std::uint64_t size = 0;
    bool on_tmpfs = false;
};

/// Looks at `path`; uses `wanted` bytes of it, all if 0. Throws as open_file does, and
/// std::runtime_error if it is too small.
[[nodiscard]] target_file look_at(const std::string& path, std::uint64_t wanted);

/// The sample beside the program, or in the current folder if that cannot be written to; made if it
/// is not there. Says so on standard error.
[[nodiscard]] target_file sample_file(std::uint64_t size);

/// Writes a file of incompressible bytes. Refuses to overwrite anything.
void create_file(const std::string& path, std::uint64_t size);

/// Reads it once, so that the page cache has it.
void warm_page_cache(const target_file& target, std::uint64_t size);
/// Drops its pages from the page cache.
void drop_page_cache(const target_file& target);

/// Whether `bytes` are those at `offset`, by another way than leat's.
[[nodiscard]] bool holds(const target_file& target,
                         std::uint64_t offset,
                         std::span<const std::byte> bytes);

}  // namespace leat::perf
