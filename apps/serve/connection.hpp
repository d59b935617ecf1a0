// A client's connection, from the first byte to the last.
#pragma once

#include "connection_limits.hpp"
#include "http/file_answer.hpp"
#include "http/request_parser.hpp"
#include "http/target_path.hpp"
#include "peer_address.hpp"
#include "receive_buffer.hpp"
#include "request_in_flight.hpp"
#include "request_record.hpp"
#include "served_file.hpp"

#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/task.hpp>

#include <boost/asio/ssl/stream.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace leat::serve {

class shard_server;

/// Reads requests and answers them, one after the other. Of one shard.
class connection : public boost::intrusive::list_base_hook<> {
public:
    connection(shard_server& server, tcp_stream socket);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Until the connection has ended. Throws nothing.
    [[nodiscard]] task<> serve();
    /// Ends it if it waits for a request of which nothing has come.
    void end_if_idle() noexcept;
    /// Moves the deadline of an answer on if the peer has acknowledged something since the last
    /// call. A peer that is slow takes its time until the kernel, which has bytes for it, asks for
    /// more.
    void heed_progress() noexcept;

    [[nodiscard]] const peer_address& peer() const noexcept { return peer_; }
    [[nodiscard]] bool answering() const noexcept { return answering_; }
    /// When the head of the request had come that is being answered.
    [[nodiscard]] io::time_point heard() const noexcept { return heard_; }
    /// Bytes of files that the socket has taken of its answer.
    [[nodiscard]] std::uint64_t gone_out() const noexcept { return gone_out_; }
    /// What is being answered. Precondition: answering().
    [[nodiscard]] request_in_flight in_flight(io::time_point now) const;

private:
    using tls_stream = boost::asio::ssl::stream<tcp_stream&>;
    /// Heads of answers that fit take no memory of their own.
    static constexpr std::size_t answer_head_bytes = 1280;

    /// What a path turned out to be.
    struct resolved {
        served_ref file;                         ///< if it is one
        http::status status = http::status::ok;  ///< else what to answer
        bool listing = false;                    ///< or the folder itself
    };
    /// What is left of an answer for which the socket had room in part.
    struct unsent {
        served_ref file;
        std::string head;
        std::uint64_t first = 0;
        std::uint64_t length = 0;
        http::status code = http::status::ok;
        bool keep_alive = false;
    };
    /// A head, and a range of a file that follows it. What it refers to stays until it is sent.
    struct outgoing {
        std::string_view head;
        const leat::file* file = nullptr;  ///< null: nothing follows
        std::uint64_t first = 0;
        std::uint64_t length = 0;
    };
    static_assert(std::is_trivially_copyable_v<outgoing>, "it is made in co_await expressions");
    struct received {
        boost::system::error_code failure;
        std::size_t count = 0;
    };

    [[nodiscard]] task<bool> begin();
    [[nodiscard]] task<bool> read_proxy_header();
    [[nodiscard]] task<bool> begin_tls();
    /// Room for what comes next, with the deadline that it has.
    [[nodiscard]] std::span<char> begin_receive();
    /// Nothing comes any more. False.
    [[nodiscard]] task<bool> end_receiving(boost::system::error_code failure);
    [[nodiscard]] task<received> receive_by_tls(std::span<char> room);
    [[nodiscard]] task<> end();

    void begin_answer();
    /// Answers a request for bytes that are in memory, if the socket has room for them: without a
    /// wait, and so without a task. Gives what answer() does, or nothing if it has done nothing.
    [[nodiscard]] std::optional<bool> answer_at_once();
    /// Sends what answer_at_once() left in rest_.
    [[nodiscard]] task<bool> send_rest();
    /// Gives whether another request may follow.
    [[nodiscard]] task<bool> answer();
    [[nodiscard]] task<http::status> check_password(std::string_view authorization);
    [[nodiscard]] task<resolved> resolve(const http::target_path& asked);
    [[nodiscard]] http::file_answer compose(const served_file& file, std::span<char> memory) const;
    [[nodiscard]] task<bool> answer_file(served_ref file, bool again);
    [[nodiscard]] task<bool> send_parts(const http::file_answer& answer,
                                        const leat::file& file,
                                        std::span<char> memory);
    [[nodiscard]] task<bool> answer_folder(std::string path);
    [[nodiscard]] task<bool> refuse(http::status status, std::string_view location = {});

    /// Sends all of it, by whatever carries the connection. Throws boost::system::system_error;
    /// nothing had gone out then if the socket is open and begun_ false.
    [[nodiscard]] task<> send(outgoing what);
    [[nodiscard]] task<> send_slowly(outgoing what);
    [[nodiscard]] task<> send_piece(outgoing what);
    [[nodiscard]] task<> send_small(outgoing what);
    [[nodiscard]] task<> send_by_tls(outgoing what);
    [[nodiscard]] bool keeps(bool asked) const noexcept;
    void over(http::status status);
    [[nodiscard]] std::string_view cache_status(const leat::file& file,
                                                const http::request_head& head) const;

    shard_server& server_;
    tcp_stream socket_;
    std::unique_ptr<tls_stream> tls_;
    std::shared_ptr<boost::asio::ssl::context> keys_;
    peer_address peer_;
    connection_limits::place place_;
    http::request_parser parser_;
    receive_buffer buffer_;
    std::uint64_t requests_ = 0;
    io::time_point next_piece_{};  ///< by --rate: when more may be sent
    bool receives_head_ = false;   ///< its deadline runs
    bool waiting_ = false;         ///< for a request, of which nothing has come
    bool lingers_ = false;  ///< what the peer still sends is to be read, and dropped, at the end
    bool broken_ = false;   ///< an answer was cut off: nothing else may be sent
    // Of the request that is being answered.
    std::chrono::system_clock::time_point began_;
    io::time_point heard_;
    std::uint64_t sent_ = 0;      ///< bytes of content
    std::uint64_t gone_out_ = 0;  ///< bytes of files, counted as the socket takes them
    std::uint64_t length_ = 0;    ///< of the content, once it is known
    bool answering_ = false;      ///< by a task, not at once
    std::optional<unsent> rest_;
    bool begun_ = false;      ///< something of the answer has gone out
    int unacknowledged_ = 0;  ///< bytes that the kernel had for the peer when last looked at
};

}  // namespace leat::serve
