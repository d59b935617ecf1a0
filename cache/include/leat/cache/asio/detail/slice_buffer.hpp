// slice::buffer().
#pragma once

#include <leat/cache/slice.hpp>

#include <boost/asio/buffer.hpp>

namespace leat {

inline boost::asio::const_buffer slice::buffer() const noexcept {
    return {data_, size_};
}

}  // namespace leat
