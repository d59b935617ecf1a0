// What the tests of emptying segments and slabs share.
#pragma once

#include "pattern.hpp"
#include "shard/segment_emptying.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <deque>

namespace leat::test {

using namespace leat::literals;

/// Four segments of 2 MiB, and chunks in them.
struct arena_of_four {
    explicit arena_of_four(std::uint64_t budget = 8_MiB,
                           std::uint64_t segment = 0,
                           std::uint64_t slab = 0)
        : arena_of_four(options(budget, segment, slab)) {}
    explicit arena_of_four(const io::arena_options& of) : arena(of) {}
    static io::arena_options options(std::uint64_t budget,
                                     std::uint64_t segment,
                                     std::uint64_t slab) {
        io::arena_options made;
        made.budget = budget;
        made.segment_bytes = segment;
        made.slab_bytes = slab;
        made.huge_pages = made.register_buffers = false;
        return made;
    }
    detail::chunk& add(std::uint64_t bytes) {
        detail::chunk& one = all.emplace_back(static_cast<std::uint32_t>(bytes));
        one.bytes = static_cast<std::uint32_t>(bytes);
        one.set_place(arena.allocate(bytes, &one), 0);
        BOOST_REQUIRE(one.data() != nullptr);
        fill_pattern({one.data(), bytes}, 1, all.size() * 1_MiB);
        return one;
    }
    void drop(detail::chunk& one) {
        arena.release(one.data(), one.bytes);
        one.set_place(nullptr, 0);
    }
    [[nodiscard]] bool right() {
        bool all_right = true;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const detail::chunk& one = all[i];
            if (one.data() == nullptr) continue;
            all_right = all_right && is_pattern({one.data(), one.bytes}, 1, (i + 1) * 1_MiB);
        }
        return all_right && arena.fault() == nullptr;
    }

    io::buffer_arena arena;
    std::deque<detail::chunk> all;
};

}  // namespace leat::test
