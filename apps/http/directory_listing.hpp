// A folder's entries as a page.
#pragma once

#include "http/http_date.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat::http {

struct directory_entry {
    std::string name;
    bool is_folder = false;
    std::uint64_t size = 0;  ///< bytes, of a file
    sys_seconds modified{};
};

/// A page of HTML: the entries as links, folders first, each kind by the bytes of its names, with
/// sizes and times (UTC). `path` is the folder's, decoded, as target_path has it. Names and path
/// may be any bytes: they are escaped. It has no script and loads nothing. Unless these are `all`
/// that the folder has, it says so.
[[nodiscard]] std::string directory_listing(std::string_view path,
                                            std::vector<directory_entry> entries,
                                            bool all = true);

/// Appends text to HTML, inside an element or an attribute in double quotes.
void append_escaped(std::string& html, std::string_view text);

}  // namespace leat::http
