// Orders of pages: uniform, Zipf, shuffled.
#include "common/pages.hpp"

#include "common/zipf.hpp"

#include <numeric>
#include <utility>

namespace leat::perf {

std::uint64_t random_words::below(std::uint64_t limit) noexcept {
    __extension__ using wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<wide>((*this)()) * limit) >> 64);
}

page_order hot_page(std::uint32_t page) {
    return page_order(1024, page);
}

page_order sequential_pages(std::uint32_t pages, std::size_t count) {
    page_order order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = static_cast<std::uint32_t>(i % pages);
    return order;
}

page_order uniform_pages(std::uint32_t pages, std::size_t count, std::uint64_t seed) {
    random_words random{seed};
    page_order order(count);
    for (std::uint32_t& page : order) page = static_cast<std::uint32_t>(random.below(pages));
    return order;
}

page_order zipf_pages(std::uint32_t pages, std::size_t count, double exponent, std::uint64_t seed) {
    const zipf ranks{pages, exponent};
    const std::vector<std::uint32_t> place = shuffled(pages, seed);
    random_words random{seed + 1};
    page_order order(count);
    for (std::uint32_t& page : order) page = place[ranks(random)];
    return order;
}

std::vector<std::uint32_t> shuffled(std::uint32_t count, std::uint64_t seed) {
    std::vector<std::uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0U);
    random_words random{seed};
    for (std::uint32_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    return order;
}

}  // namespace leat::perf
