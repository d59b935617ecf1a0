// Bytes that tell where they belong.
#include "pattern.hpp"

#include <stdlib.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace leat::test {

namespace {
/// Calls step(i, count, word) for each piece of [offset, offset + size) that lies in one word.
template <class Step>
bool each_piece(std::uint64_t seed, std::uint64_t offset, std::size_t size, Step step) noexcept {
    for (std::size_t i = 0; i < size;) {
        const std::uint64_t in = (offset + i) % 8;
        const std::size_t count = std::min<std::size_t>(size - i, 8 - in);
        if (!step(i, count, pattern_word(seed, (offset + i) / 8) >> (in * 8))) return false;
        i += count;
    }
    return true;
}
}  // namespace

bool is_pattern(std::span<const std::byte> bytes,
                std::uint64_t seed,
                std::uint64_t offset) noexcept {
    return each_piece(seed, offset, bytes.size(),
                      [&](std::size_t i, std::size_t count, std::uint64_t word) {
                          if (count < 8) return std::memcmp(&bytes[i], &word, count) == 0;
                          return std::memcmp(&bytes[i], &word, 8) == 0;
                      });
}

void fill_pattern(std::span<std::byte> bytes, std::uint64_t seed, std::uint64_t offset) noexcept {
    each_piece(seed, offset, bytes.size(),
               [&](std::size_t i, std::size_t count, std::uint64_t word) {
                   if (count < 8) {
                       std::memcpy(&bytes[i], &word, count);
                   } else {
                       std::memcpy(&bytes[i], &word, 8);
                   }
                   return true;
               });
}

temporary_folder::temporary_folder() {
    std::string name = (std::filesystem::current_path() / "leat-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    folder_ = name;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string temporary_folder::make(const std::string& name,
                                   std::uint64_t size,
                                   std::uint64_t seed) const {
    std::ofstream out{path(name), std::ios::binary | std::ios::trunc};
    std::vector<std::byte> block(std::min<std::uint64_t>(size, 1 << 20));
    for (std::uint64_t at = 0; at < size; at += block.size()) {
        const std::size_t count = std::min<std::uint64_t>(block.size(), size - at);
        fill_pattern({block.data(), count}, seed, at);
        out.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(count));
    }
    out.flush();
    if (!out) throw std::runtime_error("cannot write " + path(name));
    return path(name);
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        static_cast<void>(entry);
        ++count;
    }
    return count;
}

}  // namespace leat::test
