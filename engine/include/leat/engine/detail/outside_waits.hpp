// Who waits for an engine's tasks without being one of its shards.
#pragma once

#include <boost/intrusive/list.hpp>

#include <mutex>
#include <string>

namespace leat {
class engine;
}

namespace leat::detail {

struct outside_wait_tag;
using outside_wait_hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<outside_wait_tag>,
                                     boost::intrusive::link_mode<boost::intrusive::safe_link>>;

/// One wait of a foreign thread, or of another engine's shard.
class outside_wait : public outside_wait_hook {
public:
    /// The engine has given the task up: ends the wait. Called under the lock of the list, which
    /// it has left.
    virtual void give_up() noexcept = 0;

protected:
    outside_wait() = default;
    ~outside_wait() = default;
};

/// The waits for one engine's tasks that are none of its own: an engine that has given up leaves
/// its own waits behind, but ends these. It outlives its engine as long as there are handles. Any
/// thread.
class outside_waits {
public:
    explicit outside_waits(engine& of) noexcept : engine_(&of) {}
    outside_waits(const outside_waits&) = delete;
    outside_waits& operator=(const outside_waits&) = delete;

    /// Lists a wait that begins. False, and not listed, if the engine has given up.
    [[nodiscard]] bool enter(outside_wait& one) noexcept;
    /// No effect on one that is not listed. Afterwards it is not told any more.
    void leave(outside_wait& one) noexcept;
    /// The engine has ended, or given up: no task of it that has not ended will.
    void give_up() noexcept;

    /// engine::report, as long as there is one.
    void report(std::string text) noexcept;
    /// The engine is being destroyed.
    void engine_gone() noexcept;

private:
    std::mutex mutex_;
    bool given_up_ = false;
    boost::intrusive::list<outside_wait,
                           boost::intrusive::base_hook<outside_wait_hook>,
                           boost::intrusive::constant_time_size<false>>
        waits_;
    // Recursive: a listener may itself drop handles.
    std::recursive_mutex reporting_;
    engine* engine_;
};

}  // namespace leat::detail
