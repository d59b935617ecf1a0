// What the library says of itself.
#include <leat/version.hpp>

namespace leat {

const char* library_version() noexcept {
    return LEAT_VERSION;
}

}  // namespace leat
