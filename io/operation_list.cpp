// Which operations a list holds, in words.
#include "operation_list.hpp"

namespace leat::io {

std::string operation_summary::text() const {
    std::string out;
    for (const auto& [what, count] : counts_) {
        const auto& [code, descriptor] = what;
        if (!out.empty()) {
            out += ", ";
        }
        out += std::to_string(count) + " " + to_string(code) + (count == 1 ? "" : "s");
        if (descriptor >= 0) {
            out += " of descriptor " + std::to_string(descriptor);
        }
    }
    return out.empty() ? "nothing" : out;
}

}  // namespace leat::io
