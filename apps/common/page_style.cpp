// Carries the stylesheet in the program.
#include "common/page_style.hpp"

#include "page_style_text.hpp"

namespace leat::apps {

std::string_view page_style() noexcept {
    return page_style_text;
}

}  // namespace leat::apps
