// What a folder holds.
#pragma once

#include "http/directory_listing.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <vector>

namespace leat::serve {

/// The files and folders of `path`, relative to `root`, which neither it nor what it names may lead
/// out of: links that do are left out, and so are names that begin with a dot unless `dotfiles`,
/// and what is neither a file nor a folder. Blocks. Errors: the system's.
[[nodiscard]] boost::system::result<std::vector<http::directory_entry>> folder_entries(
    const std::string& root, const std::string& path, bool dotfiles);

}  // namespace leat::serve
