// Something that lives on a shard and ends with it.
#pragma once

#include <boost/intrusive/list.hpp>

namespace leat::detail {

struct shard_resident;
using resident_hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<shard_resident>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// Told once, on its shard, when that has ended and no task is left; no longer listed then. If the
/// shard was given up, what lives there may still be in use, and is left behind. For its shard's
/// thread only.
struct shard_resident : resident_hook {
    using function = void (*)(shard_resident&, bool given_up) noexcept;

    explicit shard_resident(function on_end_) noexcept : on_end(on_end_) {}
    shard_resident(const shard_resident&) = delete;
    shard_resident& operator=(const shard_resident&) = delete;

    function on_end;
};

using resident_list = boost::intrusive::list<shard_resident,
                                             boost::intrusive::base_hook<resident_hook>,
                                             boost::intrusive::constant_time_size<false>>;

}  // namespace leat::detail
