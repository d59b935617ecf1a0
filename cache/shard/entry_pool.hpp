// Places for entries of one kind, in pages that can be given back when they are empty.
#pragma once

#include "entry_pages.hpp"

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace leat::detail {

/// Entries do not move. New ones get places in the fullest pages, so that others become empty. An
/// entry that was freed stays as it was left until its place serves another or its page is given
/// back: whoever is in the middle of something may still look at it. One thread.
///
/// Invariants: each page lies in the list that the number of its entries says; what is counted is
/// what there is.
template <class Entry>
class entry_pool {
    struct page : boost::intrusive::list_base_hook<> {
        std::uint64_t live = 0;  ///< a bit for each place that is taken
        std::uint64_t made = 0;  ///< for each in which an entry has been, and is until another is
        std::size_t number = 0;  ///< its place in pages_
    };
    // Behind the pointer that is the pages' own.
    static constexpr std::size_t page_at = sizeof(void*);
    static constexpr std::size_t align = alignof(Entry);
    static constexpr std::size_t first_at = (page_at + sizeof(page) + align - 1) / align * align;

public:
    static constexpr std::size_t places = (entry_pages::page_bytes - first_at) / sizeof(Entry);

    explicit entry_pool(entry_pages& from) noexcept : from_(from) {}
    entry_pool(const entry_pool&) = delete;
    entry_pool& operator=(const entry_pool&) = delete;
    ~entry_pool() {
        for (page_list& one : by_count_) {
            while (!one.empty()) give_back(one);
        }
    }

    /// Bytes of its pages.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return pages_.size() * entry_pages::page_bytes;
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// Places that are not taken.
    [[nodiscard]] std::size_t vacant() const noexcept { return pages_.size() * places - count_; }
    /// Whether more of them are vacant than come and go: about a quarter.
    [[nodiscard]] bool sparse() const noexcept { return vacant() > count_ / 4 + 2 * places; }

    /// Makes places for some more. False: no memory.
    [[nodiscard]] bool add_page() noexcept {
        try {
            if (pages_.size() == pages_.capacity()) pages_.reserve(2 * pages_.size() + 8);
        } catch (const std::bad_alloc&) {
            return false;
        }
        void* const memory = from_.take();
        if (memory == nullptr) return false;
        page& made = *std::construct_at(page_in(memory));
        made.number = pages_.size();
        pages_.push_back(&made);
        list(made);
        return true;
    }
    /// Precondition: some place is vacant. Throws what the constructor throws.
    template <class... Arguments>
    [[nodiscard]] Entry& make(Arguments&&... arguments) {
        page& in = fullest_with_room();
        const auto at = static_cast<unsigned>(std::countr_one(in.live));
        const std::uint64_t bit = std::uint64_t{1} << at;
        Entry* const entry = place(in, at);
        if ((in.made & bit) != 0) {
            std::destroy_at(entry);
            in.made &= ~bit;
        }
        std::construct_at(entry, std::forward<Arguments>(arguments)...);
        in.made |= bit;
        unlist(in);
        in.live |= bit;
        list(in);
        ++count_;
        return *entry;
    }
    void free(Entry& gone) noexcept {
        page& in = page_of(gone);
        const auto at = static_cast<std::size_t>(&gone - place(in, 0));
        assert((in.live >> at & 1) != 0);
        unlist(in);
        in.live &= ~(std::uint64_t{1} << at);
        list(in);
        --count_;
    }
    /// Gives an empty page back; whether there was one.
    bool drop_page() noexcept {
        if (by_count_[0].empty()) return false;
        give_back(by_count_[0]);
        return true;
    }
    /// Calls visit(entry) for all in those few pages that have fewest. It may free what it is
    /// given.
    template <class Visit>
    void each_of_emptiest(Visit visit) {
        std::array<page*, most_looks> found{};
        std::size_t looks = 0;
        each_sparse_page([&](page& one) {
            found[looks++] = &one;
            return false;
        });
        for (std::size_t i = 0; i < looks; ++i) each_in(*found[i], visit);
    }
    /// Empties one of the pages that have fewest entries: of one of which can_move(entry) holds for
    /// all, calls move(entry), which makes another in its place. Whether there was one.
    template <class CanMove, class Move>
    bool empty_page(CanMove can_move, Move move) {
        page* found = nullptr;
        each_sparse_page([&](page& one) {
            bool all = true;
            each_in(one, [&](Entry& entry) { all = all && can_move(entry); });
            if (all) found = &one;
            return all;
        });
        if (found == nullptr) return false;
        const auto count = static_cast<std::size_t>(std::popcount(found->live));
        if (vacant() - (places - count) < count) return false;
        // Out of the way: what is made goes elsewhere.
        unlist(*found);
        each_in(*found, [&](Entry& entry) {
            move(entry);
            --count_;
        });
        found->live = 0;
        list(*found);
        return true;
    }
    /// Frees all entries of one page: of some of those of which can_go(entry) holds for all, looked
    /// for from page `from` on, round and round, that whose latest last_use(entry) is the earliest.
    /// Calls go(entry), which frees it. Whether there was one.
    template <class CanGo, class LastUse, class Go>
    bool clear_page(std::size_t& from, CanGo can_go, LastUse last_use, Go go) {
        page* found = nullptr;
        std::int64_t earliest = 0;
        std::size_t looks = 0;
        for (std::size_t i = 0; i < pages_.size() && looks < most_looks; ++i) {
            if (from >= pages_.size()) from = 0;
            page& one = *pages_[from++];
            bool all = one.live != 0;
            std::int64_t latest = std::numeric_limits<std::int64_t>::min();
            each_in(one, [&](Entry& entry) {
                all = all && can_go(entry);
                if (all) latest = std::max(latest, last_use(entry));
            });
            if (!all) continue;
            ++looks;
            if (found != nullptr && latest >= earliest) continue;
            found = &one;
            earliest = latest;
        }
        if (found == nullptr) return false;
        each_in(*found, go);
        return true;
    }
    template <class Visit>
    void each(Visit visit) {
        for (page_list& some : by_count_) {
            for (page& one : some) each_in(one, visit);
        }
    }
    template <class Visit>
    void each(Visit visit) const {
        for (const page_list& some : by_count_) {
            for (const page& one : some)
                each_in(const_cast<page&>(one), [&](const Entry& entry) { visit(entry); });
        }
    }

    /// The same for those in `count` pages from the one with this number on; gives the number to go
    /// on with, and 0 at the end. What is moved or made between two calls may be visited twice, or
    /// not at all.
    template <class Visit>
    std::size_t each_some(std::size_t first, std::size_t count, Visit visit) {
        const std::size_t end = std::min(pages_.size(), first + count);
        for (std::size_t at = first; at < end; ++at) each_in(*pages_[at], visit);
        return end == pages_.size() ? 0 : end;
    }
    /// A place among all, for next().
    struct position {
        std::size_t page = 0;
        unsigned place = 0;
    };
    /// The next one from there on, round and round, as each_some() visits them; nullptr if there is
    /// none. The position is then behind it.
    [[nodiscard]] Entry* next(position& from) noexcept {
        if (count_ == 0) return nullptr;
        for (std::size_t looks = 0; looks <= pages_.size(); ++looks) {
            if (from.page >= pages_.size()) from = {};
            page& in = *pages_[from.page];
            const std::uint64_t left = in.live >> from.place << from.place;
            if (left != 0) {
                const auto found = static_cast<unsigned>(std::countr_zero(left));
                from.place = found + 1;
                return place(in, found);
            }
            from = {from.page + 1, 0};
        }
        return nullptr;
    }
    /// What is wrong, or nullptr.
    [[nodiscard]] const char* fault() const noexcept {
        std::size_t found_pages = 0;
        std::size_t found = 0;
        for (std::size_t level = 0; level <= places; ++level) {
            if ((levels_ >> level & 1) == (by_count_[level].empty() ? 1 : 0))
                return "a list of pages counts as empty, or an empty one does not";
            for (const page& one : by_count_[level]) {
                if (static_cast<std::size_t>(std::popcount(one.live)) != level)
                    return "a page lies in the list of pages with more entries, or with fewer";
                if ((one.live & ~one.made) != 0) return "an entry counts that was not made";
                if (pages_[one.number] != &one) return "a page has the number of another";
                ++found_pages;
                found += level;
            }
        }
        return found_pages == pages_.size() && found == count_ ? nullptr
                                                               : "entries are counted wrongly";
    }

private:
    using page_list = boost::intrusive::list<page, boost::intrusive::constant_time_size<false>>;
    static_assert(places > 0 && places < 64);
    static constexpr std::size_t most_looks = 8;

    [[nodiscard]] static page* page_in(void* memory) noexcept {
        return reinterpret_cast<page*>(static_cast<std::byte*>(memory) + page_at);
    }
    [[nodiscard]] static void* memory_of(page& of) noexcept {
        return reinterpret_cast<std::byte*>(&of) - page_at;
    }
    [[nodiscard]] static page& page_of(Entry& one) noexcept {
        const auto address = reinterpret_cast<std::uintptr_t>(&one);
        return *page_in(reinterpret_cast<void*>(address & ~(entry_pages::page_bytes - 1)));
    }
    [[nodiscard]] static Entry* place(page& in, std::size_t number) noexcept {
        return reinterpret_cast<Entry*>(static_cast<std::byte*>(memory_of(in)) + first_at) + number;
    }
    void list(page& one) noexcept {
        const auto level = static_cast<unsigned>(std::popcount(one.live));
        by_count_[level].push_back(one);
        levels_ |= std::uint64_t{1} << level;
    }
    void unlist(page& one) noexcept {
        const auto level = static_cast<unsigned>(std::popcount(one.live));
        by_count_[level].erase(by_count_[level].iterator_to(one));
        if (by_count_[level].empty()) levels_ &= ~(std::uint64_t{1} << level);
    }
    [[nodiscard]] page& fullest_with_room() noexcept {
        const std::uint64_t with_room = levels_ & ((std::uint64_t{1} << places) - 1);
        assert(with_room != 0);
        return by_count_[static_cast<unsigned>(std::bit_width(with_room)) - 1].front();
    }
    /// Those neither empty nor full, the emptiest first, at most most_looks of them, and until
    /// visit(page) says that it is done.
    template <class Visit>
    void each_sparse_page(Visit visit) {
        std::size_t looks = 0;
        for (std::size_t level = 1; level < places; ++level) {
            for (page& one : by_count_[level]) {
                if (looks++ == most_looks || visit(one)) return;
            }
        }
    }
    template <class Visit>
    static void each_in(page& in, Visit visit) {
        for (std::uint64_t left = in.live; left != 0; left &= left - 1)
            visit(*place(in, static_cast<unsigned>(std::countr_zero(left))));
    }
    void give_back(page_list& from) noexcept {
        page& gone = from.front();
        for (std::uint64_t left = gone.made; left != 0; left &= left - 1)
            std::destroy_at(place(gone, static_cast<unsigned>(std::countr_zero(left))));
        count_ -= static_cast<unsigned>(std::popcount(gone.live));
        unlist(gone);
        pages_[gone.number] = pages_.back();
        pages_[gone.number]->number = gone.number;
        pages_.pop_back();
        std::destroy_at(&gone);
        from_.give_back(memory_of(gone));
    }

    entry_pages& from_;
    std::array<page_list, places + 1> by_count_;
    std::uint64_t levels_ = 0;  ///< a bit for each list that is not empty
    std::vector<page*> pages_;  ///< in no order
    std::size_t count_ = 0;
};

}  // namespace leat::detail
