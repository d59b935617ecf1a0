// A line for each request.
#pragma once

#include "log_file.hpp"
#include "request_record.hpp"
#include "server_options.hpp"

#include <boost/lockfree/spsc_queue.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace leat::serve {

/// Writes requests to a file or to standard output, in a thread of its own: a shard only copies a
/// record into a ring that is its own, and drops it, counted, where that is full. So nothing that
/// ails the file holds a request up; lines that could not be written are counted, too.
class access_log {
public:
    /// `path`: "-" is standard output. Throws std::runtime_error if it cannot be opened.
    access_log(const std::string& path, log_format format, unsigned shards);
    access_log(const access_log&) = delete;
    access_log& operator=(const access_log&) = delete;
    using clock = std::chrono::steady_clock;
    /// As end(), within a second.
    ~access_log();

    /// Writes what is there, until `until` at most, or until a reader has taken nothing for a
    /// second. Nothing may be written afterwards. Not on a shard.
    void end(clock::time_point until) noexcept;

    /// On the shard's thread. Strings are cut where they are long.
    void write(unsigned shard, const request_record& record) noexcept;
    /// Opens the file anew, by its name, after log rotation. If that fails the former one stays,
    /// and the sentence says why; else it is empty. Any thread that may wait.
    [[nodiscard]] std::string reopen();

    /// Records that found no room.
    [[nodiscard]] std::uint64_t dropped() const noexcept {
        return dropped_.load(std::memory_order_relaxed);
    }
    /// Lines that could not be written.
    [[nodiscard]] std::uint64_t failed() const noexcept {
        return failed_.load(std::memory_order_relaxed);
    }

private:
    static constexpr std::chrono::seconds silence{1};
    using ring = boost::lockfree::spsc_queue<char>;
    struct line {
        std::chrono::system_clock::time_point began;
        std::string text;
    };

    void run();
    void drain(ring& from);
    void write_lines();
    void write_text(const std::string& text);

    const std::string path_;
    const log_format format_;
    std::vector<std::unique_ptr<ring>> rings_;
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::vector<line> lines_;         ///< of one round
    std::unique_ptr<log_file> file_;  ///< of the thread
    std::mutex mutex_;                // the members below
    std::condition_variable changed_;
    bool ending_ = false;
    clock::time_point give_up_;
    std::unique_ptr<log_file> reopened_;  ///< what is to follow file_
    std::thread thread_;                  // the last member: it uses the others
};

/// The line of a record, without its end.
[[nodiscard]] std::string log_line(const request_record& record, log_format format);

}  // namespace leat::serve
