#include "pattern.hpp"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace leat::test {

bool is_pattern(std::span<const std::byte> bytes,
                std::uint64_t seed,
                std::uint64_t offset) noexcept {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] != pattern_at(seed, offset + i)) return false;
    }
    return true;
}

void fill_pattern(std::span<std::byte> bytes, std::uint64_t seed, std::uint64_t offset) noexcept {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = pattern_at(seed, offset + i);
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
