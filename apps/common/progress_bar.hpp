// How far a program has come, in one line of standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace leat::apps {

/// Bytes done of a total, with rate, percentage and time left. Used by one thread.
class progress_bar {
public:
    using time_point = std::chrono::steady_clock::time_point;
    /// How often it is worth updating.
    static constexpr std::chrono::milliseconds period{100};

    /// `total` is in bytes, 0 if unknown.
    progress_bar(std::uint64_t total, time_point start) noexcept;
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;
    /// Erases it from a terminal; elsewhere the line stays.
    ~progress_bar();

    /// Shows the line for `done` bytes at `now`, as wide as the terminal is now.
    void update(std::uint64_t done, time_point now);

    /// The line for `done` bytes, at most `columns` wide.
    [[nodiscard]] std::string line(std::uint64_t done, unsigned columns) const;

private:
    void measure(std::uint64_t done, time_point now) noexcept;

    std::uint64_t total_;
    time_point measured_at_;
    std::uint64_t measured_ = 0;
    double rate_ = 0;  ///< bytes a second, a running mean over about two seconds
};

}  // namespace leat::apps
