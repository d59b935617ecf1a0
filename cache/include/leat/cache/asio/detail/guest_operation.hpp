// A guest's request together with the handler that it completes.
#pragma once

#include <leat/cache/asio/detail/guest_allocator.hpp>
#include <leat/cache/asio/detail/guest_delivery.hpp>
#include <leat/cache/asio/detail/waiting_work.hpp>
#include <leat/cache/asio/with_where.hpp>
#include <leat/cache/detail/guest_request.hpp>
#include <leat/cache/detail/shard_cache.hpp>
#include <leat/engine/asio/shard_executor.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/query.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace leat::detail {

/// `Request` is what is asked for; see guest_request. The operation is one block of memory from
/// the handler's allocator, with what the request wants behind it. It frees itself before it calls
/// the handler, on the handler's executor.
template <class Request, class Handler>
class guest_operation final : public Request, public guest_delivery {
public:
    /// Makes and starts one. The handler is called once, not from inside. Throws std::bad_alloc,
    /// and what making the request throws; then the handler is not called.
    template <class... Arguments>
    static void initiate(Handler handler, Arguments&&... arguments) {
        std::size_t size = sizeof(guest_operation);
        if constexpr (requires { Request::room(arguments...); })
            size += Request::room(arguments...);
        const std::size_t count = (size + sizeof(block) - 1) / sizeof(block);
        allocator_type allocator{allocator_of(handler)};
        block* const memory = allocator.allocate(count);
        guest_operation* made = nullptr;
        try {
            made = new (memory) guest_operation(
                handler, count, reinterpret_cast<std::byte*>(memory) + sizeof(guest_operation),
                std::forward<Arguments>(arguments)...);
        } catch (...) {
            allocator.deallocate(memory, count);
            throw;
        }
        made->begin_all();
    }

private:
    struct alignas(std::max_align_t) block {
        std::byte bytes[alignof(std::max_align_t)];
    };
    static auto allocator_of(const Handler& handler) noexcept {
        return boost::asio::get_associated_allocator(handler, guest_allocator<void>{});
    }
    using associated_allocator = decltype(allocator_of(std::declval<const Handler&>()));
    using allocator_type =
        typename std::allocator_traits<associated_allocator>::template rebind_alloc<block>;
    using executor_type = boost::asio::associated_executor_t<Handler, shard_executor>;

    struct completion {
        completion(Handler& moved_in, const executor_type& executor_)
            : executor(executor_), work(std::in_place, executor_), handler(std::move(moved_in)) {}
        executor_type executor;
        std::optional<waiting_work<executor_type>> work;
        Handler handler;
    };

    struct canceller {
        guest_request* request;
        void operator()(boost::asio::cancellation_type type) const noexcept {
            if (type != boost::asio::cancellation_type::none) request->cancel();
        }
    };

    template <class... Arguments>
    guest_operation(Handler& handler,
                    std::size_t blocks,
                    std::byte* behind,
                    Arguments&&... arguments)
        : Request(std::forward<Arguments>(arguments)..., behind),
          completion_(std::in_place,
                      handler,
                      boost::asio::get_associated_executor(handler, shard_executor{this->home()})),
          allocator_(allocator_of(completion_->handler)),
          blocks_(blocks) {
        claim();
        if constexpr (takes_where<Handler>) this->keep_names();
    }
    ~guest_operation() = default;

    // On a shard of this engine nothing outlives the request that it waits for.
    void claim() {
        const executor_type& executor = completion_->executor;
        if (const shard_executor* const home = unwrap<shard_executor>(executor))
            if (&home->home().engine() == &this->engine()) return;
        if constexpr (boost::asio::can_query<executor_type,
                                             boost::asio::execution::context_t>::value) {
            this->wait_for(boost::asio::query(executor, boost::asio::execution::context));
        }
    }
    /// What `executor` is or, like any_io_executor, holds; nullptr if that is something else.
    template <class Wanted>
    static const Wanted* unwrap(const executor_type& executor) noexcept {
        if constexpr (std::is_same_v<executor_type, Wanted>) {
            return &executor;
        } else if constexpr (requires { executor.template target<Wanted>(); }) {
            return executor.template target<Wanted>();
        } else {
            return nullptr;
        }
    }

    void begin_all() {
        auto cancellation = boost::asio::get_associated_cancellation_slot(
            completion_->handler, boost::asio::cancellation_slot{});
        if (cancellation.is_connected()) {
            this->set_cancellable();
            cancellation.template emplace<canceller>(this);
        }
        this->start();
    }

    void complete() noexcept override {
        const bool turning =
            this->on_a_shard() && !shard::current()->ended() && !this->left_behind();
        if (!turning) return complete_off_the_shards();
        using context_executor = boost::asio::io_context::executor_type;
        const executor_type& executor = completion_->executor;
        // Unwrapped they need no memory of their own.
        if (const auto* const home = unwrap<shard_executor>(executor)) {
            this->post_to(shard_executor{*home});
        } else if (const auto* const context = unwrap<context_executor>(executor);
                   context != nullptr) {
            this->post_in_batch(shard_cache::current().completions(), context->context());
        } else {
            this->post_to(executor);
        }
    }

    // No shard is left to call the handler, and this thread may hold what it wants: where it has
    // not chosen, it is called elsewhere, and the engine may be gone before it has returned.
    void complete_off_the_shards() noexcept {
        const shard_executor* const home = unwrap<shard_executor>(completion_->executor);
        if (home != nullptr && &home->home().engine() == &this->engine()) completion_->work.reset();
        this->post_to(boost::asio::get_associated_executor(completion_->handler));
    }

    void deliver() override {
        auto cancellation = boost::asio::get_associated_cancellation_slot(
            completion_->handler, boost::asio::cancellation_slot{});
        if (cancellation.is_connected()) cancellation.clear();
        completion ending = std::move(*completion_);
        auto outcome = this->take();
        if constexpr (takes_where<Handler>) {
            const error failed = outcome.first ? this->failure(outcome.first) : error{};
            destroy();
            std::move(ending.handler)(failed, std::move(outcome.second));
        } else {
            destroy();
            std::move(ending.handler)(outcome.first, std::move(outcome.second));
        }
    }
    void abandon() noexcept override { completion_.reset(); }
    [[nodiscard]] engine& teller() const noexcept override { return this->engine(); }
    void destroy() noexcept override {
        if (this->left_behind()) return completion_.reset();
        allocator_type allocator{allocator_};
        const std::size_t blocks = blocks_;
        this->~guest_operation();
        allocator.deallocate(reinterpret_cast<block*>(this), blocks);
    }

    std::optional<completion> completion_;  // until it is abandoned
    allocator_type allocator_;
    std::size_t blocks_;
};

}  // namespace leat::detail
