// A backend without a kernel: seeded, in virtual time, faulty.
#pragma once

#include "credit_queue.hpp"
#include "scheduler.hpp"
#include "simulated_read.hpp"
#include "world.hpp"

#include <leat/io/backend.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace leat::sim {

/// Keeps the contract of io::backend and nothing beyond it: operations complete in any order, late,
/// short, failed, or not before they are cancelled; a read's bytes are those the file has while it
/// is under way, before and after a change of the file, and where it fails or falls short anything
/// may stand behind them. A wait may end without a reason. EINTR and EAGAIN end below this seam:
/// here they are delays. What becomes of an operation on a socket is decided when it is due; one
/// that has to wait then is due again when something has changed.
class simulated_backend final : public io::backend, private socket_watcher {
public:
    simulated_backend(world& all, scheduler& by, unsigned shard);
    ~simulated_backend() override;

    void submit(io::operation& op) noexcept override;
    void cancel(io::operation& op) noexcept override;
    std::size_t run(io::time_point deadline) override;
    void wake() noexcept override;
    [[nodiscard]] io::time_point now() const noexcept override { return all_.now(); }
    [[nodiscard]] int stat_cached(int descriptor,
                                  unsigned mask,
                                  struct statx& out) noexcept override;
    [[nodiscard]] boost::system::error_code register_buffer(
        unsigned index, std::span<std::byte> memory) noexcept override;
    [[nodiscard]] std::size_t connection_limit() const noexcept override {
        return std::min(waiting_.connection_limit(), all_.planned.connections);
    }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return accepted_; }
    [[nodiscard]] std::string owed() const override;
    [[nodiscard]] io::backend_statistics statistics() const override { return statistics_; }

private:
    /// What becomes of an operation that is under way.
    struct flight {
        io::operation* op = nullptr;
        std::uint64_t number = 0;
        std::uint64_t due = 0;
        int error = 0;            ///< an errno, or 0
        std::uint64_t count = 0;  ///< of a read: at most so many bytes
        std::uint64_t early = 0;  ///< bytes of it that are there already
        bool stuck = false;
        bool deaf = false;  ///< to cancellation
        bool cancelled = false;
        /// Sent without a copy: the device still reads `count` bytes, the first of which follows
        /// `early` others on the connection.
        bool held = false;
    };
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    void take_off() noexcept;
    void take_off(io::operation& op) noexcept;
    void decide_read(flight& begun) noexcept;
    void socket_changed(int descriptor) noexcept override;
    [[nodiscard]] std::uint64_t delay() noexcept;
    [[nodiscard]] std::size_t land() noexcept;
    [[nodiscard]] bool lands(flight& ended) noexcept;
    [[nodiscard]] bool socket_lands(flight& ended) noexcept;
    [[nodiscard]] bool hold(flight& ended) noexcept;
    void check_held(const flight& ended) noexcept;
    [[nodiscard]] int outcome(const flight& ended) noexcept;
    [[nodiscard]] int read_outcome(const flight& ended) noexcept;
    [[nodiscard]] int open_outcome(const flight& ended) noexcept;
    void check_read(const simulated_read& read, std::uint64_t alignment) noexcept;
    void require_registered(int index, std::span<const std::byte> memory) noexcept;
    static void copy(const simulated_file& file,
                     const simulated_read& read,
                     std::uint64_t from,
                     std::uint64_t to) noexcept;
    void scribble(const simulated_read& read, std::uint64_t from) noexcept;
    [[nodiscard]] std::uint64_t next_due() const noexcept;

    world& all_;
    scheduler& by_;
    const unsigned shard_;
    io::credit_queue waiting_;
    std::size_t waiting_files_ = 0;  ///< of them, operations on files
    std::size_t accepted_ = 0;
    std::vector<flight> flights_;
    std::uint64_t numbers_ = 0;
    bool woken_ = false;
    std::vector<std::span<std::byte>> registered_;
    io::backend_statistics statistics_;
};

}  // namespace leat::sim
