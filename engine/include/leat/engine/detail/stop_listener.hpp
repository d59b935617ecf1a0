// Something on a shard that wants to know when the engine stops.
#pragma once

#include <boost/intrusive/list.hpp>

namespace leat::detail {

struct stop_listener;
using stop_listener_hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<stop_listener>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// Told once, on its shard, at the start of the turn that sees engine::stop(); no longer listed
/// then. As good as a stop_callback on the shard's own stop token, at the cost of a link in a list.
/// Leaves the list when it is destroyed. For its shard's thread only.
struct stop_listener : stop_listener_hook {
    using function = void (*)(stop_listener&) noexcept;

    explicit stop_listener(function on_stop_) noexcept : on_stop(on_stop_) {}
    stop_listener(const stop_listener&) = delete;
    stop_listener& operator=(const stop_listener&) = delete;

    function on_stop;
};

using stop_listener_list = boost::intrusive::list<stop_listener,
                                                  boost::intrusive::base_hook<stop_listener_hook>,
                                                  boost::intrusive::constant_time_size<false>>;

}  // namespace leat::detail
