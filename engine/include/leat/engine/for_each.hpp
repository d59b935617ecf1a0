// A bounded number of calls at once, one for each element of a range.
#pragma once

#include <leat/engine/scope.hpp>

#include <iterator>
#include <type_traits>
#include <utility>

namespace leat {

namespace detail {

/// What the workers of one for_each share: where they are in the range, and how many they are.
template <class Iterator, class Sentinel, class Function>
class for_each_walk {
public:
    for_each_walk(Iterator begin, Sentinel end, std::size_t limit, Function& function)
        : next_(std::move(begin)), end_(std::move(end)), limit_(limit), function_(function) {}
    for_each_walk(const for_each_walk&) = delete;
    for_each_walk& operator=(const for_each_walk&) = delete;

    [[nodiscard]] bool at_end() { return !(next_ != end_); }
    /// Starts as many workers as there are elements, at most the limit. Where elements cannot be
    /// counted ahead, each starts the next one when it has taken its first element.
    void start(scope& all) {
        std::size_t count = at_end() ? 0 : 1;
        if constexpr (std::forward_iterator<Iterator>) {
            count = 0;
            for (auto one = next_; count < limit_ && one != end_; ++one) ++count;
            limit_ = count;
        }
        for (; count > 0; --count) add_worker(all);
    }

private:
    void add_worker(scope& all) {
        ++workers_;
        all.spawn_made([this, &all] { return work(all); });
    }
    task<> work(scope& all) {
        for (bool first = true; !all.stop_token().stop_requested() && !at_end(); first = false) {
            // A single-pass iterator's element is gone with the next step.
            using element = std::conditional_t<std::forward_iterator<Iterator>, decltype(*next_)&&,
                                               std::iter_value_t<Iterator>>;
            element item = *next_;
            ++next_;
            if (first && workers_ < limit_ && !at_end()) add_worker(all);
            co_await function_(item);
        }
    }

    Iterator next_;
    Sentinel end_;
    std::size_t limit_;
    std::size_t workers_ = 0;
    Function& function_;
};

/// `Range` is a reference, or a range that is kept here.
template <class Range, class Function>
task<> for_each_of(Range range, std::size_t limit, Function function) {
    if (limit == 0) {
        where at{.doing = activity::task};
        at.set_name("for_each with a limit of 0");
        throw system_error({errc::invalid_option, at});
    }
    for_each_walk walk{std::begin(range), std::end(range), limit, function};
    scope all;
    walk.start(all);
    co_await all.join();
    if (!walk.at_end())
        throw system_error({this_shard().stopping() ? errc::stopped : errc::cancelled, {}});
}

}  // namespace detail

/// Calls function(element), which gives a task<>, for each element of a range, and awaits the
/// tasks, at most `limit` of them at once.
///
///     auto get = [&](const std::string& name) { return fetch(manager, name); };
///     co_await leat::for_each(names, 8, get);
///
/// The range may be any that has begin() and end(), single-pass ones too, whose elements are copied
/// before they are used.
///
/// Completion: when all have ended. Elements are taken in order, the next one as soon as one of the
/// tasks has ended.
///
/// Threads: all of it begins on the shard that awaits it. A task may move to another shard, and the
/// next element is taken on this one.
///
/// Lifetime: a temporary range is moved into the loop; a named one is referred to and must outlive
/// it. `function` is kept until the end, so that it may be a lambda with captures that is a
/// coroutine itself.
///
/// Memory: allocates for each of at most `limit` workers, and what `function` does for each
/// element.
///
/// Cancellation: a stop request of the enclosing task asks the tasks in flight to stop; then
/// errc::cancelled or errc::stopped is thrown, unless all elements had been taken and their tasks
/// end well.
///
/// Errors: the first one, of a task or of the range's iterators, asks the others to stop and is
/// thrown when all have ended; no further element is taken. Throws errc::invalid_option for a limit
/// of 0.
template <class Range, class Function>
[[nodiscard]] task<> for_each(Range&& range, std::size_t limit, Function function) {
    return detail::for_each_of<Range, Function>(std::forward<Range>(range), limit,
                                                std::move(function));
}

}  // namespace leat
