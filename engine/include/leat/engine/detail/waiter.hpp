// Something that waits on a shard for a result.
#pragma once

#include <leat/engine/shard.hpp>

#include <boost/intrusive/list.hpp>

#include <cerrno>

namespace leat::detail {

/// Work that waits in a list until somebody finishes it, once; the shard's ready queue then runs
/// it. For its shard's thread only.
struct waiter
    : work,
      boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    waiter(work::function run_, shard& home_) noexcept : work(run_), home(home_) {}

    /// Leaves its list, if it is in one.
    void finish(int result_) noexcept {
        if (is_linked()) unlink();
        result = result_;
        home.schedule(*this);
    }
    /// No effect if it is finished.
    void cancel() noexcept {
        if (is_linked()) finish(-ECANCELED);
    }

    shard& home;
    int result = 0;  ///< what it waited for, or a negated errno
};

using waiter_list = boost::intrusive::list<waiter, boost::intrusive::constant_time_size<false>>;

/// Finishes all; those that wait from now on are not concerned. Returns how many.
inline std::size_t finish_all(waiter_list& waiting, int result) noexcept {
    std::size_t count = 0;
    for (; !waiting.empty(); ++count) waiting.front().finish(result);
    return count;
}

}  // namespace leat::detail
