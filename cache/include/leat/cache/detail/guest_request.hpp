// A request from outside leat's coroutines: its way to the shards that serve it, and back.
#pragma once

#include <leat/engine/detail/end_listener.hpp>
#include <leat/engine/engine.hpp>

#include <atomic>
#include <cstdint>

namespace leat::detail {

class guest_request;

/// The part of a guest's request that one shard does; it is the message that goes there, too.
class guest_visit : public work, public detail::end_listener {
public:
    guest_visit(guest_request& of, shard& where) noexcept
        : work(&arrived),
          end_listener(&shard_ends),
          request_(of),
          where_(where),
          withdrawal_(*this) {}

    [[nodiscard]] shard& where() const noexcept { return where_; }
    /// Its shard: this part will not end at once, so the engine must not end before it.
    void stay() noexcept;
    /// Its shard: this part has ended, once.
    void end() noexcept;

private:
    friend class guest_request;
    struct withdrawal : work {
        explicit withdrawal(guest_visit& of_) noexcept : work(&withdrawn), of(of_) {}
        guest_visit& of;
    };
    static constexpr unsigned withdrawing = 1;  // a withdrawal has been sent
    static constexpr unsigned ended = 2;

    static void arrived(work& message) noexcept;
    static void withdrawn(work& message) noexcept;
    static void shard_ends(detail::end_listener& one, bool given_up) noexcept;

    guest_request& request_;
    shard& where_;
    guest_visit* next_ = nullptr;
    bool begun_ = false;
    bool stays_ = false;
    withdrawal withdrawal_;
    std::atomic<unsigned> state_{0};
};

/// What requests of guests have in common, whatever they ask for and however they complete.
///
/// It is made and started on any thread, visits its shards, and ends on the shard that is last.
/// Its owner sees to it that it lives until complete().
class guest_request {
public:
    guest_request(const guest_request&) = delete;
    guest_request& operator=(const guest_request&) = delete;

    /// Begins the visits: complete() is called once, perhaps inside. From a shard of the engine the
    /// only visit is to that shard, and it begins inside. Lock-free. What was written before is
    /// seen by the visits; the request may be gone when this returns.
    void start() noexcept;
    /// Asks that a request that was started end soon; complete() is still called, once. Any thread,
    /// from start() on, as long as the request is known to live. Needs cancellable().
    void cancel() noexcept;

protected:
    explicit guest_request(leat::engine& engine) noexcept : engine_(engine) {}
    ~guest_request() = default;

    /// This shard, if it is one of `engine`, else the one that is `elsewhere`.
    [[nodiscard]] static shard& place(leat::engine& engine, unsigned elsewhere) noexcept;
    /// Before start(), for each shard.
    void add(guest_visit& visit) noexcept;
    /// Before start(): cancel() may be called.
    void set_cancellable() noexcept { cancellable_ = true; }
    /// The shard of the first visit.
    [[nodiscard]] shard& home() const noexcept { return *home_; }
    [[nodiscard]] bool cancellable() const noexcept { return cancellable_; }
    [[nodiscard]] leat::engine& engine() const noexcept { return engine_; }
    /// Whether this thread runs a shard of the engine.
    [[nodiscard]] bool on_a_shard() const noexcept {
        const shard* const here = shard::current();
        return here != nullptr && &here->engine() == &engine_;
    }

    /// On the visit's shard: does the part, which calls end() now or later, once.
    virtual void begin(guest_visit& visit) noexcept = 0;
    /// On the visit's shard, while it has not ended: end() is to come soon.
    virtual void withdraw(guest_visit& visit) noexcept = 0;
    /// Instead of a visit whose shard has ended, or has been given up with the visit: what it has
    /// not done has failed with errc::stopped.
    virtual void turn_away(guest_visit& visit) noexcept = 0;
    /// After the last visit, on its shard, or inside start() if that has ended; what all of them
    /// wrote is seen. May destroy the request, unless it is left_behind().
    virtual void complete() noexcept = 0;
    /// Whether a shard that was given up still refers to the request: then it must live for ever.
    [[nodiscard]] bool left_behind() const noexcept {
        return left_behind_.load(std::memory_order_relaxed);
    }

private:
    friend class guest_visit;
    void visit_ended(guest_visit& visit) noexcept;
    void end_one() noexcept;

    leat::engine& engine_;
    shard* home_ = nullptr;
    guest_visit* visits_ = nullptr;
    std::atomic<std::uint32_t> left_{0};
    std::atomic<bool> left_behind_{false};
    bool cancellable_ = false;
};

}  // namespace leat::detail
