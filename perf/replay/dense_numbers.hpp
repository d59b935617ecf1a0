// Numbers ids from 0 on, in the order in which they come.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

namespace leat::perf {

/// A table of ids, open addressing: a big trace asks it millions of times.
class dense_numbers {
public:
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

    /// The number of `id`: size() as it was before the call if it is new.
    [[nodiscard]] std::uint32_t operator[](std::uint64_t id) {
        slot& found = places_[place_of(id)];
        if (found.number != none) return found.number;
        if (size_ == none) throw std::runtime_error("a trace of more than 2^32 - 1 objects");
        found = {id, size_++};
        const std::uint32_t number = found.number;
        if (std::size_t{size_} * 2 > places_.size()) grow();
        return number;
    }

private:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
    struct slot {
        std::uint64_t id = 0;
        std::uint32_t number = none;
    };

    /// Where it is, or would be.
    [[nodiscard]] std::size_t place_of(std::uint64_t id) const noexcept {
        // The upper bits of a product are mixed from all of the id's; a power of two of places.
        const int shift = 64 - std::countr_zero(places_.size());
        std::size_t place = ((id ^ (id >> 32)) * 0x9e3779b97f4a7c15u) >> shift;
        while (places_[place].number != none && places_[place].id != id)
            place = (place + 1) & (places_.size() - 1);
        return place;
    }
    void grow() {
        std::vector<slot> before(places_.size() * 2);
        before.swap(places_);
        for (const slot& one : before) {
            if (one.number != none) places_[place_of(one.id)] = one;
        }
    }

    std::vector<slot> places_ = std::vector<slot>(1024);
    std::uint32_t size_ = 0;
};

}  // namespace leat::perf
