// Ranges sent through the cache to peers that are quick, slow, gone or stop.
#include "leftovers.hpp"
#include "pattern.hpp"
#include "scripted_source.hpp"
#include "small_engine.hpp"
#include "sockets.hpp"

#include <leat/asio.hpp>

#include <boost/asio/read.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_send_range_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

namespace {

constexpr std::uint32_t chunk_bytes = 1 << 20;
constexpr std::uint64_t buffers = 4;
constexpr std::uint64_t file_bytes = 3 * buffers * chunk_bytes - 77;

struct setting {
    chunk_manager& manager;
    file from;
    script& source;
};

/// Runs job(setting) on an engine of one shard that keeps a third of the file's chunks; tells what
/// failed, and what is left afterwards.
template <class Job>
std::string outcome_with(io::backend_kind kind, Job job) {
    const leftovers before;
    std::string failure;
    {
        engine owner{small_engine(1, buffers * chunk_bytes, chunk_bytes, kind)};
        const auto made_up = std::make_shared<script>();
        made_up->size = file_bytes;
        chunk_manager manager{owner, scripted_source{made_up}};
        try {
            setting given{manager, owner.run(manager.open("any")), *made_up};
            failure = owner.run(job(given));
            const cache_statistics left = owner.run(manager.statistics());
            if (left.pins + left.sending_bytes != 0) failure += "; something is pinned";
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

/// Less room between the two than a chunk needs. The receiver's is left alone: where it is small
/// the kernel drops what it cannot keep, and waits ever longer before it sends it again.
void make_narrow(connection& both) {
    both.near.set_option(asio::socket_base::send_buffer_size(1 << 14));
}

/// How a range's sending ended; lives on while it has not.
struct sending {
    sending(tcp_stream& stream_, const setting& with_) : stream(stream_), with(with_) {}
    tcp_stream& stream;
    const setting& with;
    bool ended = false;
    error_code code;
    std::string what;

    task<> range(std::uint64_t offset, std::uint64_t length, send_range_options options = {}) {
        try {
            task<> whole = send_range(stream, with.manager, with.from, offset, length, options);
            co_await std::move(whole);
        } catch (const boost::system::system_error& failure) {
            code = failure.code();
            what = failure.what();
        }
        ended = true;
    }
};

task<std::vector<std::byte>> receive(tcp_stream& far, std::size_t count) {
    std::vector<std::byte> received(count);
    far.expires_after(20s);
    co_await asio::async_read(far, asio::buffer(received), use_task);
    co_return received;
}

bool begins_with(std::span<const std::byte> bytes, std::string_view text) {
    return std::equal(text.begin(), text.end(), bytes.begin(),
                      [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
}

}  // namespace

BOOST_DATA_TEST_CASE(a_range_arrives_behind_its_head,
                     data::make(both_backends) * data::make({false, true}) *
                         data::make({false, true}),
                     kind,
                     narrow,
                     zero_copy) {
    auto job = [&](setting& with) -> task<std::string> {
        struct part {
            std::uint64_t offset, length;
        };
        constexpr std::string_view head = "and now:";
        const part parts[] = {{0, 0},
                              {0, 1},
                              {chunk_bytes - 1, 2},
                              {file_bytes - 1, 1},
                              {file_bytes, 0},
                              {chunk_bytes - 123, 200'000},
                              {123, narrow ? 300'000 : file_bytes - 123}};
        for (const part& one : parts) {
            connection both;
            if (narrow) make_narrow(both);
            both.near.zero_copy(zero_copy);
            sending out{both.near, with};
            scope all;
            send_range_options options;
            options.head = asio::buffer(head);
            options.patience = 20s;
            all.spawn(out.range(one.offset, one.length, options));
            const auto got = co_await receive(both.far, head.size() + one.length);
            co_await all.join();
            LEAT_EXPECT(!out.code && both.near.is_open());
            LEAT_EXPECT(begins_with(got, head));
            LEAT_EXPECT(is_pattern(std::span{got}.subspan(head.size()), 1, one.offset));
        }
        co_return "";
    };
    BOOST_TEST(outcome_with(kind, job) == "");
}

// More slow peers than there are chunks in memory, each on a chunk of its own: none pins anything
// while it waits, and whoever else asks is served.
BOOST_DATA_TEST_CASE(slow_peers_pin_nothing, both_backends, kind) {
    auto job = [&](setting& with) -> task<std::string> {
        constexpr std::size_t peers = 3 * buffers - 1;
        constexpr std::uint64_t length =
            chunk_bytes / 2;  // more than the sockets between them keep
        std::vector<std::unique_ptr<connection>> lines;
        std::vector<std::unique_ptr<sending>> outs;
        scope all;
        for (std::size_t i = 0; i < peers; ++i) {
            make_narrow(*lines.emplace_back(std::make_unique<connection>()));
            outs.push_back(std::make_unique<sending>(lines.back()->near, with));
            all.spawn(outs.back()->range(i * chunk_bytes, length));
        }
        for (const auto& one : lines) {  // each is in the middle
            std::byte first{};
            co_await asio::async_read(one->far, asio::buffer(&first, 1), use_task);
        }
        const bool all_wait =
            co_await until([&] { return this_shard().backend().in_flight() >= peers; });
        LEAT_EXPECT(all_wait);
        cache_statistics now = co_await with.manager.statistics();
        for (int left = 1000; now.pins != 0 && left > 0; --left) {  // while bytes move
            co_await leat::sleep(1ms);
            now = co_await with.manager.statistics();
        }
        LEAT_EXPECT(now.pins == 0 && now.pinned_bytes == 0);
        std::vector<slice> held;  // every buffer can be had at once
        for (std::uint64_t i = 0; i < buffers; ++i) {
            const chunk_config config{with.from, i * chunk_bytes, 4096, hint::normal};
            held.push_back(co_await with.manager.get_chunk(config));
        }
        held.clear();
        for (std::size_t i = 0; i < peers; ++i) {
            LEAT_EXPECT(!outs[i]->ended);
            const auto rest = co_await receive(lines[i]->far, length - 1);
            LEAT_EXPECT(is_pattern(rest, 1, i * chunk_bytes + 1));
        }
        co_await all.join();
        for (const auto& one : outs) LEAT_EXPECT(one->ended && !one->code);
        co_return "";
    };
    BOOST_TEST(outcome_with(kind, job) == "");
}

BOOST_DATA_TEST_CASE(what_does_not_lie_in_the_file_is_refused, both_backends, kind) {
    auto job = [&](setting& with) -> task<std::string> {
        struct part {
            std::uint64_t offset, length;
        };
        constexpr std::uint64_t most = ~std::uint64_t{0};
        const part parts[] = {{0, file_bytes + 1}, {file_bytes, 1}, {file_bytes + 1, 0},
                              {1, most},           {most, 1},       {most, most}};
        for (const part& one : parts) {
            connection both;
            sending out{both.near, with};
            send_range_options options;
            options.head = asio::buffer("head", 4);
            co_await out.range(one.offset, one.length, options);
            LEAT_EXPECT(out.code == errc::out_of_range && both.near.is_open());
            LEAT_EXPECT(out.what.starts_with("send_range \"any\" offset "));
        }
        LEAT_EXPECT(with.source.reads == 0u);
        setting closed{with.manager, file{}, with.source};
        connection both;
        sending out{both.near, closed};
        co_await out.range(0, 1);
        LEAT_EXPECT(out.code == errc::closed && both.near.is_open());
        co_return "";
    };
    BOOST_TEST(outcome_with(kind, job) == "");
}

// An error before anything has gone out leaves the stream to its owner, later ones end it.
BOOST_DATA_TEST_CASE(no_body_is_cut_short, both_backends, kind) {
    auto job = [&](setting& with) -> task<std::string> {
        send_range_options options;
        options.head = asio::buffer("head", 4);
        {
            with.source.bad_from = 0;
            with.source.bad_to = 1;
            connection both;
            sending out{both.near, with};
            co_await out.range(0, 100, options);
            LEAT_EXPECT(out.code.value() == EIO && both.near.is_open());
            co_await both.near.async_write_some(asio::buffer("sorry", 5));
            LEAT_EXPECT(begins_with(co_await receive(both.far, 5), "sorry"));
        }
        {
            with.source.bad_from = 3 * chunk_bytes;
            with.source.bad_to = 3 * chunk_bytes + 1;
            connection both;
            sending out{both.near, with};
            scope all;
            all.spawn(out.range(2 * chunk_bytes, 2 * chunk_bytes, options));
            static_cast<void>(co_await receive(both.far, 4 + chunk_bytes));
            co_await all.join();
            LEAT_EXPECT(out.code.value() == EIO && !both.near.is_open());
            std::byte more{};
            const auto end = co_await asio::async_read(both.far, asio::buffer(&more, 1),
                                                       asio::as_tuple(use_task));
            LEAT_EXPECT(std::get<0>(end) == asio::error::eof);
            with.source.bad_to = 0;
        }
        // The file changes while the peer rests.
        connection both;
        make_narrow(both);
        sending out{both.near, with};
        scope all;
        all.spawn(out.range(4 * chunk_bytes, 5 * chunk_bytes, options));
        static_cast<void>(co_await receive(both.far, 4));
        with.source.version = 2;
        std::vector<std::byte> memory(1 << 16);
        std::size_t count = 0;
        for (error_code code; !code;) {
            const auto got =
                co_await both.far.async_read_some(asio::buffer(memory), asio::as_tuple(use_task));
            code = std::get<0>(got);
            const std::uint64_t at = 4 * chunk_bytes + count;
            LEAT_EXPECT(is_pattern(std::span{memory}.first(std::get<1>(got)), 1, at));
            count += std::get<1>(got);
        }
        co_await all.join();
        LEAT_EXPECT(out.code == errc::file_changed && !both.near.is_open());
        LEAT_EXPECT(count < 5 * chunk_bytes);
        co_return "";
    };
    BOOST_TEST(outcome_with(kind, job) == "");
}

// A peer that takes a little now and then is not cut off, one that takes nothing is.
BOOST_DATA_TEST_CASE(patience_is_for_peers_that_go_on, both_backends, kind) {
    auto job = [&](setting& with) -> task<std::string> {
        connection both;
        make_narrow(both);
        sending out{both.near, with};
        scope all;
        send_range_options options;
        options.patience = 400ms;
        all.spawn(out.range(0, 2 * chunk_bytes, options));
        const io::time_point begun = this_shard().now();
        std::size_t taken = 0;
        for (std::vector<std::byte> memory(1 << 15); this_shard().now() - begun < 1200ms;) {
            taken += co_await both.far.async_read_some(asio::buffer(memory));
            co_await leat::sleep(50ms);
        }
        LEAT_EXPECT(!out.ended && taken < 2 * chunk_bytes);
        co_await all.join();
        LEAT_EXPECT(out.code == asio::error::timed_out && !both.near.is_open());
        co_return "";
    };
    BOOST_TEST(outcome_with(kind, job) == "");
}

BOOST_DATA_TEST_CASE(without_patience_the_streams_deadline_holds, both_backends, kind) {
    auto job = [&](setting& with) -> task<std::string> {
        connection both;
        make_narrow(both);
        sending out{both.near, with};
        both.near.expires_after(50ms);
        co_await out.range(0, 2 * chunk_bytes);
        LEAT_EXPECT(out.code == asio::error::timed_out && !both.near.is_open());
        co_return "";
    };
    BOOST_TEST(outcome_with(kind, job) == "");
}

BOOST_DATA_TEST_CASE(peers_that_go_end_it,
                     data::make(both_backends) * data::make({false, true}),
                     kind,
                     zero_copy) {
    auto job = [&](setting& with) -> task<std::string> {
        for (int round = 0; round < 6; ++round) {
            connection both;
            make_narrow(both);
            both.near.zero_copy(zero_copy);
            sending out{both.near, with};
            scope all;
            all.spawn(out.range(0, 3 * chunk_bytes));
            if (round > 0) static_cast<void>(co_await receive(both.far, 1000U << round));
            reset_at_close(both.far);
            both.far.close();
            co_await all.join();
            LEAT_EXPECT(out.code == asio::error::connection_reset ||
                        out.code == asio::error::broken_pipe);
        }
        co_return "";
    };
    BOOST_TEST(outcome_with(kind, job) == "");
}

BOOST_DATA_TEST_CASE(a_stop_request_ends_it, both_backends, kind) {
    auto job = [&](setting& with) -> task<std::string> {
        connection both;
        make_narrow(both);
        sending out{both.near, with};
        scope all;
        all.spawn(out.range(0, 3 * chunk_bytes));
        static_cast<void>(co_await receive(both.far, 1000));
        all.request_stop();
        co_await all.join();
        LEAT_EXPECT(out.code == errc::cancelled && !both.near.is_open());
        co_return "";
    };
    BOOST_TEST(outcome_with(kind, job) == "");
}

// A peer that takes all at once, of chunks that are all there, lets others of the shard go first.
BOOST_DATA_TEST_CASE(a_quick_peer_lets_others_go_first, both_backends, kind) {
    auto job = [&](setting& with) -> task<std::string> {
        connection both;
        both.near.set_option(asio::socket_base::send_buffer_size(8 << 20));
        sending out{both.near, with};
        scope all;
        all.spawn(out.range(0, 2 * chunk_bytes));
        const auto got = co_await receive(both.far, 2 * chunk_bytes);
        co_await all.join();
        all.spawn(out.range(0, 2 * chunk_bytes));
        unsigned turns = 0;
        out.ended = false;
        all.spawn([](const sending& watched, unsigned& counted) -> task<> {
            for (; !watched.ended; ++counted) co_await yield{};
        }(out, turns));
        static_cast<void>(co_await receive(both.far, 2 * chunk_bytes));
        co_await all.join();
        LEAT_EXPECT(!out.code && turns >= 2 * chunk_bytes / (1 << 18) / 4);
        co_return "";
    };
    BOOST_TEST(outcome_with(kind, job) == "");
}

// Sends without a copy: granted below an eighth of the memory only, given up where a peer is late.
BOOST_AUTO_TEST_CASE(what_sends_without_a_copy_may_keep) {
    engine_options options = small_engine(1, 0, chunk_bytes, io::backend_kind::uring);
    options.memory = 32 * chunk_bytes;
    engine owner{options};
    const auto made_up = std::make_shared<script>();
    made_up->size = file_bytes;
    chunk_manager manager{owner, scripted_source{made_up}};
    auto job = [&]() -> task<std::string> {
        detail::shard_cache& cache = detail::shard_cache::current();
        std::vector<std::unique_ptr<detail::uncopied_send>> kept;
        for (int i = 0; i < 4; ++i) {
            kept.push_back(std::make_unique<detail::uncopied_send>(chunk_bytes));
            LEAT_EXPECT(static_cast<bool>(*kept.back()));
        }
        const detail::uncopied_send refused{1};
        LEAT_EXPECT(!refused && !cache.begin_send(~std::uint64_t{0}));
        const cache_statistics full = co_await manager.statistics();
        LEAT_EXPECT(full.sending_bytes == 4 * chunk_bytes);
        kept.pop_back();
        const cache_statistics less = co_await manager.statistics();
        LEAT_EXPECT(less.sending_bytes == 3 * chunk_bytes);
        kept.clear();

        const file from = co_await manager.open("any");
        setting with{manager, from, *made_up};
        connection both;
        both.near.zero_copy(true);
        sending out{both.near, with};
        scope all;
        all.spawn(out.range(0, 2 * chunk_bytes));
        const auto got = co_await receive(both.far, 2 * chunk_bytes);
        LEAT_EXPECT(is_pattern(got, 1, 0));
        co_await all.join();
        LEAT_EXPECT(!out.code);
        const io::backend_statistics counts = this_shard().backend().statistics();
        LEAT_EXPECT(counts.zero_copy_sends + counts.zero_copy_refused > 0);
        const cache_statistics none = co_await manager.statistics();
        LEAT_EXPECT(none.sending_bytes == 0 && none.pins == 0);
        co_return "";
    };
    BOOST_TEST(owner.run(job()) == "");
}

// What is asked for is what the peer is likely to take.
BOOST_AUTO_TEST_CASE(how_much_goes_out_at_once) {
    engine owner{small_engine(1, buffers * chunk_bytes, chunk_bytes)};
    auto job = [&]() -> task<std::string> {
        connection both;
        constexpr std::uint64_t size = std::uint64_t{1} << 40;
        detail::range_sender of{both.near, file{}, 5, size, asio::buffer("head", 4)};
        LEAT_EXPECT(!of.is_to_wait() && !of.done());
        LEAT_EXPECT(of.next(chunk_bytes).offset == 5 && of.next(chunk_bytes).size == 1 << 16);
        of.sent(4 + (1 << 16), 4 + (1 << 16));  // all of it: twice as much next time
        LEAT_EXPECT(!of.is_to_wait() && of.next(chunk_bytes).size == 1 << 17);
        of.sent(1 << 17, 1 << 17);
        LEAT_EXPECT(!of.is_to_wait() && of.next(1 << 30).size == 1 << 18);
        of.sent(1 << 18, 1 << 18);
        LEAT_EXPECT(of.is_to_wait());
        of.waited();
        LEAT_EXPECT(!of.is_to_wait());
        for (int i = 0; i < 4; ++i) of.sent(1 << 18, 1 << 18);
        LEAT_EXPECT(of.next(1 << 30).size == 1 << 20);
        of.sent(50'000, 1 << 20);  // less: about so much
        LEAT_EXPECT(of.is_to_wait() && of.next(1 << 30).size == 53'248);
        of.sent(0, 53'248);
        LEAT_EXPECT(of.next(1 << 30).size == 1 << 14);

        // Without a copy only where there is room, and while the peer answers at once.
        both.near.zero_copy(true);
        of.waited();
        LEAT_EXPECT(!of.goes_uncopied());
        of.sent(1 << 14, 1 << 14);
        of.sent(1 << 15, 1 << 15);
        LEAT_EXPECT(of.goes_uncopied() && of.is_to_wait());
        of.waited();
        LEAT_EXPECT(of.goes_uncopied() && !of.is_to_wait());
        of.acknowledged(20ms);
        LEAT_EXPECT(of.goes_uncopied() && both.near.zero_copy());
        of.acknowledged(21ms);
        LEAT_EXPECT(!of.goes_uncopied() && !both.near.zero_copy());
        co_return "";
    };
    BOOST_TEST(owner.run(job()) == "");
}

BOOST_AUTO_TEST_SUITE_END()
