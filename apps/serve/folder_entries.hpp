// What a folder holds.
#pragma once

#include "http/directory_listing.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace leat::serve {

/// What is listed of a folder.
struct listed_folder {
    std::vector<http::directory_entry> entries;
    bool all = true;  ///< else there are more names, which come behind these by their bytes
};

/// The files and folders of `path`, relative to `root`, which neither it nor what it names may lead
/// out of: links that do are left out, and so are names that begin with a dot unless `dotfiles`,
/// and what is neither a file nor a folder. Of the names, the first `most` by their bytes are
/// looked at, and memory is for so many. Blocks. Errors: the system's.
[[nodiscard]] boost::system::result<listed_folder> folder_entries(const std::string& root,
                                                                  const std::string& path,
                                                                  bool dotfiles,
                                                                  std::size_t most);

/// What folder_entries would fail with before it reads; empty: nothing. Blocks.
[[nodiscard]] boost::system::error_code folder_is_readable(const std::string& root,
                                                           const std::string& path);

}  // namespace leat::serve
