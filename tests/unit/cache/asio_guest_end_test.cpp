// Guests' requests that meet the end of an engine.
#include "asio_support.hpp"
#include "witness.hpp"

#include <leat/engine/sleep.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_guest_end_test)

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

namespace {

template <class Value>
error_code code_of(std::future<Value>& answer) {
    try {
        static_cast<void>(answer.get());
    } catch (const boost::system::system_error& failure) {
        return failure.code();
    }
    return {};
}

task<error_code> ask_from_a_task(const chunk_manager& manager, chunk_config config) {
    try {
        const slice got = co_await async_get_chunk(manager, config, use_task);
    } catch (const boost::system::system_error& failure) {
        co_return failure.code();
    }
    co_return error_code{};
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_engine_that_gives_up_answers_its_guests) {
    guest_fixture alive;
    const auto source = test::script_of(guest_fixture::file_size);
    engine_options options = test::small_engine(2, 1_MiB, 64_KiB);
    options.stop_timeout = std::chrono::milliseconds{0};
    engine gone{options};
    chunk_manager manager{gone, test::scripted_source{source}};
    const file from = gone.run(manager.open("any"));
    source->held = true;
    source->deaf = true;
    // One on each shard, and several that wait for the same chunk, in a list of the cache.
    std::vector<std::future<slice>> chunks;
    for (std::uint64_t offset : {0_KiB, 0_KiB, 64_KiB, 128_KiB, 192_KiB, 256_KiB})
        chunks.push_back(async_get_chunk(manager, {from, offset, 100}, asio::use_future));
    const std::vector<chunk_config> configs{{from, 0, 100}, {from, 64_KiB, 1}, {from, 128_KiB, 1}};
    auto together = async_get_chunks(manager, configs, asio::use_future);
    std::vector<std::byte> bytes(200'000);
    auto read = async_read(manager, from, 5, asio::buffer(bytes), asio::use_future);
    asio::io_context context;
    error_code on_context;
    async_get_chunk(
        manager, {from, 320_KiB, 100},
        asio::bind_executor(context, [&](error_code code, slice) { on_context = code; }));
    spawned<error_code> asking = alive.owner.spawn_on(1, ask_from_a_task(manager, {from, 0, 100}));
    while (gone.run(manager.statistics()).waiting < 12) std::this_thread::yield();
    gone.stop();
    BOOST_TEST(gone.join().code == errc::timed_out);
    for (auto& one : chunks) BOOST_TEST(code_of(one) == errc::stopped);
    BOOST_TEST(code_of(together) == errc::stopped);
    BOOST_TEST(code_of(read) == errc::stopped);
    context.run();
    BOOST_TEST(on_context == errc::stopped);
    BOOST_TEST(asking.get() == errc::stopped);
}

BOOST_AUTO_TEST_CASE(a_guest_that_comes_in_the_last_turn_is_answered) {
    engine_options options = test::small_engine(1, 1_MiB, 64_KiB);
    options.stop_timeout = std::chrono::milliseconds{0};
    options.hosted = true;
    engine gone{options};
    shard& only = gone.at(0);
    only.open();
    chunk_manager manager{gone, test::scripted_source{test::script_of(guest_fixture::file_size)}};
    spawned<file> opened = gone.spawn_on(0, manager.open("any"));
    while (gone.roots() != 0) only.turn();
    const file from = opened.get();
    std::future<slice> chunk;
    std::future<std::size_t> read;
    std::vector<std::byte> bytes(100);
    struct late : detail::work {
        explicit late(std::function<void()> function_)
            : detail::work(&invoke), function(function_) {}
        static void invoke(detail::work& item) noexcept {
            std::thread(static_cast<late&>(item).function).join();
        }
        std::function<void()> function;
    };
    late guests{[&] {
        chunk = async_get_chunk(manager, {from, 0, 100}, asio::use_future);
        read = async_read(manager, from, 5, asio::buffer(bytes), asio::use_future);
    }};
    gone.stop();
    only.schedule(guests);
    only.turn();  // the guests come when its inbox has been looked at, and there is no other turn
    BOOST_TEST(only.finished());
    BOOST_TEST(gone.join().code == errc::timed_out);
    BOOST_TEST(code_of(chunk) == errc::stopped);
    BOOST_TEST(code_of(read) == errc::stopped);
}

BOOST_AUTO_TEST_SUITE_END()
