// What an administrator is answered.
#pragma once

#include "http/status.hpp"

#include <string>
#include <string_view>

namespace leat::serve {

struct admin_answer {
    http::status code = http::status::ok;
    std::string_view content_type = "text/plain; charset=utf-8";
    std::string content;
    std::string_view allow = {};  ///< of a 405
};

}  // namespace leat::serve
