// What an actor does with a connection.
#pragma once

#include "workload.hpp"

#include <leat/asio.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace leat::sim {

/// Gets chunks and sends their slices to a peer, receives what the peer sends, or both at once,
/// while somebody may cancel, close, move or destroy the stream. Checks what the stream tells;
/// throws what the cache throws, and errc::cancelled and errc::stopped.
class conversation {
public:
    /// What is sent is of `of`; nothing, if `from` is null.
    conversation(workload& in, chunk_manager* from, const file& of, const action& step);
    conversation(const conversation&) = delete;
    conversation& operator=(const conversation&) = delete;

    /// Whether somebody receives in a conversation, rather than only sends.
    [[nodiscard]] static bool has_receiver(const action& step) noexcept {
        return step.kind == deed::receive || (step.c >> 23 & 1) != 0;
    }
    /// With a peer that is connected to.
    task<> call();
    /// With a peer that has come, on its stream.
    task<> answer(tcp_stream accepted);
    /// The stream afterwards, if it is still there.
    [[nodiscard]] std::optional<tcp_stream> take() noexcept { return std::move(stream_); }

private:
    using error_code = boost::system::error_code;
    struct transferred {
        error_code code;
        std::size_t count = 0;
    };

    void prepare(const simulated_sockets::connection& line);
    task<> see_to_its_end();
    task<> connect();
    void talk();
    task<> send();
    task<> send_whole(std::uint64_t length);
    void cut_short();
    task<> send_pieces(std::uint64_t end);
    task<> receive();
    task<> disrupt();
    task<transferred> write(boost::asio::const_buffer bytes);
    task<transferred> read(std::span<std::byte> memory);
    void move_deadline();
    void expire_after(std::uint64_t time_ns);
    void shut(tcp_stream::shutdown_type what);

    /// Checks how an operation ended that began at `begun`; throws if the conversation was to end.
    void judge(error_code code, std::uint64_t begun);
    /// The same, whenever it ended.
    void judge_code(error_code code, std::uint64_t begun);
    [[nodiscard]] bool called_for(error_code code, std::uint64_t begun);
    void check_counts() const;

    [[nodiscard]] bool usable() const noexcept { return stream_ && stream_->is_open() && !failed_; }
    [[nodiscard]] bool has(unsigned bit) const noexcept { return (step_.c >> bit & 1) != 0; }

    workload& in_;
    chunk_manager* const from_;
    const file& file_;
    const action& step_;
    const bool whole_;     ///< what is sent is sent by send_range
    const bool composed_;  ///< by asio::async_write and asio::async_read
    scope all_;
    std::optional<tcp_stream> stream_;
    simulated_sockets::connection line_;
    std::uint64_t sent_ = 0;      ///< bytes, as the stream told
    std::uint64_t received_ = 0;  ///< the same
    std::uint64_t deadline_ = attempt::never;
    std::uint64_t replaced_ = 0;  ///< when it was, the last time after it had come
    unsigned renewals_ = 3;       ///< of a deadline that has come
    bool failed_ = false;
    bool disrupted_ = false;  ///< its operations may end by it
    bool dropped_ = false;    ///< a handler was, for want of memory: what it counted is not known
};

}  // namespace leat::sim
