// Draws bytes, rate and time left into one line.
#include "common/progress_bar.hpp"

#include "common/messages.hpp"

#include <spdlog/fmt/fmt.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace leat::apps {

namespace {

constexpr unsigned usual_columns = 80;

unsigned terminal_columns() noexcept {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return usual_columns;
    return size.ws_col;
}

/// Three digits and a unit, at most 8 columns.
std::string short_size(double bytes) {
    constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::size_t power = 0;
    while (bytes >= 999.5 && power + 1 < units.size()) {
        bytes /= 1024;
        ++power;
    }
    const int digits = power == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
    return fmt::format("{:.{}f} {}", bytes, digits, units[power]);
}

std::string time_left(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::ceil(seconds));
    if (whole >= 3600) {
        return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    }
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

progress_bar::progress_bar(std::uint64_t total, time_point start) noexcept
    : total_(total), measured_at_(start) {}

progress_bar::~progress_bar() {
    end_status();
}

void progress_bar::measure(std::uint64_t done, time_point now) noexcept {
    const double seconds = std::chrono::duration<double>(now - measured_at_).count();
    if (seconds <= 0 || (measured_ != 0 && seconds < 0.01)) return;  // too short to say anything
    const double present = static_cast<double>(done - measured_) / seconds;
    const double weight = measured_ == 0 ? 1 : 1 - std::exp(-seconds / 2);
    rate_ += (present - rate_) * weight;
    measured_ = done;
    measured_at_ = now;
}

void progress_bar::update(std::uint64_t done, time_point now) {
    measure(done, now);
    show_status(line(done, terminal_columns() - 1));  // a full line would wrap
}

std::string progress_bar::line(std::uint64_t done, unsigned columns) const {
    std::string left = fmt::format("{:>8}", short_size(static_cast<double>(done)));
    std::string right = fmt::format("{:>8}/s", short_size(rate_));
    if (total_ != 0 && done <= total_) {
        const double share = static_cast<double>(done) / static_cast<double>(total_);
        left += fmt::format(" of {}", short_size(static_cast<double>(total_)));
        const double remaining = static_cast<double>(total_ - done);
        const std::string eta =
            rate_ >= 1 || remaining == 0 ? time_left(remaining / std::max(rate_, 1.0)) : "-:--";
        right = fmt::format("{:>3.0f}%  {}  ETA {}", std::floor(share * 100), right, eta);
        const std::size_t taken = left.size() + right.size() + 6;  // gaps and brackets
        if (taken + 8 <= columns) {
            const std::size_t width = std::min<std::size_t>(columns - taken, 50);
            const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
            left += fmt::format("  [{}{}]", std::string(full, '#'), std::string(width - full, '.'));
        }
    }
    std::string whole = left + "  " + right;
    if (whole.size() > columns) whole.resize(columns);
    return whole;
}

}  // namespace leat::apps
