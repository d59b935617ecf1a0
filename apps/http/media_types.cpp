// Reads mime.types, and looks endings up.
#include "http/media_types.hpp"

#include "http/file_text.hpp"
#include "http/text.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace leat::http {

namespace {

constexpr std::size_t longest_ending = 32;
constexpr std::string_view unknown = "application/octet-stream";

/// What browsers would not show, play or run without its type, in the form of mime.types.
constexpr std::string_view built_in =
    "application/gzip gz\n"
    "application/json json map\n"
    "application/manifest+json webmanifest\n"
    "application/pdf pdf\n"
    "application/vnd.apple.mpegurl m3u8\n"
    "application/wasm wasm\n"
    "application/xml xml xsl\n"
    "application/zip zip\n"
    "application/zstd zst\n"
    "audio/flac flac\n"
    "audio/mpeg mp3\n"
    "audio/ogg oga ogg opus\n"
    "audio/wav wav\n"
    "font/otf otf\n"
    "font/ttf ttf\n"
    "font/woff woff\n"
    "font/woff2 woff2\n"
    "image/avif avif\n"
    "image/gif gif\n"
    "image/jpeg jpeg jpg\n"
    "image/png png\n"
    "image/svg+xml svg\n"
    "image/webp webp\n"
    "image/x-icon ico\n"
    "text/css css\n"
    "text/csv csv\n"
    "text/html htm html\n"
    "text/javascript js mjs\n"
    "text/markdown md\n"
    "text/plain log txt\n"
    "video/iso.segment m4s\n"
    "video/mp2t ts\n"
    "video/mp4 m4v mp4\n"
    "video/webm webm\n"
    "video/x-matroska mkv\n";

/// TYPE/SUBTYPE, as a value of a field may have it.
bool is_type(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    return is_token(text.substr(0, slash)) && slash < text.size() &&
           is_token(text.substr(slash + 1));
}

/// Takes the next word off a line.
std::string_view next_word(std::string_view& line) {
    const std::size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
    line.remove_prefix(begin);
    const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
    line.remove_prefix(word.size());
    return word;
}

}  // namespace

media_types media_types::read(const std::string& file) {
    try {
        return media_types{file_text(file)};
    } catch (const boost::system::system_error&) {
        return media_types{};
    }
}

media_types::media_types(std::string_view text) {
    add(text);
    add(built_in);
}

void media_types::add(std::string_view text) {
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        line = line.substr(0, line.find('#'));
        const std::string_view type = next_word(line);
        if (!is_type(type)) continue;
        const bool is_text = type.starts_with("text/");
        for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
            if (word.size() > longest_ending) continue;
            std::string ending{word};
            std::transform(ending.begin(), ending.end(), ending.begin(), lower);
            // Of several for one ending the first counts.
            types_.try_emplace(std::move(ending),
                               std::string{type} + (is_text ? "; charset=utf-8" : ""));
        }
    }
}

std::string_view media_types::of(std::string_view name) const noexcept {
    const std::size_t dot = name.find_last_of("./");
    if (dot == name.npos || name[dot] == '/') return unknown;
    const std::string_view ending = name.substr(dot + 1);
    if (ending.size() > longest_ending) return unknown;
    std::array<char, longest_ending> letters;
    std::transform(ending.begin(), ending.end(), letters.begin(), lower);
    const auto found = types_.find(std::string_view{letters.data(), ending.size()});
    return found != types_.end() ? std::string_view{found->second} : unknown;
}

}  // namespace leat::http
