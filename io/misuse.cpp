// Prints the sentence and ends the program.
#include <leat/io/detail/misuse.hpp>

#include <cstdio>
#include <cstdlib>

namespace leat::detail {

void misuse(const char* sentence) noexcept {
    std::fprintf(stderr, "leat: %s\n", sentence);
    std::abort();
}

}  // namespace leat::detail
