// Hashes versions, and writes tags.
#include "http/entity_tag.hpp"

#include <bit>
#include <span>
#include <type_traits>

namespace leat::http {

namespace {

/// The finalizer of splitmix64.
std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

std::uint64_t hash_of(std::span<const std::uint64_t> words) {
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
    std::uint64_t sum = words.size() * golden;
    for (const std::uint64_t word : words) sum = mixed(sum ^ word) + golden;
    return mixed(sum);
}

}  // namespace

entity_tag entity_tag::of(const file_version& version, bool settled) {
    static_assert(std::has_unique_object_representations_v<file_version>);
    using words = std::array<std::uint64_t, sizeof(file_version) / sizeof(std::uint64_t)>;
    return {hash_of(std::bit_cast<words>(version)), !settled};
}

entity_tag entity_tag::of(std::uint64_t size, std::int64_t modified_ns, bool settled) {
    const std::array<std::uint64_t, 2> words{size, static_cast<std::uint64_t>(modified_ns)};
    return {hash_of(words), !settled};
}

entity_tag::text::text(entity_tag tag) noexcept : bytes_{'W', '/', '"'}, weak_(tag.weak()) {
    char* to = &bytes_[3];
    for (int shift = 60; shift >= 0; shift -= 4)
        *to++ = "0123456789abcdef"[tag.value() >> shift & 15];
    *to = '"';
}

}  // namespace leat::http
