// Something on a shard that wants to know when the shard ends.
#pragma once

#include <boost/intrusive/list.hpp>

namespace leat::detail {

struct end_listener;
using end_listener_hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<end_listener>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// Told once, on its shard, when that has ended and no task is left; no longer listed then. If the
/// shard was given up, what it is part of may still be in use, and is left behind. Leaves the list
/// when it is destroyed. For its shard's thread only.
struct end_listener : end_listener_hook {
    using function = void (*)(end_listener&, bool given_up) noexcept;

    explicit end_listener(function on_end_) noexcept : on_end(on_end_) {}
    end_listener(const end_listener&) = delete;
    end_listener& operator=(const end_listener&) = delete;

    function on_end;
};

using end_listener_list = boost::intrusive::list<end_listener,
                                                 boost::intrusive::base_hook<end_listener_hook>,
                                                 boost::intrusive::constant_time_size<false>>;

}  // namespace leat::detail
