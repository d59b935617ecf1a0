// The coroutines that wait for a primitive of one shard, in order.
#pragma once

#include <leat/engine/detail/awaited_once.hpp>
#include <leat/engine/detail/suspension.hpp>

#include <boost/intrusive/list.hpp>

#include <cstddef>

namespace leat::detail {

class wait_line;
struct line_wait_tag;
using line_wait_hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<line_wait_tag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One that waits in a line. Either it is served, in which case it gets what it waited for even if
/// a stop is requested before it is resumed; or the stop request takes it out of the line.
class line_wait : public suspension, public line_wait_hook {
public:
    explicit line_wait(wait_line& line) noexcept;

    [[nodiscard]] where awaits() const noexcept final;
    /// Ends the wait with what was waited for; it must be out of the line.
    void serve() noexcept { finish(); }

protected:
    ~line_wait() = default;

    [[nodiscard]] wait_line& line() const noexcept { return *line_; }
    template <class Promise>
    void join_line(std::coroutine_handle<Promise> coroutine);
    /// Throws errc::cancelled or errc::stopped if a stop request ended the wait.
    void throw_if_stopped() const;

private:
    friend class wait_line;
    friend struct tampering;
    static void stopped(suspension& self) noexcept;

    wait_line* line_;
    activity kind_;  // the line's, which may be gone when the wait has ended
    bool stopped_ = false;
};

/// What the primitives have in common: the shard that they belong to, who waits there, first come
/// first served, and the sentences about misuse. Invariants, told by fault(): each member knows its
/// line, and has not been taken out by a stop request.
class wait_line {
public:
    /// `left` is called when one has left the line without being served, so that those behind it
    /// may be.
    using left_function = void (*)(void* primitive) noexcept;

    explicit wait_line(activity kind,
                       void* primitive = nullptr,
                       left_function on_left = nullptr) noexcept
        : kind_(kind), primitive_(primitive), on_left_(on_left), home_(shard::current()) {
        if (home_ == nullptr) [[unlikely]]
            fail("was made off the shards: make it in a task, on the shard that is to use it");
    }
    wait_line(const wait_line&) = delete;
    wait_line& operator=(const wait_line&) = delete;
    ~wait_line() {
        if (!empty()) [[unlikely]]
            fail("was destroyed while tasks wait for it: let them end first, by a scope's join");
    }

    /// Each use begins with it.
    void check_shard() const noexcept {
        if (shard::current() != home_) [[unlikely]]
            fail(
                "was used on another shard than the one that made it: go there by resume_on, or "
                "give each shard one of its own");
    }
    [[nodiscard]] activity kind() const noexcept { return kind_; }
    [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    [[nodiscard]] line_wait& front() noexcept { return members_.front(); }
    /// The first, which leaves the line; the caller serves it.
    [[nodiscard]] line_wait& pop_front() noexcept {
        line_wait& first = members_.front();
        members_.pop_front();
        return first;
    }
    void push_back(line_wait& one) noexcept { members_.push_back(one); }
    /// nullptr, or which invariant is broken.
    [[nodiscard]] const char* fault() const noexcept;
    void left() noexcept {
        if (on_left_ != nullptr) on_left_(primitive_);
    }
    /// Ends the program with the primitive's name and `sentence`.
    [[noreturn, gnu::cold]] void fail(const char* sentence) const noexcept;

private:
    friend struct tampering;  // tests break what fault() tells

    activity kind_;
    void* primitive_;
    left_function on_left_;
    shard* home_;
    boost::intrusive::list<line_wait,
                           boost::intrusive::base_hook<line_wait_hook>,
                           boost::intrusive::constant_time_size<false>>
        members_;
};

inline line_wait::line_wait(wait_line& line) noexcept : line_(&line), kind_(line.kind()) {}

template <class Promise>
void line_wait::join_line(std::coroutine_handle<Promise> coroutine) {
    suspend(coroutine, &stopped);
    line_->push_back(*this);
    listen();
}

}  // namespace leat::detail
