// Cuts slabs into pages.
#include "entry_pages.hpp"

#include <sys/mman.h>

#include <bit>
#include <cassert>
#include <cstdlib>
#include <memory>
#include <new>

namespace leat::detail {

entry_pages::~entry_pages() {
    assert(with_room_.empty());
}

entry_pages::slab* entry_pages::add_slab() noexcept {
    auto* const added = new (std::nothrow) slab;
    if (added == nullptr) return nullptr;
    added->memory =
        static_cast<std::byte*>(std::aligned_alloc(page_bytes, pages_a_slab * page_bytes));
    if (added->memory == nullptr) {
        delete added;
        return nullptr;
    }
    with_room_.push_front(*added);
    return added;
}

void* entry_pages::take() noexcept {
    slab* const of = with_room_.empty() ? add_slab() : &with_room_.front();
    if (of == nullptr) return nullptr;
    const auto number = static_cast<unsigned>(std::countr_zero(of->free));
    of->free &= of->free - 1;
    if (of->free == 0) with_room_.erase(with_room_.iterator_to(*of));
    return std::construct_at(reinterpret_cast<slab**>(of->memory + number * page_bytes), of);
}

void entry_pages::give_back(void* page) noexcept {
    slab& of = **static_cast<slab**>(page);
    if (of.free == 0) with_room_.push_front(of);
    const auto begin = static_cast<std::size_t>(static_cast<std::byte*>(page) - of.memory);
    of.free |= std::uint32_t{1} << (begin / page_bytes);
    if (of.free == all_free) {
        with_room_.erase(with_room_.iterator_to(of));
        std::free(of.memory);
        delete &of;
        return;
    }
    ::madvise(page, page_bytes, MADV_DONTNEED);
}

}  // namespace leat::detail
