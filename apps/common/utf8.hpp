// Text that is to be UTF-8, of bytes that may be none.
#pragma once

#include <string>
#include <string_view>

namespace leat::apps {

/// `text` with U+FFFD in place of each byte that belongs to no letter of UTF-8. Text of JSON is
/// UTF-8, names of files are any bytes.
[[nodiscard]] std::string utf8(std::string_view text);

}  // namespace leat::apps
