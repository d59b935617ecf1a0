// The actors of a run, what they share, and what is checked of the errors they get.
#pragma once

#include "checked_source.hpp"
#include "fill_check.hpp"
#include "peer.hpp"
#include "scheduler.hpp"
#include "world.hpp"

#include <leat/cache/chunk_manager.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace leat::sim {

class actor;
class guest;

/// A slice and what its bytes must be.
struct held_slice {
    slice piece;
    io::file_version version;
    std::uint64_t offset = 0;
    unsigned shard = 0;  ///< that it was got on

    /// Fails the run if its bytes are others.
    void verify() const;
};

/// A request from its begin to its end.
struct attempt {
    static constexpr std::uint64_t never = ~std::uint64_t{0};
    std::uint64_t begun = 0;
    std::uint64_t cancelled_at = never;  ///< a stop is requested then
    std::uint64_t limit = never;         ///< ns that with_timeout gives it
    bool may_be_refused = false;         ///< errc::all_pinned or no_buffer may come at once
    boost::system::error_code expected;  ///< it is a misuse
    io::file_version version;            ///< of the file asked for
};

class workload {
public:
    workload(world& all, scheduler& by, engine& owner);
    workload(const workload&) = delete;
    workload& operator=(const workload&) = delete;
    ~workload();

    /// Makes the managers and lets the actors come.
    void begin();
    /// Whether every actor has come and gone, as far as the engine lets them.
    [[nodiscard]] bool over() const;
    /// Starts a last task that checks what the cache still counts.
    void begin_last_look();
    [[nodiscard]] bool last_look_taken() const noexcept { return looked_; }
    /// Checks that no actor is left in the middle.
    void check_ended() const;
    /// Slices that are still held, by whomever.
    [[nodiscard]] std::size_t held() const;
    void drop_slices();
    void drop_managers();

    /// Checks an attempt's outcome: no error, or one that is called for.
    void judge(const attempt& made, boost::system::error_code code) const;
    /// Asks for a stop later, from outside the shards or from one of them.
    void cancel_later(attempt& made, const std::stop_source& source, std::uint64_t choice);
    /// A peer that waits to be connected to. One that is silent may stay, and sends nothing.
    [[nodiscard]] simulated_sockets::connection invite_peer(bool silent);
    /// So many come to a listening socket, some time.
    void let_peers_come(int descriptor, unsigned count, bool silent);
    void drop_outside(held_slice dropped, std::uint64_t delay_ns);
    void disturb(const action& step);
    /// Changes how much memory the engine may use.
    void resize(const action& step);
    /// Asks for a chunk later, from outside the shards.
    void invite(chunk_manager& from,
                const file& of,
                const chunk_config& wanted,
                const action& step);
    /// It is destroyed.
    void guest_ended(guest& gone);
    [[nodiscard]] static std::string name_of_file(std::uint64_t choice, std::size_t files);

    world& all;
    scheduler& by;
    engine& owner;
    fill_watch watch;
    fill_check fills{watch};
    std::unique_ptr<chunk_manager> lower;
    std::unique_ptr<chunk_manager> upper;
    std::deque<held_slice> passed_on;  ///< from one actor to another

private:
    void spawn(unsigned shard, task<> job);
    void judge_failure(const attempt& made, boost::system::error_code code) const;
    [[nodiscard]] bool may_be_pinned(const attempt& made) const;
    task<> look();
    void check_budget(const cache_statistics& now) const;

    std::vector<std::unique_ptr<actor>> actors_;
    unsigned coming_ = 0;
    /// One who is yet to ask, or whose request is on its way.
    struct invitation {
        chunk_manager* from;
        file of;
        chunk_config wanted;
        std::unique_ptr<guest> request;
    };
    void let_ask(std::uint64_t number, const action& step);

    std::map<std::uint64_t, invitation> invitations_;
    std::vector<std::unique_ptr<peer>> peers_;
    std::map<std::uint64_t, held_slice> outside_;  ///< to be dropped there
    std::uint64_t drops_ = 0;
    bool looked_ = false;
};

}  // namespace leat::sim
