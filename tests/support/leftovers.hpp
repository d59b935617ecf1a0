// What an engine may leave behind: nothing.
#pragma once

#include "pattern.hpp"

#include <leat/engine/detail/frame_pool.hpp>

#include <cstddef>
#include <cstdint>

namespace leat::test {

/// Checks at its end, engines inside it being gone, that no frame and no descriptor is left.
struct leftovers {
    std::int64_t frames = detail::frame_pool::live();
    std::size_t descriptors = open_descriptors();
    [[nodiscard]] bool none() const {
        return detail::frame_pool::live() == frames && open_descriptors() == descriptors;
    }
};

}  // namespace leat::test
