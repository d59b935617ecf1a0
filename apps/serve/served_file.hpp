// What a path names, as a shard remembers it.
#pragma once

#include "http/conditions.hpp"
#include "http/status.hpp"

#include <leat/cache/file.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::serve {

/// An open file with what answers tell of it, or why there is none. Of one shard: the count of its
/// references is no atomic.
struct served_file : boost::intrusive_ref_counter<served_file, boost::thread_unsafe_counter> {
    enum class kind : std::uint8_t {
        file,  ///< `file`
        folder,
        refused  ///< `refusal`
    };
    kind is = kind::refused;
    http::status refusal = http::status::not_found;
    leat::file file;
    http::validators validators;
    std::string_view content_type;
    std::string prepared;                ///< http::prepare_fields()
    mutable std::uint64_t requests = 0;  ///< answered by it, or by what its path named before
};

using served_ref = boost::intrusive_ptr<const served_file>;

}  // namespace leat::serve
