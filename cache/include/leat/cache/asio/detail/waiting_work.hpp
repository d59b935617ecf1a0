// What keeps a handler's executor at work until the handler is called.
#pragma once

#include <leat/cache/asio/detail/context_handlers.hpp>

#include <boost/asio/execution.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>

#include <utility>

namespace leat::detail {

/// One handler's outstanding work.
template <class Executor>
class waiting_work {
public:
    explicit waiting_work(const Executor& executor) : guard_(track(executor)) {}

private:
    // Not executor_work_guard, which takes a strand of any executor for one of Asio's old kind.
    static auto track(const Executor& executor) {
        if constexpr (boost::asio::execution::is_executor<Executor>::value) {
            return boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked);
        } else {
            return boost::asio::make_work_guard(executor);
        }
    }

    decltype(track(std::declval<const Executor&>())) guard_;
};

/// An io_context's threads and all who post to it share one counter: it is spared.
template <>
class waiting_work<boost::asio::io_context::executor_type> {
public:
    explicit waiting_work(const boost::asio::io_context::executor_type& executor)
        : context_(&executor.context()), handlers_(&context_handlers::of(*context_)) {
        handlers_->begin_work(*context_);
    }
    waiting_work(waiting_work&& other) noexcept
        : context_(std::exchange(other.context_, nullptr)), handlers_(other.handlers_) {}
    waiting_work& operator=(waiting_work&&) = delete;
    ~waiting_work() {
        if (context_ != nullptr) handlers_->end_work(*context_);
    }

private:
    boost::asio::io_context* context_;
    context_handlers* handlers_;
};

}  // namespace leat::detail
