// The whole of a small file.
#pragma once

#include <string>

namespace leat::http {

/// Its bytes, read by blocking calls. Throws boost::system::system_error.
[[nodiscard]] std::string file_text(const std::string& path);

}  // namespace leat::http
