// The executor of a shard: what Asio runs functions on.
#pragma once

#include <leat/engine/asio/detail/posted_function.hpp>
#include <leat/engine/asio/shard_context.hpp>
#include <leat/engine/engine.hpp>

#include <boost/asio/execution.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace leat {

namespace detail {
/// A shard, counted as having work outstanding while this lives if `Tracked`.
template <bool Tracked>
class shard_reference {
public:
    explicit shard_reference(shard& home) noexcept : home_(&home) {}
    [[nodiscard]] shard* get() const noexcept { return home_; }

private:
    shard* home_;
};

// GCC 12 does not see that a std::optional which is empty keeps it unused.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
template <>
class shard_reference<true> {
public:
    explicit shard_reference(shard& home) noexcept : home_(&home) { home_->work_begins(); }
    shard_reference(const shard_reference& other) noexcept : home_(other.home_) {
        if (home_ != nullptr) home_->work_begins();
    }
    shard_reference(shard_reference&& other) noexcept
        : home_(std::exchange(other.home_, nullptr)) {}
    shard_reference& operator=(shard_reference other) noexcept {
        std::swap(home_, other.home_);
        return *this;
    }
    ~shard_reference() {
        if (home_ != nullptr) home_->work_ends();
    }
    [[nodiscard]] shard* get() const noexcept { return home_; }

private:
    shard* home_;
};
}  // namespace detail

/// A shard as an Asio executor; see shard_executor. `Tracked`: outstanding_work.tracked.
///
/// Has the properties blocking (possibly, never), relationship (fork, continuation),
/// outstanding_work (tracked, untracked), mapping (thread), allocator, and context. Trivial to copy
/// unless tracked.
template <class Allocator = std::allocator<void>, bool Tracked = false>
class basic_shard_executor {
    using blocking_t = boost::asio::execution::blocking_t;
    using relationship_t = boost::asio::execution::relationship_t;
    using outstanding_work_t = boost::asio::execution::outstanding_work_t;
    using mapping_t = boost::asio::execution::mapping_t;
    template <class T>
    using allocator_t = boost::asio::execution::allocator_t<T>;

public:
    explicit basic_shard_executor(shard& home) noexcept : home_(home) {}

    /// That of the shard this thread runs. Programmer's error if there is none.
    [[nodiscard]] static basic_shard_executor current() noexcept {
        return basic_shard_executor(this_shard());
    }

    [[nodiscard]] shard& home() const noexcept { return *home_.get(); }
    /// Whether this thread runs the shard, so that blocking.possibly runs functions at once.
    [[nodiscard]] bool running_in_this_thread() const noexcept {
        return shard::current() == home_.get();
    }

    /// Runs function() on the shard, once. Any thread.
    ///
    /// On the shard itself with blocking.possibly, at once; else later, from the shard's ready
    /// queue, in order with what this thread has sent there before. What was written before is seen
    /// there. From another thread it takes no lock. An exception that escapes the function is told
    /// to engine_options::on_event, and the shard goes on.
    ///
    /// Before engine::start() functions wait. While the engine stops they still run; those that
    /// come when the shard has ended are destroyed uncalled, within this call, or by engine::join()
    /// if another shard of the engine has sent them. The engine must outlive the call. Throws
    /// std::bad_alloc, or what moving the function throws.
    template <class Function>
    void execute(Function&& function) const {
        using stored = std::decay_t<Function>;
        shard* const here = shard::current();
        if (here == home_.get() && !never_blocks_ && here->runs_functions()) {
            stored local(std::forward<Function>(function));
            detail::call_guest(*here, local);
            return;
        }
        using item = detail::posted_function<stored, Allocator>;
        item& posted = item::make(std::forward<Function>(function), allocator_);
        if (here != nullptr && &here->engine() == &home().engine()) {
            here->send(home().index(), posted);
        } else if (!home().post_from_outside(posted)) {
            posted.discard();
        }
    }

    [[nodiscard]] basic_shard_executor require(blocking_t::possibly_t) const noexcept {
        return with(false, continues_);
    }
    [[nodiscard]] basic_shard_executor require(blocking_t::never_t) const noexcept {
        return with(true, continues_);
    }
    [[nodiscard]] basic_shard_executor require(relationship_t::fork_t) const noexcept {
        return with(never_blocks_, false);
    }
    [[nodiscard]] basic_shard_executor require(relationship_t::continuation_t) const noexcept {
        return with(never_blocks_, true);
    }
    [[nodiscard]] auto require(outstanding_work_t::tracked_t) const noexcept {
        return basic_shard_executor<Allocator, true>(home(), never_blocks_, continues_, allocator_);
    }
    [[nodiscard]] auto require(outstanding_work_t::untracked_t) const noexcept {
        return basic_shard_executor<Allocator, false>(home(), never_blocks_, continues_,
                                                      allocator_);
    }
    template <class Other>
    [[nodiscard]] auto require(const allocator_t<Other>& chosen) const noexcept {
        return basic_shard_executor<Other, Tracked>(home(), never_blocks_, continues_,
                                                    chosen.value());
    }
    [[nodiscard]] auto require(const allocator_t<void>&) const noexcept {
        return basic_shard_executor<std::allocator<void>, Tracked>(home(), never_blocks_,
                                                                   continues_, {});
    }

    [[nodiscard]] blocking_t query(blocking_t) const noexcept {
        return never_blocks_ ? blocking_t{blocking_t::never} : blocking_t{blocking_t::possibly};
    }
    [[nodiscard]] relationship_t query(relationship_t) const noexcept {
        return continues_ ? relationship_t{relationship_t::continuation}
                          : relationship_t{relationship_t::fork};
    }
    [[nodiscard]] static constexpr outstanding_work_t query(outstanding_work_t) noexcept {
        if constexpr (Tracked) {
            return outstanding_work_t::tracked;
        } else {
            return outstanding_work_t::untracked;
        }
    }
    [[nodiscard]] static constexpr mapping_t query(mapping_t) noexcept { return mapping_t::thread; }
    template <class Other>
    [[nodiscard]] Allocator query(const allocator_t<Other>&) const noexcept {
        return allocator_;
    }
    /// The io_context that the shard polls: it has no thread of its own. Made at the first query;
    /// may therefore throw std::bad_alloc or boost::system::system_error.
    [[nodiscard]] boost::asio::execution_context& query(boost::asio::execution::context_t) const {
        return shard_context::of(home()).context();
    }

    friend bool operator==(const basic_shard_executor& left,
                           const basic_shard_executor& right) noexcept {
        return left.home_.get() == right.home_.get() && left.never_blocks_ == right.never_blocks_ &&
               left.continues_ == right.continues_ && left.allocator_ == right.allocator_;
    }

private:
    template <class, bool>
    friend class basic_shard_executor;

    basic_shard_executor(shard& home,
                         bool never_blocks,
                         bool continues,
                         const Allocator& allocator) noexcept
        : home_(home), never_blocks_(never_blocks), continues_(continues), allocator_(allocator) {}

    [[nodiscard]] basic_shard_executor with(bool never_blocks, bool continues) const noexcept {
        return basic_shard_executor(home(), never_blocks, continues, allocator_);
    }

    detail::shard_reference<Tracked> home_;
    bool never_blocks_ = false;
    bool continues_ = false;
    [[no_unique_address]] Allocator allocator_;
};
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// Runs functions on one shard. Copied freely, usable on any thread, valid as long as the engine.
///
///     boost::asio::post(leat::shard_executor(engine.at(0)), [] { std::puts("on shard 0"); });
///     boost::asio::co_spawn(leat::shard_executor::current(), session(), boost::asio::detached);
///
/// Equal executors have the same shard and the same properties. While a copy with
/// outstanding_work.tracked exists the stopping engine waits, up to stop_timeout.
using shard_executor = basic_shard_executor<>;

}  // namespace leat
