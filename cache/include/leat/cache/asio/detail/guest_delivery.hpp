// A completion on its way to its handler's execution context.
#pragma once

#include <leat/cache/asio/detail/context_handlers.hpp>
#include <leat/cache/asio/detail/post_allocator.hpp>
#include <leat/cache/detail/guest_completion.hpp>
#include <leat/engine/engine.hpp>

#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>

#include <cstddef>
#include <exception>
#include <string>
#include <utility>

namespace leat::detail {

/// What guest operations of all types share once they have ended.
class guest_delivery : public guest_completion, public waiting_handler {
public:
    /// On the handler's executor: frees the operation, then calls the handler.
    virtual void deliver() = 0;
    /// Frees the operation; the handler is not called.
    virtual void destroy() noexcept = 0;
    /// The engine, to be told of executors that refuse.
    [[nodiscard]] virtual engine& teller() const noexcept = 0;

protected:
    guest_delivery() = default;
    ~guest_delivery() = default;

    /// From now on the handler is abandoned if `context` ends first.
    void wait_for(boost::asio::execution_context& context) {
        context_handlers& handlers = context_handlers::of(context);
        slot_ = handlers.claim(*this);
        if (slot_) slots_ = &handlers.slots();
    }
    /// Any thread.
    template <class Executor>
    void post_to(const Executor& executor) noexcept {
        if (!take_handler()) return destroy();
        const handler_slots::slot mine = slot_;
        post_alone(executor);
        if (mine) handler_slots::free(mine);
    }
    /// On a shard: with the others of this turn that go to the same context. An io_context is
    /// locked by every post, and its threads with it.
    void post_in_batch(guest_completions& with, boost::asio::io_context& context) noexcept {
        place = &context;
        hand_over = &post_batch;
        with.push(*this);
    }

private:
    /// What is posted for one. Dropped without a call it takes the operation with it.
    class one {
    public:
        explicit one(guest_delivery& of) noexcept : of_(&of) {}
        one(one&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
        one& operator=(one&&) = delete;
        ~one() {
            if (of_ != nullptr) of_->destroy();
        }
        void operator()() { std::exchange(of_, nullptr)->deliver(); }

        using allocator_type = post_allocator<void>;
        [[nodiscard]] allocator_type get_allocator() const noexcept {
            return post_allocator<std::byte>{of_->post_memory_};
        }

    private:
        guest_delivery* of_;
    };

    /// What is posted for several: posts each by itself, so that the context's threads share them,
    /// from a thread of the context, which needs no lock for that.
    class several {
    public:
        several(guest_delivery& first, boost::asio::io_context& context) noexcept
            : first_(&first), context_(&context) {}
        several(several&& other) noexcept
            : first_(std::exchange(other.first_, nullptr)), context_(other.context_) {}
        several& operator=(several&&) = delete;
        ~several() {
            while (first_ != nullptr) take().destroy();
        }
        void operator()() {
            first_->post_memory_.used = false;  // free again before this is called
            while (first_ != nullptr) {
                guest_delivery& each = take();
                boost::asio::prefer(boost::asio::require(context_->get_executor(),
                                                         boost::asio::execution::blocking.never),
                                    boost::asio::execution::relationship.continuation,
                                    boost::asio::execution::allocator(post_allocator<void>{
                                        post_allocator<std::byte>{each.post_memory_}}))
                    .execute(one{each});
            }
        }

        using allocator_type = post_allocator<void>;
        [[nodiscard]] allocator_type get_allocator() const noexcept {
            return post_allocator<std::byte>{first_->post_memory_};
        }

    private:
        guest_delivery& take() noexcept {
            guest_delivery& next = *first_;
            first_ = static_cast<guest_delivery*>(next.next);
            return next;
        }
        guest_delivery* first_;
        boost::asio::io_context* context_;
    };

    [[nodiscard]] bool take_handler() noexcept {
        return slots_ == nullptr || slots_->take(slot_, *this);
    }

    template <class Executor>
    void post_alone(const Executor& executor) noexcept {
        leat::engine& engine = teller();
        try {
            boost::asio::post(executor, one{*this});
        } catch (const std::exception& failure) {  // the operation is gone
            engine.report_once(
                event::level::warning,
                std::string{"a completion handler's executor refused it: "} + failure.what());
        }
    }

    static void post_batch(guest_completion& list) noexcept {
        guest_delivery* first = nullptr;
        guest_completion** end = nullptr;
        for (guest_completion* next = &list; next != nullptr;) {
            auto& each = *static_cast<guest_delivery*>(next);
            next = each.next;
            if (!each.take_handler()) {
                each.destroy();
            } else if (first == nullptr) {
                first = &each;
                end = &each.next;
            } else {
                if (each.slot_)
                    handler_slots::free(each.slot_);  // the first one's keeps the context
                *end = &each;
                end = &each.next;
            }
        }
        if (first == nullptr) return;
        *end = nullptr;
        const handler_slots::slot mine = first->slot_;
        auto& context = *static_cast<boost::asio::io_context*>(first->place);
        if (first->next == nullptr) {
            first->post_alone(context.get_executor());
        } else {
            boost::asio::post(context.get_executor(), several{*first, context});
        }
        handler_slots::free(mine);
    }

    post_memory post_memory_;
    handler_slots* slots_ = nullptr;
    handler_slots::slot slot_;
};

}  // namespace leat::detail
