// Guests that cancel, engines that end, memory that runs out.
#include "asio_support.hpp"

#include <leat/engine/sleep.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

BOOST_AUTO_TEST_SUITE(asio_guest_failure_test)

using namespace leat;
using namespace leat::literals;
using leat::test::guest_fixture;
namespace asio = boost::asio;
using boost::system::error_code;

BOOST_FIXTURE_TEST_CASE(a_cancelled_request_ends_alone, guest_fixture) {
    slow_down(300);
    asio::io_context context;
    asio::cancellation_signal first;
    std::optional<error_code> cancelled;
    std::optional<error_code> other;
    const chunk_config config{from, 5, 100};
    async_get_chunk(manager, config,
                    asio::bind_cancellation_slot(
                        first.slot(), asio::bind_executor(context, [&](error_code code, slice) {
                            cancelled = code;
                        })));
    async_get_chunk(manager, config, asio::bind_executor(context, [&](error_code code, slice got) {
                        other = got ? code : errc::unhandled_exception;
                    }));
    first.emit(asio::cancellation_type::terminal);
    context.run_one();
    BOOST_TEST((cancelled == error_code{errc::cancelled}));
    BOOST_TEST(!other.has_value());
    context.run();
    BOOST_TEST((other == error_code{}));
    first.emit(asio::cancellation_type::terminal);  // of a request that is gone
}

BOOST_FIXTURE_TEST_CASE(what_is_read_for_cancelled_guests_alone_is_withdrawn, guest_fixture) {
    source->held = true;
    asio::io_context context;
    std::vector<asio::cancellation_signal> signals(6);
    int cancelled = 0;
    for (std::size_t i = 0; i < signals.size(); ++i) {
        const chunk_config config{from, i * 64_KiB, 100};
        async_get_chunk(
            manager, config,
            asio::bind_cancellation_slot(signals[i].slot(),
                                         asio::bind_executor(context, [&](error_code code, slice) {
                                             if (code == errc::cancelled) ++cancelled;
                                         })));
    }
    while (waiting() != signals.size()) std::this_thread::yield();
    for (asio::cancellation_signal& one : signals) one.emit(asio::cancellation_type::terminal);
    context.run();
    BOOST_TEST(cancelled == 6);
    while (source->in_flight != 0) std::this_thread::yield();
    while (owner.run(manager.statistics()).chunks != 0) std::this_thread::yield();
}

BOOST_FIXTURE_TEST_CASE(cancelling_races_with_completion_and_each_ends_once, guest_fixture) {
    asio::io_context context;
    int completions = 0;
    int served = 0;
    constexpr int rounds = 10'000;
    for (int round = 0; round < rounds; ++round) {
        asio::cancellation_signal signal;
        const int before = completions;
        async_get_chunk(
            manager, {from, static_cast<std::uint64_t>(round) % 6 * 64_KiB, 100},
            asio::bind_cancellation_slot(
                signal.slot(), asio::bind_executor(context, [&](error_code code, slice got) {
                    ++completions;
                    if (got) ++served;
                    if (got ? code.failed() : code != errc::cancelled) completions += rounds;
                })));
        for (int i = 0; i < round % 50 * 20; ++i)
            std::atomic_signal_fence(std::memory_order_acq_rel);
        signal.emit(asio::cancellation_type::total);
        context.run();
        context.restart();
        BOOST_REQUIRE(completions == before + 1);
    }
    BOOST_TEST(served > 0);
    BOOST_TEST(pins() == 0u);
    BOOST_TEST(waiting() == 0u);
}

BOOST_FIXTURE_TEST_CASE(opening_and_reading_can_be_cancelled, guest_fixture) {
    slow_down(10'000);
    asio::io_context context;
    asio::cancellation_signal signal;
    std::optional<error_code> code;
    std::vector<std::byte> into(100'000);
    async_read(manager, from, 0, asio::buffer(into),
               asio::bind_cancellation_slot(
                   signal.slot(), asio::bind_executor(context, [&](error_code failed, std::size_t) {
                       code = failed;
                   })));
    signal.emit(asio::cancellation_type::partial);
    context.run();
    BOOST_TEST((code == error_code{errc::cancelled}));
}

BOOST_FIXTURE_TEST_CASE(requests_end_with_stopped_when_the_engine_stops, guest_fixture) {
    slow_down(30);
    asio::io_context context;
    int stopped = 0;
    for (std::uint64_t chunk = 0; chunk < 6; ++chunk) {
        async_get_chunk(manager, {from, chunk * 64_KiB, 100},
                        asio::bind_executor(context, [&](error_code code, slice) {
                            if (code == errc::stopped) ++stopped;
                        }));
    }
    // Waits for buffers or reads: with slow reads none is there yet.
    owner.stop();
    context.run();
    BOOST_TEST(stopped == 6);
    BOOST_TEST(!owner.join().code);
}

BOOST_FIXTURE_TEST_CASE(after_stop_every_request_gives_stopped, guest_fixture) {
    BOOST_TEST(async_get_chunk(manager, {from, 5, 100}, asio::use_future).get().size() == 100u);
    owner.stop();
    owner.join();
    asio::io_context context;
    error_code chunk;
    error_code opened;
    error_code many;
    const std::vector<chunk_config> configs(3, chunk_config{from, 5, 100});
    async_get_chunk(manager, configs[0],
                    asio::bind_executor(context, [&](error_code code, slice) { chunk = code; }));
    async_open(manager, "any",
               asio::bind_executor(context, [&](error_code code, file) { opened = code; }));
    async_get_chunks(manager, configs, asio::bind_executor(context, [&](error_code code, auto got) {
                         many = code;
                         for (const auto& one : got)
                             if (one.error().code != errc::stopped) many = {};
                     }));
    BOOST_TEST(!chunk.failed());  // never from inside
    context.run();
    BOOST_TEST(chunk == errc::stopped);
    BOOST_TEST(opened == errc::stopped);
    BOOST_TEST(many == errc::stopped);
    // Without an executor, and without a shard.
    auto future = async_get_chunk(manager, configs[0], asio::use_future);
    BOOST_CHECK_EXCEPTION(future.get(), boost::system::system_error,
                          [](const auto& failure) { return failure.code() == errc::stopped; });
}

BOOST_FIXTURE_TEST_CASE(stopping_under_load_completes_each_request_once, guest_fixture) {
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    std::atomic<bool> end{false};
    asio::thread_pool pool{2};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 2; ++thread) {
        threads.emplace_back([&] {
            for (std::uint64_t i = 0; !end; ++i) {
                if (begun - ended > 1000) continue;
                ++begun;
                async_get_chunk(manager, {from, i % 6 * 64_KiB, 100},
                                asio::bind_executor(pool, [&](error_code, slice) { ++ended; }));
            }
        });
    }
    while (ended < 5000) std::this_thread::yield();
    owner.stop();
    BOOST_TEST(!owner.join().code);
    end = true;
    for (std::thread& thread : threads) thread.join();
    pool.join();
    BOOST_TEST(begun == ended);
}

BOOST_FIXTURE_TEST_CASE(a_thread_may_end_with_requests_outstanding, guest_fixture) {
    slow_down(20);
    asio::io_context context;
    int count = 0;
    std::promise<bool> elsewhere;
    std::thread{[&] {
        for (std::uint64_t chunk = 0; chunk < 4; ++chunk) {
            async_get_chunk(manager, {from, chunk * 64_KiB, 100},
                            asio::bind_executor(context, [&](error_code, slice got) {
                                if (got) ++count;
                            }));
        }
        async_get_chunk(manager, {from, 5, 100}, [&](error_code, slice got) {
            elsewhere.set_value(static_cast<bool>(got));
        });
    }}.join();
    context.run();
    BOOST_TEST(count == 4);
    BOOST_TEST(elsewhere.get_future().get());
    BOOST_TEST(pins() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_handler_that_throws_throws_into_its_executor, guest_fixture) {
    asio::io_context context;
    int others = 0;
    for (int i = 0; i < 6; ++i) {
        async_get_chunk(manager, {from, 5, 100},
                        asio::bind_executor(context, [&, i](error_code, slice) {
                            if (i == 2) throw std::runtime_error{"a handler's own"};
                            ++others;
                        }));
    }
    BOOST_CHECK_THROW(context.run(), std::runtime_error);
    context.run();
    BOOST_TEST(others == 5);
    BOOST_TEST(pins() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_context_may_be_destroyed_with_requests_outstanding, guest_fixture) {
    const auto alive = std::make_shared<int>(0);
    bool called = false;
    slow_down(30);
    {
        asio::io_context context;
        asio::io_context other;
        for (std::uint64_t chunk = 0; chunk < 100; ++chunk) {
            async_get_chunk(manager, {from, chunk % 6 * 64_KiB, 100},
                            asio::bind_executor(
                                context, [&called, alive](error_code, slice) { called = true; }));
            const asio::any_io_executor erased{asio::make_strand(other)};
            async_get_chunk(manager, {from, chunk % 6 * 64_KiB, 100},
                            asio::bind_executor(
                                erased, [&called, alive](error_code, slice) { called = true; }));
        }
    }
    BOOST_TEST(!called);
    BOOST_TEST(alive.use_count() == 1);  // all handlers are gone
    while (waiting() != 0 || pins() != 0) std::this_thread::yield();
}

BOOST_FIXTURE_TEST_CASE(contexts_end_while_their_requests_complete, guest_fixture) {
    for (int round = 0; round < 300; ++round) {
        const auto alive = std::make_shared<int>(0);
        {
            asio::io_context context;
            for (std::uint64_t i = 0; i < 20; ++i) {
                async_get_chunk(manager, {from, i % 6 * 64_KiB, 100},
                                asio::bind_executor(context, [alive](error_code, slice) {}));
            }
            context.run_one();
        }
        BOOST_REQUIRE(alive.use_count() == 1);
    }
    while (pins() != 0) std::this_thread::yield();  // the last are still on their way
}

BOOST_FIXTURE_TEST_CASE(a_manager_may_be_destroyed_with_requests_outstanding, guest_fixture) {
    slow_down(20);
    auto second = std::make_unique<chunk_manager>(owner, test::scripted_source{source});
    file other = owner.run(second->open("any"));
    auto chunk = async_get_chunk(*second, {other, 5, 100}, asio::use_future);
    std::vector<std::byte> into(100'000);
    auto count = async_read(*second, other, 0, asio::buffer(into), asio::use_future);
    auto opened = async_open(*second, "any", asio::use_future);
    second.reset();
    BOOST_TEST(chunk.get().size() == 100u);
    BOOST_TEST(count.get() == into.size());
    BOOST_TEST(opened.get().size() == file_size);
}

BOOST_AUTO_TEST_SUITE_END()
