// Lengths of time as leat takes them: of any std::chrono::duration, without overflow.
#pragma once

#include <chrono>
#include <compare>
#include <limits>
#include <ratio>
#include <type_traits>

namespace leat {

/// A length of time in nanoseconds that any std::chrono::duration converts to. What is too long for
/// 64 bits, about 292 years, becomes max(), which everywhere means that there is no limit; what is
/// too far below zero becomes the least, and a NaN no time at all.
///
///     co_await leat::with_timeout(job(), std::chrono::hours::max());  // however long it takes
class time_span {
    using length = std::chrono::nanoseconds;

    template <class Rep, class Period>
    static constexpr length saturated(std::chrono::duration<Rep, Period> given) noexcept {
        if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>, length>) {
            return given;
        } else {
            // Exact enough to tell what fits: the limits are tested with room to spare.
            using wide = std::chrono::duration<long double, std::nano>;
            const long double ns = std::chrono::duration_cast<wide>(given).count();
            if (ns != ns) return length::zero();
            if (ns >= static_cast<long double>(length::max().count())) return length::max();
            if (ns <= static_cast<long double>(length::min().count())) return length::min();
            return std::chrono::duration_cast<length>(given);
        }
    }

public:
    constexpr time_span() noexcept = default;
    template <class Rep, class Period>
    constexpr time_span(std::chrono::duration<Rep, Period> given) noexcept
        : length_(saturated(given)) {}

    /// No limit.
    [[nodiscard]] static constexpr time_span max() noexcept { return length::max(); }
    [[nodiscard]] constexpr bool unlimited() const noexcept { return length_ == length::max(); }

    [[nodiscard]] constexpr std::chrono::nanoseconds nanoseconds() const noexcept {
        return length_;
    }
    constexpr operator std::chrono::nanoseconds() const noexcept { return length_; }

    friend constexpr bool operator==(const time_span&, const time_span&) noexcept = default;
    friend constexpr auto operator<=>(const time_span&, const time_span&) noexcept = default;

private:
    length length_{0};
};

/// The time `length` after `from`, which is not before its clock's epoch; time_point::max(), which
/// never comes, if that lies beyond it.
template <class Clock, class Duration>
[[nodiscard]] constexpr std::chrono::time_point<Clock, Duration> later(
    std::chrono::time_point<Clock, Duration> from, time_span length) noexcept {
    using point = std::chrono::time_point<Clock, Duration>;
    const std::chrono::nanoseconds by = length;
    return by < point::max() - from ? from + std::chrono::duration_cast<Duration>(by)
                                    : point::max();
}

}  // namespace leat
