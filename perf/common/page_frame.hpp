// What the pages of leat-bench have around what they tell.
#pragma once

#include "common/run_record.hpp"

#include <string>
#include <vector>

namespace leat::perf {

struct page_section {
    std::string id;
    std::string title;
    std::string body;  ///< HTML
};

/// A big number and what it is.
struct card {
    std::string value;
    std::string label;
    std::string beside;  ///< what to compare it with; may be empty
};

[[nodiscard]] std::string cards_of(const std::vector<card>& cards);

/// "AMD EPYC, 2 CPUs, Linux 6.18, virtio_blk, ext4": what the run has told of its machine.
[[nodiscard]] std::string machine_line(const run_record& run);

/// The machine and the options of a run, folded.
[[nodiscard]] page_section circumstances_of(const run_record& run);

/// A whole page: title, `verdict`, a sentence, `lead`, which is HTML, a table of contents, and the
/// sections that are not empty. It asks nothing of any host.
[[nodiscard]] std::string framed(const std::string& title,
                                 const std::string& subtitle,
                                 const std::string& verdict,
                                 const std::string& lead,
                                 const std::vector<page_section>& sections);

}  // namespace leat::perf
