// What the tasks of a soak do.
#pragma once

#include "common/pages.hpp"
#include "load/faulty_source.hpp"

#include <leat/leat.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace leat::perf {

/// Many tasks on every shard that open, get, read, walk, hold, pass on, time out and cancel, and
/// compare each slice with what the file holds.
class soak_load {
public:
    /// Bytes that chunks have.
    static constexpr std::uint64_t chunk_bytes = MiB;

    /// Reads the file's words by itself. `manager` must outlive it.
    soak_load(engine& owner, chunk_manager& manager, const std::string& path, std::uint64_t size);
    soak_load(const soak_load&) = delete;
    soak_load& operator=(const soak_load&) = delete;
    /// After all tasks have ended.
    ~soak_load();

    /// Runs on its shard until end().
    [[nodiscard]] task<> run();
    /// Any thread; the tasks end when they have done what they are at.
    void end() noexcept { ending_.store(true); }
    [[nodiscard]] bool ending() const noexcept { return ending_.load(); }

    [[nodiscard]] std::uint64_t requests() const noexcept { return requests_.load(); }
    [[nodiscard]] std::uint64_t errors() const noexcept { return errors_.load(); }
    /// What must not have happened; empty if nothing has. Any thread.
    [[nodiscard]] std::string failure() const;
    /// Waits until the foreign thread has dropped what it was given.
    void settle();

private:
    struct walker;  // one of the tasks

    [[nodiscard]] task<> walk(std::uint64_t seed);
    [[nodiscard]] task<> step(walker& one);
    [[nodiscard]] task<> reopen(walker& one);
    [[nodiscard]] task<slice> get(walker& one);
    [[nodiscard]] task<> get_and_drop(chunk_config wanted);
    [[nodiscard]] task<> hold(walker& one);
    [[nodiscard]] task<> pass_on(walker& one);
    [[nodiscard]] task<> copy(walker& one);
    [[nodiscard]] task<> stream(walker& one);
    [[nodiscard]] task<> in_time(walker& one);
    [[nodiscard]] task<> cancel(walker& one);
    [[nodiscard]] task<> elsewhere(walker& one);

    [[nodiscard]] chunk_config choose(walker& one) const;
    void check(std::uint64_t offset, std::span<const std::byte> bytes);
    void note_error(const boost::system::error_code& code);
    void fail(const std::string& what);
    void drop_on_foreign_thread(slice dropped);
    void foreign_main();

    engine& owner_;
    chunk_manager& manager_;
    std::uint64_t size_ = 0;
    std::vector<std::uint64_t> words_;                          ///< the first of each page
    std::vector<std::vector<std::vector<std::byte>>> buffers_;  ///< for copies, of each shard
    std::atomic<bool> ending_{false};
    std::atomic<std::uint64_t> requests_{0};
    std::atomic<std::uint64_t> errors_{0};
    std::atomic<std::uint64_t> seeds_{0};
    mutable std::mutex mutex_;  // the members below
    std::condition_variable changed_;
    std::string failure_;
    std::deque<slice> dropped_;
    bool dropping_ = false;
    bool leaving_ = false;
    std::thread foreign_;
};

}  // namespace leat::perf
