// An operation of a shard together with the handler that will be told its outcome.
#pragma once

#include <leat/engine/asio/detail/task_wait.hpp>
#include <leat/engine/asio/shard_executor.hpp>
#include <leat/engine/detail/frame_allocator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace leat::detail {

/// Handlers without an allocator of their own get memory of the shard's frame pool.
template <class Handler>
[[nodiscard]] auto allocator_of(const Handler& handler) noexcept {
    struct alignas(std::max_align_t) block {
        std::byte bytes[alignof(std::max_align_t)];
    };
    using own = boost::asio::associated_allocator_t<Handler>;
    if constexpr (is_default_allocator<own>) {
        return frame_allocator<block>{};
    } else {
        using rebound = typename std::allocator_traits<own>::template rebind_alloc<block>;
        return rebound(boost::asio::get_associated_allocator(handler));
    }
}

/// Where a handler is to run: on the shard itself, from its ready queue, if the handler's executor
/// is the shard's; else by dispatch to that executor, whose work this counts as until then.
template <class Executor>
class handler_executor {
public:
    handler_executor(const Executor& executor, const shard& home) {
        if (!is_of(executor, home)) elsewhere_.emplace(tracked(executor));
    }
    /// Calls function() there.
    template <class Function>
    void run(Function function) {
        if (elsewhere_) {
            boost::asio::dispatch(*elsewhere_, std::move(function));
        } else {
            function();
        }
    }

private:
    [[nodiscard]] static auto tracked(const Executor& executor) {
        return boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked);
    }
    template <class Other>
    [[nodiscard]] static bool is_of(const Other&, const shard&) noexcept {
        return false;
    }
    template <class Allocator, bool Tracked>
    [[nodiscard]] static bool is_of(const basic_shard_executor<Allocator, Tracked>& executor,
                                    const shard& home) noexcept {
        return &executor.home() == &home;
    }
    [[nodiscard]] static bool is_of(const boost::asio::any_io_executor& executor,
                                    const shard& home) noexcept {
        const auto* const inner = executor.target<shard_executor>();
        return inner != nullptr && is_of(*inner, home);
    }

    std::optional<std::decay_t<decltype(tracked(std::declval<const Executor&>()))>> elsewhere_;
};

/// `Operation` is work with `auto outcome() noexcept`, a tuple of the handler's arguments, called
/// once when it runs, and `void cancel() noexcept`, which has no effect once the operation has
/// ended. It lives in memory of the handler's allocator, which is given back before the handler is
/// called, and its handler's cancellation slot cancels it.
template <class Operation, class Handler>
class completion final : public Operation {
public:
    /// Makes one with `extra` bytes of memory behind it, see Operation's constructor.
    template <class... Arguments>
    [[nodiscard]] static completion& make(shard& on,
                                          Handler handler,
                                          std::size_t extra,
                                          const Arguments&... arguments) {
        auto allocator = allocator_of(handler);
        using traits = std::allocator_traits<decltype(allocator)>;
        const std::size_t blocks = blocks_for(extra);
        typename traits::value_type* const memory = traits::allocate(allocator, blocks);
        completion* made = nullptr;
        try {
            made = new (static_cast<void*>(memory))
                completion(on, std::move(handler), blocks, arguments...);
            made->connect_slot();
        } catch (...) {
            if (made != nullptr) made->~completion();
            traits::deallocate(allocator, memory, blocks);
            throw;
        }
        return *made;
    }
    /// The memory behind it.
    [[nodiscard]] void* extra() noexcept { return this + 1; }

private:
    using executor = boost::asio::associated_executor_t<Handler, shard_executor>;

    template <class... Arguments>
    completion(shard& on, Handler&& handler, std::size_t blocks, const Arguments&... arguments)
        : Operation(&completion::run_handler, on, arguments...),
          on_(on),
          blocks_(blocks),
          executor_(boost::asio::get_associated_executor(handler, shard_executor(on)), on),
          handler_(std::move(handler)) {}

    [[nodiscard]] static constexpr std::size_t blocks_for(std::size_t extra) noexcept {
        static_assert(alignof(completion) <= alignof(std::max_align_t));
        constexpr std::size_t block = alignof(std::max_align_t);
        return (sizeof(completion) + extra + block - 1) / block;
    }

    void connect_slot() {
        if constexpr (waits_alone<Handler>) {
            *associated_cancel_hook<Handler>::get(handler_) = {
                [](void* self) noexcept { static_cast<completion*>(self)->cancel(); }, this};
            return;
        }
        auto slot = boost::asio::get_associated_cancellation_slot(handler_);
        if (!slot.is_connected()) return;
        slot.assign([this](boost::asio::cancellation_type type) {
            if (type != boost::asio::cancellation_type::none) this->cancel();
        });
    }

    static void run_handler(work& item) noexcept {
        auto& self = static_cast<completion&>(item);
        shard& on = self.on_;
        if constexpr (waits_alone<Handler>) {
            *associated_cancel_hook<Handler>::get(self.handler_) = {};
        } else {
            boost::asio::get_associated_cancellation_slot(self.handler_).clear();
        }
        auto allocator = allocator_of(self.handler_);
        handler_executor<executor> where = std::move(self.executor_);
        auto run = [handler = std::move(self.handler_), outcome = self.outcome()]() mutable {
            std::apply([&](auto&... arguments) { std::move(handler)(std::move(arguments)...); },
                       outcome);
        };
        using traits = std::allocator_traits<decltype(allocator)>;
        const std::size_t blocks = self.blocks_;
        self.~completion();
        auto* const memory = static_cast<void*>(&self);
        traits::deallocate(allocator, static_cast<typename traits::value_type*>(memory), blocks);
        try {
            where.run(std::move(run));
        } catch (...) {
            on.report_thrown();
        }
    }

    shard& on_;
    std::size_t blocks_;
    handler_executor<executor> executor_;
    Handler handler_;
};

}  // namespace leat::detail
