// Reads three forms of dates and writes one.
#include "http/http_date.hpp"

#include "http/text.hpp"

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace leat::http {

namespace {

namespace chrono = std::chrono;

constexpr std::array<std::string_view, 7> days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                               "Thursday", "Friday", "Saturday"};
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

/// Takes a date apart from its beginning. What does not fit makes all of it wrong.
class scanner {
public:
    explicit scanner(std::string_view text) : left_(text) {}

    bool skip(std::string_view expected) {
        if (!left_.starts_with(expected)) return false;
        left_.remove_prefix(expected.size());
        return true;
    }
    void expect(std::string_view expected) { fits_ = skip(expected) && fits_; }

    unsigned number(std::size_t count) {
        if (left_.size() < count) return fail();
        unsigned value = 0;
        for (const char one : left_.substr(0, count)) {
            if (!is_digit(one)) return fail();
            value = value * 10 + static_cast<unsigned>(one - '0');
        }
        left_.remove_prefix(count);
        return value;
    }
    /// 1 to 12.
    unsigned month() {
        const std::size_t at = left_.size() < 3 ? months.npos : months.find(left_.substr(0, 3));
        if (at == months.npos || at % 3 != 0) return fail();
        left_.remove_prefix(3);
        return static_cast<unsigned>(at / 3 + 1);
    }
    chrono::seconds time_of_day() {
        const unsigned hours = number(2);
        expect(":");
        const unsigned minutes = number(2);
        expect(":");
        const unsigned seconds = number(2);
        if (hours > 23 || minutes > 59 || seconds > 60) fail();
        return chrono::hours{hours} + chrono::minutes{minutes} + chrono::seconds{seconds};
    }
    [[nodiscard]] bool at_end() const { return fits_ && left_.empty(); }

private:
    unsigned fail() {
        fits_ = false;
        left_ = {};
        return 0;
    }
    std::string_view left_;
    bool fits_ = true;
};

std::optional<sys_seconds> joined(const scanner& text,
                                  chrono::year_month_day day,
                                  chrono::seconds time) {
    if (!text.at_end() || !day.ok()) return {};
    return chrono::sys_days{day} + time;
}

chrono::year_month_day day_of(unsigned year, unsigned month, unsigned day) {
    return {chrono::year{static_cast<int>(year)}, chrono::month{month}, chrono::day{day}};
}

/// What a date is made of, as it is written.
struct parts {
    unsigned day = 0;
    unsigned month = 0;
    unsigned year = 0;
    chrono::seconds time{0};
};

/// "06 Nov 1994 08:49:37 GMT", with other separators and another number of digits for the year.
parts day_first(scanner& text, std::string_view separator, std::size_t digits) {
    parts read;
    read.day = text.number(2);
    text.expect(separator);
    read.month = text.month();
    text.expect(separator);
    read.year = text.number(digits);
    text.expect(" ");
    read.time = text.time_of_day();
    text.expect(" GMT");
    return read;
}

/// Behind "Sun, ": 06 Nov 1994 08:49:37 GMT
std::optional<sys_seconds> fixed_date(scanner text) {
    const parts read = day_first(text, " ", 4);
    return joined(text, day_of(read.year, read.month, read.day), read.time);
}

/// Behind "Sunday, ": 06-Nov-94 08:49:37 GMT
std::optional<sys_seconds> short_date(scanner text, sys_seconds now) {
    const parts read = day_first(text, "-", 2);
    const chrono::year_month_day today{chrono::floor<chrono::days>(now)};
    const auto this_year = static_cast<unsigned>(std::max(static_cast<int>(today.year()), 100));
    const unsigned year = this_year / 100 * 100 + read.year;
    const auto date = joined(text, day_of(year, read.month, read.day), read.time);
    // By the day, not by the year alone: 50 years and a day from now is the past.
    const auto limit = chrono::year_month_day{today.year() + chrono::years{50}, today.month(),
                                              chrono::day{std::min(28U, unsigned{today.day()})}};
    if (date && *date < chrono::sys_days{limit} + chrono::days{4}) return date;
    return joined(text, day_of(year - 100, read.month, read.day), read.time);
}

/// Behind "Sun ": Nov  6 08:49:37 1994
std::optional<sys_seconds> asctime_date(scanner text) {
    const unsigned month = text.month();
    text.expect(" ");
    const unsigned day = text.skip(" ") ? text.number(1) : text.number(2);
    text.expect(" ");
    const chrono::seconds time = text.time_of_day();
    text.expect(" ");
    const unsigned year = text.number(4);
    return joined(text, day_of(year, month, day), time);
}

void put(char* to, unsigned value, unsigned count) {
    for (; count > 0; value /= 10) to[--count] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::optional<sys_seconds> parse_date(std::string_view text, sys_seconds now) {
    if (text.empty()) return {};
    for (const std::string_view day : days) {
        scanner from{text};
        if (!from.skip(day.substr(0, 3))) continue;
        if (from.skip(", ")) return fixed_date(from);
        if (from.skip(" ")) return asctime_date(from);
        if (from.skip(day.substr(3)) && from.skip(", ")) return short_date(from, now);
        return {};
    }
    return {};
}

std::array<char, date_bytes> format_date(sys_seconds time) {
    constexpr sys_seconds first = chrono::sys_days{chrono::year{0} / 1 / 1};
    constexpr sys_seconds last = chrono::sys_days{chrono::year{10000} / 1 / 1} - chrono::seconds{1};
    time = std::clamp(time, first, last);
    const auto midnight = chrono::floor<chrono::days>(time);
    const chrono::year_month_day date{midnight};
    const auto seconds = static_cast<unsigned>((time - midnight).count());
    std::array<char, date_bytes> text;
    std::ranges::copy(std::string_view{"Sun, 06 Nov 1994 08:49:37 GMT"}, text.begin());
    std::ranges::copy(days[chrono::weekday{midnight}.c_encoding()].substr(0, 3), text.begin());
    put(&text[5], unsigned{date.day()}, 2);
    std::ranges::copy(months.substr((unsigned{date.month()} - 1) * 3, 3), &text[8]);
    put(&text[12], static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put(&text[17], seconds / 3600, 2);
    put(&text[20], seconds / 60 % 60, 2);
    put(&text[23], seconds % 60, 2);
    return text;
}

sys_seconds present() {
    return sys_seconds{chrono::seconds{std::time(nullptr)}};
}

std::string_view date_text(sys_seconds now) {
    struct made {
        sys_seconds at;
        std::array<char, date_bytes> text;
    };
    thread_local made last{{}, format_date({})};
    if (now != last.at) last = {now, format_date(now)};
    return {last.text.data(), last.text.size()};
}

}  // namespace leat::http
