// What a shard knows of each coroutine that waits on it.
#pragma once

#include <leat/engine/error.hpp>
#include <leat/io/backend.hpp>

#include <boost/intrusive/list.hpp>

namespace leat::detail {

struct listed_wait_tag;
using listed_wait_hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<listed_wait_tag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One wait in its shard's list, which is ordered by the time when they began. Leaves the list when
/// it is destroyed. For its shard's thread only.
class listed_wait : public listed_wait_hook {
public:
    listed_wait() = default;
    listed_wait(const listed_wait&) = delete;
    listed_wait& operator=(const listed_wait&) = delete;

    /// What is waited for; called while it is.
    [[nodiscard]] virtual where awaits() const noexcept { return {}; }
    /// The waiting task's, or nullptr.
    [[nodiscard]] const char* name() const noexcept { return name_; }
    [[nodiscard]] io::time_point since() const noexcept { return since_; }

    void begin(const char* name, io::time_point now) noexcept {
        name_ = name;
        since_ = now;
    }
    /// No effect unless it is listed.
    void leave_list() noexcept {
        if (is_linked()) unlink();
    }

protected:
    ~listed_wait() = default;

private:
    const char* name_ = nullptr;
    io::time_point since_{};
};

using wait_list = boost::intrusive::list<listed_wait,
                                         boost::intrusive::base_hook<listed_wait_hook>,
                                         boost::intrusive::constant_time_size<false>>;

}  // namespace leat::detail
