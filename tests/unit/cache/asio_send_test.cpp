// Slices that are sent, and peers that go away before they have them.
#include "leftovers.hpp"
#include "pattern.hpp"
#include "scripted_source.hpp"
#include "small_engine.hpp"
#include "sockets.hpp"

#include <leat/asio.hpp>
#include <leat/cache/asio/slice_body.hpp>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_send_test)

using namespace leat;
using namespace leat::literals;
using namespace leat::test;
using namespace std::chrono_literals;
namespace http = boost::beast::http;
namespace data = boost::unit_test::data;

namespace {

constexpr std::uint32_t chunk_bytes = 1 << 20;
constexpr std::uint64_t buffers = 4;

/// Whether every buffer can be had, and nothing is pinned.
task<bool> nothing_is_held(chunk_manager& manager, file from) {
    const cache_statistics before = co_await manager.statistics();
    std::vector<slice> all;
    for (std::uint64_t i = 0; i < buffers; ++i) {
        const chunk_config config{from, (i + buffers) * chunk_bytes, chunk_bytes};
        all.push_back(co_await manager.get_chunk(config));
    }
    all.clear();
    const cache_statistics after = co_await manager.statistics();
    co_return before.pins == 0 && after.pins == 0 && after.pinned_bytes == 0;
}

/// Runs job(manager, file) on an engine of one shard that keeps half of the file's chunks; tells
/// what failed.
template <class Job>
std::string outcome_with_file(io::backend_kind kind, Job job) {
    const leftovers before;
    std::string failure;
    {
        engine owner{small_engine(1, buffers * chunk_bytes, chunk_bytes, kind)};
        const auto made_up = std::make_shared<script>();
        made_up->size = 2 * buffers * chunk_bytes;
        chunk_manager manager{owner, scripted_source{made_up}};
        try {
            file from = owner.run(manager.open("any"));
            failure = owner.run(job(manager, from));
            if (!owner.run(nothing_is_held(manager, from))) failure += "; something is pinned";
        } catch (const std::exception& escaped) {
            failure = escaped.what();
        }
        owner.stop();
        const stop_report report = owner.join();
        if (report.code) failure += "; stop: " + report.owed;
    }
    if (!before.none()) failure += "; something is left";
    return failure;
}

/// Less room than a chunk needs between the two.
void make_narrow(connection& both) {
    both.near.set_option(asio::socket_base::send_buffer_size(1 << 14));
    both.far.set_option(asio::socket_base::receive_buffer_size(1 << 14));
}

/// Reads `parts` times, and resets.
task<> read_and_reset(tcp_stream& far, int parts) {
    std::vector<char> memory(1 << 14);
    far.expires_after(10s);
    for (int part = 0; part < parts; ++part) {
        co_await far.async_read_some(asio::buffer(memory), use_task);
    }
    reset_at_close(far);
    far.close();
}

bool is_of_a_reset(const error_code& code) {
    return code == asio::error::connection_reset || code == asio::error::broken_pipe;
}

}  // namespace

BOOST_DATA_TEST_CASE(a_peer_resets_in_the_middle_of_a_send_from_a_slice,
                     data::make(both_backends) * data::make({false, true}),
                     kind,
                     zero_copy) {
    auto job = [&](chunk_manager& manager, file from) -> task<std::string> {
        for (int round = 0; round < 12; ++round) {
            connection both;
            make_narrow(both);
            both.near.zero_copy(zero_copy);
            const chunk_config config{from, static_cast<std::uint64_t>(round % 4) * chunk_bytes,
                                      chunk_bytes};
            const slice whole = co_await manager.get_chunk(config);
            told write;
            asio::async_write(both.near, whole.buffer(), write.handler());
            co_await read_and_reset(both.far, round);
            const bool ended = co_await until([&] { return write.calls > 0; });
            LEAT_EXPECT(ended);
            LEAT_EXPECT(is_of_a_reset(write.code) && write.count < chunk_bytes);
            const cache_statistics now = co_await manager.statistics();
            LEAT_EXPECT(now.pins == 1 && write.calls == 1);
        }
        co_return "";
    };
    BOOST_TEST(outcome_with_file(kind, job) == "");
}

BOOST_DATA_TEST_CASE(a_peer_resets_in_the_middle_of_a_message_of_slices,
                     data::make(both_backends) * data::make({false, true}),
                     kind,
                     zero_copy) {
    auto job = [&](chunk_manager& manager, file from) -> task<std::string> {
        for (int round = 0; round < 12; ++round) {
            connection both;
            make_narrow(both);
            both.near.zero_copy(zero_copy);
            auto answer = std::make_unique<http::response<slice_body>>(http::status::ok, 11);
            for (std::uint64_t i = 0; i < 3; ++i) {
                const chunk_config config{from, i * chunk_bytes + 5, chunk_bytes / 2};
                answer->body().push_back(co_await manager.get_chunk(config));
            }
            answer->prepare_payload();
            told write;
            http::async_write(both.near, *answer, write.handler());
            co_await read_and_reset(both.far, round);
            const bool ended = co_await until([&] { return write.calls > 0; });
            LEAT_EXPECT(ended);
            LEAT_EXPECT(is_of_a_reset(write.code) && write.calls == 1);
            const cache_statistics sent = co_await manager.statistics();
            LEAT_EXPECT(sent.pins == 3);
            answer.reset();
            const cache_statistics gone = co_await manager.statistics();
            LEAT_EXPECT(gone.pins == 0);
        }
        co_return "";
    };
    BOOST_TEST(outcome_with_file(kind, job) == "");
}

BOOST_DATA_TEST_CASE(a_message_of_slices_arrives,
                     data::make(both_backends) * data::make({false, true}),
                     kind,
                     zero_copy) {
    auto job = [&](chunk_manager& manager, file from) -> task<std::string> {
        connection both;
        both.near.zero_copy(zero_copy);
        http::response<slice_body> answer{http::status::ok, 11};
        for (std::uint64_t i = 0; i < 2; ++i) {
            const chunk_config config{from, i * chunk_bytes, chunk_bytes};
            answer.body().push_back(co_await manager.get_chunk(config));
        }
        answer.prepare_payload();
        told write;
        http::async_write(both.near, answer, write.handler());
        boost::beast::flat_buffer buffer;
        http::response_parser<http::string_body> received;
        received.body_limit(3 * chunk_bytes);
        both.far.expires_after(10s);
        co_await http::async_read(both.far, buffer, received, use_task);
        const bool ended = co_await until([&] { return write.calls > 0; });
        LEAT_EXPECT(ended && !write.code && write.calls == 1);
        const std::string& body = received.get().body();
        LEAT_EXPECT(body.size() == 2 * chunk_bytes);
        LEAT_EXPECT(is_pattern(std::as_bytes(std::span{body}), 1, 0));
        const io::backend_statistics counts = this_shard().backend().statistics();
        LEAT_EXPECT((counts.zero_copy_sends + counts.zero_copy_refused > 0) == zero_copy);
        co_return "";
    };
    BOOST_TEST(outcome_with_file(kind, job) == "");
}

// As a socket of the system's own does that cannot send without copying.
BOOST_DATA_TEST_CASE(a_socket_that_cannot_send_without_a_copy_sends_slices, both_backends, kind) {
    auto job = [&](chunk_manager& manager, file from) -> task<std::string> {
        std::array<int, 2> made{};
        LEAT_EXPECT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made.data()) == 0);
        tcp_stream near(shard_executor::current(), tcp::v4(), made[0]);
        tcp_stream far(shard_executor::current(), tcp::v4(), made[1]);
        near.zero_copy(true);
        const chunk_config config{from, 0, chunk_bytes};
        const slice whole = co_await manager.get_chunk(config);
        told write;
        asio::async_write(near, whole.buffer(), write.handler());
        std::vector<std::byte> received(chunk_bytes);
        far.expires_after(10s);
        co_await asio::async_read(far, asio::buffer(received), use_task);
        const bool ended = co_await until([&] { return write.calls > 0; });
        LEAT_EXPECT(ended && !write.code && write.count == chunk_bytes);
        LEAT_EXPECT(is_pattern(received, 1, 0));
        const io::backend_statistics counts = this_shard().backend().statistics();
        LEAT_EXPECT(counts.zero_copy_sends == 0 && counts.zero_copy_refused > 0);
        co_return "";
    };
    BOOST_TEST(outcome_with_file(kind, job) == "");
}

BOOST_AUTO_TEST_SUITE_END()
