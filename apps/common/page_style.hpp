// The stylesheet of the pages that programs write: reports and status pages.
#pragma once

#include <string_view>

namespace leat::apps {

/// The text of page_style.css, for a <style> element: light and dark as the reader's system has it,
/// and paper. Its first comment tells which elements and classes it knows. Static storage.
[[nodiscard]] std::string_view page_style() noexcept;

}  // namespace leat::apps
