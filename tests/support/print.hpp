// How test macros print what leat's headers do not.
#pragma once

#include <leat/io/backend.hpp>
#include <leat/io/error.hpp>

#include <ostream>

namespace leat {
inline std::ostream& operator<<(std::ostream& out, errc code) {
    return out << make_error_code(code);
}
}  // namespace leat

namespace leat::io {
inline std::ostream& operator<<(std::ostream& out, backend_kind kind) {
    switch (kind) {
        case backend_kind::automatic:
            return out << "automatic";
        case backend_kind::uring:
            return out << "uring";
        case backend_kind::thread:
            return out << "thread";
    }
    return out;
}
}  // namespace leat::io
