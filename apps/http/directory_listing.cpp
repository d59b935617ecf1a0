// Writes a page of HTML.
#include "http/directory_listing.hpp"

#include "http/target_path.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace leat::http {

namespace {

constexpr std::string_view style =
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:1rem auto;padding:0 1rem;max-width:60rem}"
    "h1{font-size:1.2rem;overflow-wrap:anywhere}"
    "table{width:100%;border-collapse:collapse}"
    "td,th{padding:.3rem .5rem;text-align:left;border-bottom:1px solid rgb(128 128 128/.3)}"
    "td:first-child{overflow-wrap:anywhere}"
    "td+td,th+th{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    "a{text-decoration:none}a:hover{text-decoration:underline}"
    "@media(max-width:36rem){td:last-child,th:last-child{display:none}}";

void append_size(std::string& html, std::uint64_t size) {
    constexpr std::array<const char*, 7> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::size_t unit = 0;
    auto value = static_cast<double>(size);
    for (; value >= 1000 && unit + 1 < units.size(); ++unit) value /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    html += text.data();
}

void append_time(std::string& html, sys_seconds time) {
    namespace chrono = std::chrono;
    const auto midnight = chrono::floor<chrono::days>(time);
    const chrono::year_month_day date{midnight};
    const auto minutes = static_cast<int>((time - midnight).count() / 60);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d",
                  static_cast<int>(date.year()), unsigned{date.month()}, unsigned{date.day()},
                  minutes / 60, minutes % 60);
    html += text.data();
}

/// A name as a link relative to its folder: escaped, it can be neither a scheme nor another host.
void append_link(std::string& html, std::string_view name) {
    const std::size_t size = html.size();
    html.resize(size + 3 * name.size());
    const std::string_view link = encode_path(name, {html.data() + size, 3 * name.size()});
    html.resize(size + link.size());
}

void append_row(std::string& html, const directory_entry& entry) {
    const char* const slash = entry.is_folder ? "/" : "";
    html += "<tr><td><a href=\"";
    append_link(html, entry.name);
    (html += slash) += "\">";
    append_escaped(html, entry.name);
    (html += slash) += "</a></td><td>";
    if (!entry.is_folder) append_size(html, entry.size);
    html += "</td><td>";
    append_time(html, entry.modified);
    html += "</td></tr>\n";
}

}  // namespace

std::string directory_listing(std::string_view path,
                              std::vector<directory_entry> entries,
                              bool all) {
    std::sort(entries.begin(), entries.end(),
              [](const directory_entry& a, const directory_entry& b) {
                  return a.is_folder != b.is_folder ? a.is_folder : a.name < b.name;
              });
    std::string title{'/'};
    append_escaped(title, path);
    if (!path.empty()) title += '/';
    std::string html =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>";
    ((((html += title) += "</title>\n<style>") += style) += "</style></head>\n<body><h1>") += title;
    html += "</h1>\n<table><tr><th>Name</th><th>Size</th><th>Modified (UTC)</th></tr>\n";
    if (!path.empty()) html += "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n";
    for (const directory_entry& entry : entries) append_row(html, entry);
    html += "</table>";
    if (!all) {
        html += "\n<p>There are more: these are the first " + std::to_string(entries.size()) +
                " by their names.</p>";
    }
    html += "</body></html>\n";
    return html;
}

void append_escaped(std::string& html, std::string_view text) {
    for (const char one : text) {
        switch (one) {
            case '&':
                html += "&amp;";
                break;
            case '<':
                html += "&lt;";
                break;
            case '>':
                html += "&gt;";
                break;
            case '"':
                html += "&quot;";
                break;
            case '\'':
                html += "&#39;";
                break;
            default:
                // A control character is none that HTML knows: the sign for what cannot be shown.
                if (static_cast<unsigned char>(one) < 0x20 || one == 0x7f) {
                    html += "\xef\xbf\xbd";
                } else {
                    html += one;
                }
        }
    }
}

}  // namespace leat::http
