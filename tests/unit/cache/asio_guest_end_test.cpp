// Guests' requests that meet the end of an engine.
#include "asio_support.hpp"
#include "witness.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

using namespace leat;
using namespace leat::literals;
using leat::test::guest_fixture;
using leat::test::tally;
using leat::test::witness;
namespace asio = boost::asio;
using boost::system::error_code;

BOOST_AUTO_TEST_CASE(withdrawing_races_with_the_end_of_the_shard) {
    constexpr std::size_t count = 12;
    for (int round = 0; round < 300; ++round) {
        guest_fixture of;
        asio::io_context context;
        std::vector<asio::cancellation_signal> signals(count);
        int completions = 0;
        int wrong = 0;
        of.slow_down(round % 2);
        for (std::size_t i = 0; i < count; ++i) {
            const auto done = [&](error_code code, slice got) {
                ++completions;
                const bool ended = code == errc::cancelled || code == errc::stopped;
                if (got ? code.failed() : !ended) ++wrong;
            };
            async_get_chunk(of.manager, {of.from, i % 6 * 64_KiB, 100},
                            asio::bind_cancellation_slot(signals[i].slot(),
                                                         asio::bind_executor(context, done)));
        }
        std::thread stopper([&] {
            of.owner.stop();
            of.owner.join();
        });
        for (int i = 0; i < round * 10; ++i) std::atomic_signal_fence(std::memory_order_acq_rel);
        for (auto& one : signals) one.emit(asio::cancellation_type::terminal);
        stopper.join();
        context.run();
        BOOST_REQUIRE(completions == static_cast<int>(count));
        BOOST_REQUIRE(wrong == 0);
    }
}

BOOST_AUTO_TEST_CASE(handlers_on_strands_of_shards_end_with_them) {
    for (int round = 0; round < 300; ++round) {
        tally counts;
        int asked = 0;
        {
            guest_fixture of;
            of.slow_down(round % 3);
            const auto strand = asio::make_strand(shard_executor{of.owner.at(1)});
            const asio::any_io_executor erased{asio::make_strand(shard_executor{of.owner.at(0)})};
            for (std::uint64_t i = 0; i < 10; ++i, asked += 2) {
                const chunk_config config{of.from, i % 6 * 64_KiB, 100};
                async_get_chunk(of.manager, config, asio::bind_executor(strand, witness{counts}));
                async_get_chunk(of.manager, config, asio::bind_executor(erased, witness{counts}));
            }
            of.owner.stop();
            BOOST_REQUIRE(!of.owner.join().code);
        }
        BOOST_REQUIRE(counts.called == asked);
        BOOST_REQUIRE(counts.dropped == 0);
    }
}

BOOST_AUTO_TEST_CASE(from_a_shard_of_another_engine_an_ended_one_answers_stopped) {
    guest_fixture ended;
    ended.owner.stop();
    BOOST_TEST(!ended.owner.join().code);
    guest_fixture alive;
    asio::io_context context;
    error_code on_context;
    std::promise<error_code> anywhere;
    auto ask = [&]() -> task<> {
        const chunk_config config{ended.from, 5, 100};
        async_get_chunk(
            ended.manager, config,
            asio::bind_executor(context, [&](error_code code, slice) { on_context = code; }));
        async_get_chunk(ended.manager, config,
                        [&](error_code code, slice) { anywhere.set_value(code); });
        co_return;
    };
    alive.owner.run(ask());
    context.run();
    BOOST_TEST(on_context == errc::stopped);
    BOOST_TEST(anywhere.get_future().get() == errc::stopped);
    BOOST_TEST(alive.pins() == 0u);
}
