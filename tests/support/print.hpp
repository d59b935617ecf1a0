// How test macros print what leat's headers do not.
#pragma once

#include <leat/io/error.hpp>

#include <ostream>

namespace leat {

inline std::ostream& operator<<(std::ostream& out, errc code) { return out << make_error_code(code); }

}  // namespace leat
