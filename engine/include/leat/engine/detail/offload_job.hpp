// A function on its way to a thread of an offload_pool.
#pragma once

#include <boost/intrusive/list_hook.hpp>

namespace leat::detail {

/// `run` is called on the pool's thread, once, unless it is withdrawn; the job may be gone before
/// that returns.
struct offload_job : boost::intrusive::list_base_hook<> {
    using function = void (*)(offload_job&) noexcept;

    explicit offload_job(function run_) noexcept : run(run_) {}
    offload_job(const offload_job&) = delete;
    offload_job& operator=(const offload_job&) = delete;

    function run;
    bool queued = false;  ///< kept by the pool
};

}  // namespace leat::detail
