// In which order pages are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace leat::perf {

/// Numbers of 4 KiB pages. Walked around and around; the size is a power of two.
using page_order = std::vector<std::uint32_t>;

/// A small generator with good upper bits: SplitMix64 (Steele, Lea, Flood, 2014).
class random_words {
public:
    explicit random_words(std::uint64_t seed) noexcept : state_(seed) {}
    std::uint64_t operator()() noexcept {
        std::uint64_t x = state_ += 0x9e3779b97f4a7c15u;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
    }
    /// Uniform in [0, limit); limit > 0.
    std::uint64_t below(std::uint64_t limit) noexcept;

private:
    std::uint64_t state_;
};

[[nodiscard]] page_order hot_page(std::uint32_t page);
[[nodiscard]] page_order sequential_pages(std::uint32_t pages, std::size_t count);
[[nodiscard]] page_order uniform_pages(std::uint32_t pages, std::size_t count, std::uint64_t seed);
/// The page of rank r is asked for in proportion to 1 / r^exponent; ranks are strewn over the file.
[[nodiscard]] page_order zipf_pages(std::uint32_t pages,
                                    std::size_t count,
                                    double exponent,
                                    std::uint64_t seed);

/// 0 to count - 1, shuffled.
[[nodiscard]] std::vector<std::uint32_t> shuffled(std::uint32_t count, std::uint64_t seed);

}  // namespace leat::perf
