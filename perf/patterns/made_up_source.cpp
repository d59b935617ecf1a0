// Writes the words that tell units apart, and looks at them.
#include "patterns/made_up_source.hpp"

#include "common/pages.hpp"

#include <algorithm>
#include <cstring>

namespace leat::perf {

namespace {

/// Where a unit's word stands. At the same place in each, all words would share a few lines of the
/// CPU's caches, and take twice as long to write.
constexpr std::size_t place_in(std::uint64_t offset) noexcept {
    constexpr std::uint64_t line = 64;
    return offset / unit_size * line % unit_size;
}

/// What stands there.
std::uint64_t word_of(std::uint32_t file, std::uint64_t offset) noexcept {
    // No file has 2^32 units here, so no two units of all files begin alike.
    return random_words{(std::uint64_t{file} << 32) ^ (offset / unit_size)}();
}

}  // namespace

task<made_up_file> made_up_source::open(std::string name) {
    const unsigned long number = std::stoul(name);
    co_return made_up_file{static_cast<std::uint32_t>(number), file_bytes_->at(number)};
}

task<std::size_t> made_up_source::read(const made_up_file& from,
                                       std::uint64_t offset,
                                       std::span<std::byte> buffer,
                                       [[maybe_unused]] priority urgency) {
    const std::size_t count = std::min<std::uint64_t>(buffer.size(), from.size() - offset);
    fill(from, offset, buffer.first(count));
    counts_->reads.fetch_add(1, std::memory_order_relaxed);
    counts_->bytes.fetch_add(count, std::memory_order_relaxed);
    co_return count;
}

task<std::size_t> made_up_source::read(const made_up_file& from,
                                       std::uint64_t offset,
                                       std::span<const std::span<std::byte>> buffers,
                                       [[maybe_unused]] priority urgency) {
    std::size_t all = 0;
    for (const std::span<std::byte> buffer : buffers) {
        const std::uint64_t left = from.size() - offset - all;
        const std::size_t count = std::min<std::uint64_t>(buffer.size(), left);
        fill(from, offset + all, buffer.first(count));
        all += count;
    }
    counts_->reads.fetch_add(1, std::memory_order_relaxed);
    counts_->bytes.fetch_add(all, std::memory_order_relaxed);
    co_return all;
}

// Buffers are whole units: the last word fits, too.
void made_up_source::fill(const made_up_file& from,
                          std::uint64_t offset,
                          std::span<std::byte> buffer) noexcept {
    for (std::size_t at = 0; at < buffer.size(); at += unit_size) {
        const std::uint64_t word = word_of(from.number(), offset + at);
        std::memcpy(buffer.data() + at + place_in(offset + at), &word, sizeof word);
    }
}

std::optional<std::uint64_t> first_wrong(std::uint32_t file,
                                         std::uint64_t offset,
                                         std::span<const std::byte> bytes) noexcept {
    const std::uint64_t end = offset + bytes.size();
    for (std::uint64_t unit = offset / unit_size * unit_size; unit < end; unit += unit_size) {
        const std::uint64_t at = unit + place_in(unit);
        std::uint64_t word = 0;
        if (at < offset || at + sizeof word > end) continue;
        std::memcpy(&word, &bytes[at - offset], sizeof word);
        if (word != word_of(file, unit)) return at;
    }
    return std::nullopt;
}

}  // namespace leat::perf
