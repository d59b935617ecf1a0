// One of those who use the cache in a run.
#pragma once

#include "conversation.hpp"
#include "idle_connection.hpp"
#include "workload.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace leat::sim {

/// Does its actions one after the other, on whatever shard it is, and checks what it gets.
class actor {
public:
    actor(workload& in, const actor_plan& wanted);
    actor(const actor&) = delete;
    actor& operator=(const actor&) = delete;

    /// The whole of it, as a task.
    task<> run();
    [[nodiscard]] bool active() const noexcept { return active_; }
    /// Whether an operation of a connection that it keeps has not ended.
    [[nodiscard]] bool waits() const noexcept { return kept_ && kept_->waits(); }
    [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }
    void drop_all();

private:
    [[nodiscard]] task<> perform(const action& step);
    task<> perform_open(const action& step);
    task<> get(const action& step, bool limited);
    task<> get_one(chunk_config config);
    task<> see_through(task<> job, const action& step, bool limited);
    task<> get_many(const action& step);
    task<> read(const action& step);
    task<> read_into(std::uint64_t offset, std::span<std::byte> to);
    task<> walk(const action& step);
    task<> walk_over(const action& step);
    task<> abandon(const action& step);
    task<> get_whole(const action& step);
    task<> call(const action& step, bool sends);
    task<> serve(const action& step);
    task<> serve_peers(const action& step);
    task<> hop(const action& step);
    task<> nap(const action& step);
    task<> burst(const action& step);
    task<> flood(const action& step);
    task<> misuse(const action& step);
    task<> ask();
    task<> do_at_once(const action& step);
    void peek(const action& step);
    void drop(const action& step);

    void begin(const action& step);
    void end(const action& step, bool failed, boost::system::error_code code);
    [[nodiscard]] chunk_config any_request(const action& step) const;
    [[nodiscard]] bool cancels(const action& step) const;
    /// Checks and keeps it, or lets it go.
    void keep(slice got, std::uint64_t offset);
    void expect_code(const result<slice>& got, boost::system::error_code wanted);
    void forget(std::size_t index);
    void let_go(conversation& ended, const action& step);

    workload& in_;
    const actor_plan& plan_;
    chunk_manager* manager_ = nullptr;
    file file_;
    std::vector<held_slice> held_;
    std::optional<idle_connection> kept_;  ///< until the engine is gone
    attempt attempt_;
    bool active_ = false;
    bool in_action_ = false;
};

}  // namespace leat::sim
