// Memory for entries, page by page: what is given back is the system's again.
#pragma once

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// Pages are parts of slabs. The memory of a page that was given back counts no more as the
/// process's, though its slab is kept until all of its pages are back. One thread.
class entry_pages {
public:
    static constexpr std::size_t page_bytes = 8192;

    entry_pages() = default;
    entry_pages(const entry_pages&) = delete;
    entry_pages& operator=(const entry_pages&) = delete;
    /// Precondition: all pages are back.
    ~entry_pages();

    /// A page, aligned to page_bytes, or nullptr: no memory. Its first bytes, as many as a pointer
    /// has, are not to be changed.
    [[nodiscard]] void* take() noexcept;
    void give_back(void* page) noexcept;

private:
    static constexpr unsigned pages_a_slab = 32;
    static constexpr std::uint32_t all_free = ~std::uint32_t{0};

    struct slab : boost::intrusive::list_base_hook<> {
        std::byte* memory = nullptr;
        std::uint32_t free = all_free;  ///< a bit for each page
    };
    [[nodiscard]] slab* add_slab() noexcept;

    boost::intrusive::list<slab> with_room_;  ///< those that have free pages
};

}  // namespace leat::detail
