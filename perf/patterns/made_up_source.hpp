// A source whose files have sizes, and bytes that nothing has to keep.
#pragma once

#include <leat/leat.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace leat::perf {

/// What a source has been asked for; any thread.
struct source_counts {
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> bytes{0};
};

class made_up_file {
public:
    made_up_file(std::uint32_t number, std::uint64_t size) noexcept
        : number_(number), size_(size) {}
    [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] static file_version version() noexcept { return {}; }

private:
    std::uint32_t number_;
    std::uint64_t size_;
};

/// Serves files "0", "1" and so on at once. In each unit stands a word that tells file and offset;
/// the rest of it is what the buffer held before, so that reads cost next to nothing.
class made_up_source {
public:
    using file_type = made_up_file;
    /// Both must outlive it.
    made_up_source(const std::vector<std::uint64_t>& file_bytes, source_counts& counts) noexcept
        : file_bytes_(&file_bytes), counts_(&counts) {}

    [[nodiscard]] task<made_up_file> open(std::string name);
    [[nodiscard]] task<std::size_t> read(const made_up_file& from,
                                         std::uint64_t offset,
                                         std::span<std::byte> buffer,
                                         priority urgency);
    /// Into several buffers, as one read.
    [[nodiscard]] task<std::size_t> read(const made_up_file& from,
                                         std::uint64_t offset,
                                         std::span<const std::span<std::byte>> buffers,
                                         priority urgency);

private:
    void fill(const made_up_file& from, std::uint64_t offset, std::span<std::byte> buffer) noexcept;

    const std::vector<std::uint64_t>* file_bytes_;
    source_counts* counts_;
};

/// Where in the file the first of `bytes`, which begin at `offset`, is not what the source gave, as
/// far as the words in them tell.
[[nodiscard]] std::optional<std::uint64_t> first_wrong(std::uint32_t file,
                                                       std::uint64_t offset,
                                                       std::span<const std::byte> bytes) noexcept;

}  // namespace leat::perf
