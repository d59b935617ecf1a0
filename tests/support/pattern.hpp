// Bytes that are a function of where they lie, so that any piece checks itself, and files of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace leat::test {

/// Bytes 8 * index to 8 * index + 7 of version `seed`, the first of them lowest.
[[nodiscard]] inline std::uint64_t pattern_word(std::uint64_t seed, std::uint64_t index) noexcept {
    std::uint64_t x = (index + 1) * 0x9e3779b97f4a7c15u ^ seed * 0xd1342543de82ef95u;
    x ^= x >> 31;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 29;
    return x;
}

/// The byte at `offset` of version `seed`.
[[nodiscard]] inline std::byte pattern_at(std::uint64_t seed, std::uint64_t offset) noexcept {
    return static_cast<std::byte>(pattern_word(seed, offset / 8) >> (offset % 8 * 8));
}

/// Whether `bytes` are those at `offset`. No test macro: it runs on shards.
[[nodiscard]] bool is_pattern(std::span<const std::byte> bytes,
                              std::uint64_t seed,
                              std::uint64_t offset) noexcept;
void fill_pattern(std::span<std::byte> bytes, std::uint64_t seed, std::uint64_t offset) noexcept;

/// A folder of its own, removed with all in it. Beside the current folder, not in /tmp, which may
/// be a tmpfs.
class temporary_folder {
public:
    temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder();
    [[nodiscard]] std::string path(const std::string& name) const {
        return (folder_ / name).string();
    }
    /// Writes a file of `size` bytes of the pattern, in place if it exists, and returns its path.
    std::string make(const std::string& name, std::uint64_t size, std::uint64_t seed = 1) const;

private:
    std::filesystem::path folder_;
};

/// Descriptors that this process has open.
[[nodiscard]] std::size_t open_descriptors();

}  // namespace leat::test
