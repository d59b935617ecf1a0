// The conditions that a request makes, as RFC 9110 has them.
#pragma once

#include "http/entity_tag.hpp"
#include "http/http_date.hpp"
#include "http/request_head.hpp"

#include <cstdint>

namespace leat::http {

/// What conditions are compared with.
struct validators {
    entity_tag tag;
    sys_seconds modified;  ///< the file's time; told as Last-Modified
};

/// Those of a version: its tag, and its time in whole seconds. `settled` as in entity_tag::of.
[[nodiscard]] validators validators_of(const file_version& version, bool settled);

enum class precondition : std::uint8_t {
    holds,         ///< the request is answered as if there were none
    not_modified,  ///< 304
    failed         ///< 412
};

/// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in the order of RFC 9110,
/// 13.2.2, of a request with the method GET or HEAD for a file that exists. A malformed date is as
/// if it were absent; a malformed list of tags names those before the fault.
[[nodiscard]] precondition evaluate(const request_head& head,
                                    const validators& file,
                                    sys_seconds now);

/// Whether Range counts (13.1.5): If-Range is absent, or is the file's own tag, a strong one, or is
/// the date of Last-Modified exactly, and strong: the tag is, too, and the second of that date was
/// over before `now` (8.8.2.2).
[[nodiscard]] bool range_holds(const request_head& head, const validators& file, sys_seconds now);

}  // namespace leat::http
