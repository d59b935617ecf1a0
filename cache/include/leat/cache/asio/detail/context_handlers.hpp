// What an execution context knows of the handlers that shards are to hand to it.
#pragma once

#include <leat/cache/asio/detail/handler_slots.hpp>
#include <leat/engine/asio/shard_context.hpp>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace leat::detail {

/// Abandons the handlers that still wait when the context is shut down.
class context_handlers final : public boost::asio::execution_context::service {
public:
    using key_type = context_handlers;
    inline static boost::asio::execution_context::id id;

    explicit context_handlers(boost::asio::execution_context& owner)
        : service(owner),
          slots_(boost::asio::has_service<shard_mark>(owner) ? nullptr : handler_slots::make()) {}

    /// Of two threads that make the service at once one makes it in vain: that is not shut down.
    ~context_handlers() override {
        if (slots_ != nullptr) slots_->close();
    }

    /// Remembers `handler` for `context`. Lock-free where this thread's last one was for the same
    /// context. Throws std::bad_alloc.
    static context_handlers& of(boost::asio::execution_context& context) {
        recent_context& recent = last_used();
        const std::uint64_t ended = contexts_ended().load(std::memory_order_acquire);
        if (recent.context != &context || recent.ended != ended) {
            recent = {&context, &boost::asio::use_service<context_handlers>(context), ended, {}};
        }
        return *recent.handlers;
    }
    /// Right after of(), on the same thread.
    [[nodiscard]] handler_slots::slot claim(waiting_handler& handler) {
        // A shard's context outlives the requests that its engine's end waits for.
        if (slots_ == nullptr) return {};
        return last_used().hint = slots_->claim(handler, last_used().hint);
    }
    [[nodiscard]] handler_slots& slots() const noexcept { return *slots_; }

    /// Counts a handler as outstanding work of `context`, which this belongs to; end_work() when it
    /// is about to be called. Only the first and the last touch the counter that all posts share.
    void begin_work(boost::asio::io_context& context) noexcept {
        if (waiting_.fetch_add(1, std::memory_order_relaxed) == 0)
            context.get_executor().on_work_started();
    }
    void end_work(boost::asio::io_context& context) noexcept {
        if (waiting_.fetch_sub(1, std::memory_order_relaxed) == 1)
            context.get_executor().on_work_finished();
    }

private:
    // Spares the look-up in the context's services, which takes a lock.
    struct recent_context {
        boost::asio::execution_context* context = nullptr;
        context_handlers* handlers = nullptr;
        std::uint64_t ended = 0;
        handler_slots::slot hint;
    };
    static recent_context& last_used() noexcept {
        static thread_local constinit recent_context mine;
        return mine;
    }
    // A new context may have the address of one that is gone.
    static std::atomic<std::uint64_t>& contexts_ended() noexcept {
        static constinit std::atomic<std::uint64_t> count{0};
        return count;
    }

    void shutdown() noexcept override {
        contexts_ended().fetch_add(1, std::memory_order_acq_rel);
        if (handler_slots* const ending = std::exchange(slots_, nullptr)) ending->close();
    }

    handler_slots* slots_;
    alignas(64) std::atomic<std::int64_t> waiting_{0};
};

}  // namespace leat::detail
