// One object on each shard.
#pragma once

#include <leat/engine/detail/end_listener.hpp>
#include <leat/engine/engine.hpp>
#include <leat/io/detail/misuse.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace leat {

/// Holds one T for each shard of an engine: made there, used there, destroyed there. For counters,
/// pools and primitives that need no lock, since only one thread has to do with each.
///
///     leat::per_shard<std::uint64_t> requests{engine};
///
///     leat::task<> answer(leat::per_shard<std::uint64_t>& requests) {
///         ++requests.local();  // of the shard that runs this
///         co_return;
///     }
///
/// Threads: local() on the engine's shards. The constructor and the destructor block until each
/// shard has made or destroyed its T: on a thread that is no shard, not that of a hosted engine's
/// loop; a shard ends the program with a sentence. What the constructor's caller wrote before is
/// seen by each T, and what a T's destructor wrote by whoever destroys this.
///
/// Lifetime: each T is destroyed with this or, if the engine ends first, when its shard ends,
/// after the last task; local() may not be called afterwards. T's destructor must not wait. A shard
/// that had to be given up keeps its T for ever.
template <class T>
class per_shard {
public:
    /// Makes T(arguments...) on each shard in turn. Starts the engine if need be. Throws
    /// errc::stopped if the engine stops, and what T's constructor throws, after those made before
    /// have been destroyed.
    template <class... Arguments>
    explicit per_shard(leat::engine& engine, const Arguments&... arguments)
        : engine_(engine), table_(std::make_shared<table>(engine.shards())) {
        off_the_shards();
        try {
            for (unsigned index = 0; index < engine.shards(); ++index) {
                engine.spawn_on(index, make(table_, arguments...)).get();
            }
        } catch (...) {
            destroy_all();
            throw;
        }
    }
    per_shard(const per_shard&) = delete;
    per_shard& operator=(const per_shard&) = delete;
    ~per_shard() {
        off_the_shards();
        destroy_all();
    }

    /// The running shard's own.
    [[nodiscard]] T& local() const noexcept {
        const shard* const here = shard::current();
        if (here == nullptr || &here->engine() != &engine_) [[unlikely]]
            detail::misuse(
                "per_shard::local() was called outside the shards of its engine: call it in a task "
                "that runs there");
        return *table_->slots[here->index()].value;
    }

private:
    struct table;
    enum class life : std::uint8_t { unborn, alive, gone };

    struct slot : detail::end_listener, detail::work {
        slot() noexcept : end_listener(&shard_ends), work(&asked_to_end) {}
        static void shard_ends(end_listener& self, bool given_up) noexcept {
            auto& mine = static_cast<slot&>(self);
            if (given_up) {
                mine.end();  // `kept` stays, and with it the value
            } else {
                mine.destroy();
            }
        }
        static void asked_to_end(detail::work& self) noexcept {
            auto& mine = static_cast<slot&>(self);
            if (mine.state.load(std::memory_order_relaxed) == life::alive) {
                mine.detail::end_listener_hook::unlink();
                mine.destroy();
            }
        }
        void destroy() noexcept {
            const std::shared_ptr<table> all = std::move(kept);
            value.reset();
            end();
        }
        void end() noexcept {
            state.store(life::gone, std::memory_order_release);
            state.notify_all();
        }

        std::unique_ptr<T> value;
        std::shared_ptr<table> kept;  // while it is alive
        std::atomic<life> state{life::unborn};
    };
    struct table {
        explicit table(std::size_t size) : slots(size) {}
        std::vector<slot> slots;
    };

    template <class... Arguments>
    static task<> make(std::shared_ptr<table> all, const Arguments&... arguments) {
        slot& mine = all->slots[this_shard().index()];
        mine.value = std::make_unique<T>(arguments...);
        this_shard().add_end_listener(mine);
        mine.kept = std::move(all);
        mine.state.store(life::alive, std::memory_order_release);
        co_return;
    }
    void destroy_all() noexcept {
        // A shard that takes no message any more destroys its own as it ends.
        for (unsigned index = 0; index < table_->slots.size(); ++index) {
            slot& one = table_->slots[index];
            if (one.state.load(std::memory_order_acquire) == life::alive)
                static_cast<void>(engine_.at(index).post_from_outside(one));
        }
        for (slot& one : table_->slots) one.state.wait(life::alive, std::memory_order_acquire);
    }
    static void off_the_shards() noexcept {
        if (shard::current() != nullptr) [[unlikely]]
            detail::misuse(
                "a per_shard was made or destroyed on a shard, which would wait for itself: make "
                "and destroy it on a thread that is not a shard");
    }

    engine& engine_;
    const std::shared_ptr<table> table_;
};

}  // namespace leat
