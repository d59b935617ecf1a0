// What hints ask of a chunk's staying.
#pragma once

#include <leat/cache/chunk_config.hpp>

#include <cstdint>

namespace leat::detail {

/// How a request has asked that what it brings be kept.
enum class retention : std::uint8_t {
    normal,
    first_to_go,
    last_to_go,
    gone_when_idle  ///< as first_to_go, where it is not let go at once
};

/// Whether a request with this hint is a use for whose sake its chunk stays.
[[nodiscard]] constexpr bool counts_as_use(hint given) noexcept {
    return given != hint::scan && given != hint::no_retain && given != hint::once;
}

/// Of a chunk that a request with this hint brings in.
[[nodiscard]] constexpr retention retention_of(hint given) noexcept {
    switch (given) {
        case hint::normal:
        case hint::no_wait:
        case hint::stream:
            break;
        case hint::scan:
        case hint::once:
            return retention::first_to_go;
        case hint::no_retain:
            return retention::gone_when_idle;
        case hint::keep:
            return retention::last_to_go;
    }
    return retention::normal;
}

/// Of a chunk that was there, when a request with this hint has had bytes of it.
[[nodiscard]] constexpr retention retention_after(retention before, hint given) noexcept {
    switch (given) {
        case hint::normal:
        case hint::no_wait:
        case hint::stream:
            break;
        case hint::scan:
        case hint::once:
            return before == retention::gone_when_idle ? retention::first_to_go : before;
        case hint::no_retain:
            return before == retention::normal ? before : retention::gone_when_idle;
        case hint::keep:
            return retention::last_to_go;
    }
    return before == retention::last_to_go ? before : retention::normal;
}

}  // namespace leat::detail
