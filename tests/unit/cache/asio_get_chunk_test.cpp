// A chunk for callbacks, futures, coroutines and strands of Asio.
#include "asio_support.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/co_spawn.hpp>
#include <boost/asio/experimental/coro.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

BOOST_AUTO_TEST_SUITE(asio_get_chunk_test)

using namespace leat;
using namespace leat::literals;
using leat::test::guest_fixture;
namespace asio = boost::asio;
using boost::system::error_code;

namespace {
bool good(const slice& got, std::uint64_t offset, std::size_t size) {
    return got.size() == size && test::is_pattern(got.bytes(), 1, offset);
}

asio::awaitable<int> two_chunks(const chunk_manager& manager, file from) {
    int count = 0;
    for (const std::uint64_t offset : {std::uint64_t{5}, std::uint64_t{70'000}}) {
        const chunk_config config{from, offset, 100};
        const slice got = co_await async_get_chunk(manager, config, asio::use_awaitable);
        if (good(got, offset, 100)) ++count;
    }
    const chunk_config bad{from, 399'950, 100};
    const auto deferred = async_get_chunk(manager, bad, asio::deferred);
    try {
        const slice none = co_await deferred(asio::use_awaitable);
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == errc::out_of_range) ++count;
    }
    co_return count;
}

asio::experimental::coro<void, int> coro_chunks(asio::any_io_executor,
                                                const chunk_manager* manager,
                                                file from) {
    const chunk_config config{from, 5, 100};
    const slice got = co_await async_get_chunk(*manager, config, asio::deferred);
    co_return good(got, 5, 100) ? 1 : 0;
}

using slices = asio::experimental::channel<void(error_code, slice)>;

asio::awaitable<void> produce(slices& to, const chunk_manager& manager, file from) {
    for (std::uint64_t offset = 0; offset < 5; ++offset) {
        const chunk_config config{from, offset * 64_KiB, 100};
        slice got = co_await async_get_chunk(manager, config, asio::use_awaitable);
        co_await to.async_send(error_code{}, std::move(got), asio::use_awaitable);
    }
    to.close();
}

asio::awaitable<int> consume(slices& of) {
    for (int count = 0;; ++count) {
        const auto received = co_await of.async_receive(asio::as_tuple(asio::use_awaitable));
        if (std::get<0>(received)) co_return count;
        if (!good(std::get<1>(received), static_cast<std::uint64_t>(count) * 64_KiB, 100))
            co_return -1;
    }
}
}  // namespace

BOOST_FIXTURE_TEST_CASE(a_callback_without_an_executor_runs_on_the_owner, guest_fixture) {
    for (const unsigned shard : {0u, 1u}) {
        const std::uint64_t offset = owned_by(shard);
        std::promise<std::pair<bool, unsigned>> done;
        async_get_chunk(manager, {from, offset, 100}, [&](error_code failed, slice got) {
            done.set_value({!failed && good(got, offset, 100), this_shard().index()});
        });
        const auto [fine, ran_on] = done.get_future().get();
        BOOST_TEST(fine);
        BOOST_TEST(ran_on == shard);
    }
}

BOOST_FIXTURE_TEST_CASE(a_future_gets_a_slice_that_may_be_dropped_anywhere, guest_fixture) {
    {
        slice got = async_get_chunk(manager, {from, 5, 100}, asio::use_future).get();
        BOOST_TEST(good(got, 5, 100));
        std::thread{[held = std::move(got)]() mutable { held = slice{}; }}.join();
    }
    BOOST_TEST(pins() == 0u);
}

BOOST_AUTO_TEST_CASE(slices_outlive_the_engine) {
    slice got;
    {
        guest_fixture fixture;
        got = async_get_chunk(fixture.manager, {fixture.from, 5, 100}, asio::use_future).get();
    }
    BOOST_TEST(good(got, 5, 100));
}

BOOST_FIXTURE_TEST_CASE(an_io_context_is_kept_at_work_and_runs_the_handlers, guest_fixture) {
    asio::io_context context;
    int count = 0;
    slow_down(5);  // nothing is ready before run()
    for (const std::uint64_t offset : {0U, 70'000U, 140'000U, 5U, 6U}) {
        const auto handler = [&, offset](error_code failed, slice got) {
            BOOST_TEST(!failed);
            BOOST_TEST(good(got, offset, 100));
            BOOST_TEST(context.get_executor().running_in_this_thread());
            ++count;
        };
        async_get_chunk(manager, {from, offset, 100}, asio::bind_executor(context, handler));
        BOOST_TEST(count == 0);
    }
    context.run();
    BOOST_TEST(count == 5);
    BOOST_TEST(pins() == 0u);
}

BOOST_FIXTURE_TEST_CASE(strands_and_type_erased_executors_run_their_handlers, guest_fixture) {
    asio::io_context context;
    asio::thread_pool pool{2};
    const auto strand = asio::make_strand(pool);
    int on_strand = 0;
    std::atomic<int> on_pool{0};
    int on_context = 0;
    for (int i = 0; i < 50; ++i) {
        const chunk_config config{from, 5, 100};
        async_get_chunk(manager, config, asio::bind_executor(strand, [&](error_code, slice got) {
                            if (strand.running_in_this_thread() && got) ++on_strand;
                        }));
        async_get_chunk(manager, config, asio::bind_executor(pool, [&](error_code, slice got) {
                            if (pool.get_executor().running_in_this_thread() && got) ++on_pool;
                        }));
        const asio::any_io_executor erased{context.get_executor()};
        async_get_chunk(manager, config, asio::bind_executor(erased, [&](error_code, slice got) {
                            if (got) ++on_context;
                        }));
    }
    context.run();
    pool.join();
    BOOST_TEST(on_strand == 50);
    BOOST_TEST(on_pool == 50);
    BOOST_TEST(on_context == 50);
}

BOOST_FIXTURE_TEST_CASE(awaitables_get_chunks_on_a_context_and_on_a_shard, guest_fixture) {
    asio::io_context context;
    auto there = asio::co_spawn(context, two_chunks(manager, from), asio::use_future);
    context.run();
    BOOST_TEST(there.get() == 3);
    const shard_executor shard{owner.at(1)};
    BOOST_TEST(asio::co_spawn(shard, two_chunks(manager, from), asio::use_future).get() == 3);
    BOOST_TEST(pins() == 0u);
}

BOOST_FIXTURE_TEST_CASE(tasks_await_them_too, guest_fixture) {
    auto body = [](guest_fixture& of) -> task<int> {
        int count = 0;
        const file opened = co_await async_open(of.manager, "any", use_task);
        const slice got = co_await async_get_chunk(of.manager, {opened, 5, 100}, use_task);
        if (good(got, 5, 100)) ++count;
        const slice again = co_await async_get_chunk(of.manager, {opened, 5, 100});
        if (good(again, 5, 100)) ++count;
        std::vector<std::byte> into(100);
        const std::size_t read = co_await async_read(of.manager, opened, 5, asio::buffer(into));
        if (read == 100) ++count;
        try {
            const slice none = co_await async_get_chunk(of.manager, {opened, 0, 0}, use_task);
        } catch (const leat::system_error& failure) {
            if (failure.code() == errc::out_of_range) ++count;
        }
        co_return count;
    };
    for (const unsigned shard : {0u, 1u}) BOOST_TEST(owner.spawn_on(shard, body(*this)).get() == 4);
    BOOST_TEST(pins() == 0u);
}

BOOST_FIXTURE_TEST_CASE(coros_get_chunks, guest_fixture) {
    asio::io_context context;
    std::optional<int> result;
    auto coro = coro_chunks(context.get_executor(), &manager, from);
    asio::experimental::co_spawn(std::move(coro),
                                 [&](std::exception_ptr, int count) { result = count; });
    context.run();
    BOOST_TEST(result.value_or(-1) == 1);
}

BOOST_FIXTURE_TEST_CASE(slices_go_through_channels, guest_fixture) {
    asio::io_context context;
    slices channel{context, 2};
    asio::co_spawn(context, produce(channel, manager, from), asio::detached);
    auto count = asio::co_spawn(context, consume(channel), asio::use_future);
    context.run();
    BOOST_TEST(count.get() == 5);
    BOOST_TEST(pins() == 0u);
}

BOOST_FIXTURE_TEST_CASE(from_a_shard_a_handler_runs_there_later_not_inside, guest_fixture) {
    auto ask = [](guest_fixture& of, std::promise<bool>& done,
                  std::future<bool>& outcome) -> task<> {
        bool inside = true;
        const unsigned here = this_shard().index();
        async_get_chunk(of.manager, {of.from, 5, 100},
                        [&done, &inside, here](error_code failed, slice got) {
                            done.set_value(!inside && !failed && good(got, 5, 100) &&
                                           this_shard().index() == here);
                        });
        inside = false;
        // `inside` must outlive the handler.
        while (outcome.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
            co_await leat::sleep(std::chrono::milliseconds{1});
        }
    };
    for (const unsigned shard : {0u, 1u, 0u, 1u}) {  // misses, leases, then hits
        std::promise<bool> done;
        auto outcome = done.get_future();
        owner.spawn_on(shard, ask(*this, done, outcome)).get();
        BOOST_TEST(outcome.get());
    }
}

BOOST_FIXTURE_TEST_CASE(errors_carry_leats_category, guest_fixture) {
    const auto code_of = [&](chunk_config config) {
        std::promise<error_code> done;
        async_get_chunk(manager, config, [&](error_code failed, slice got) {
            if (got) failed = errc::unhandled_exception;
            done.set_value(failed);
        });
        return done.get_future().get();
    };
    BOOST_TEST(code_of({from, 0, 0}) == errc::out_of_range);
    BOOST_TEST(code_of({from, 399'999, 2}) == errc::out_of_range);
    BOOST_TEST(code_of({from, ~std::uint64_t{0}, 2}) == errc::out_of_range);
    BOOST_TEST(code_of({from, 65'000, 1000}) == errc::crosses_chunk);
    BOOST_TEST(code_of({file_id{12345}, 0, 1}) == errc::closed);
    source->bad_to = ~std::uint64_t{0};
    source->bad_from = 200'000;
    BOOST_TEST(code_of({from, 200'000, 1}) == system_error_code(EIO));
}

namespace {
// Counts what a handler's allocator is asked for.
template <class T>
struct counting_allocator {
    using value_type = T;
    int* count;
    explicit counting_allocator(int* count_) : count(count_) {}
    template <class U>
    counting_allocator(const counting_allocator<U>& other) : count(other.count) {}
    T* allocate(std::size_t n) {
        ++*count;
        return std::allocator<T>{}.allocate(n);
    }
    void deallocate(T* memory, std::size_t n) {
        *count += 1000;
        std::allocator<T>{}.deallocate(memory, n);
    }
    friend bool operator==(const counting_allocator&, const counting_allocator&) = default;
};
}  // namespace

BOOST_FIXTURE_TEST_CASE(a_request_is_one_block_freed_before_its_handler_is_called, guest_fixture) {
    asio::io_context context;
    int allocations = 0;
    int seen = 0;
    for (int i = 0; i < 2; ++i) {  // a miss, then a hit
        const counting_allocator<void*> allocator{&allocations};
        const auto handler = [&](error_code, slice) { seen = allocations; };
        async_get_chunk(manager, {from, 5, 100},
                        asio::bind_allocator(allocator, asio::bind_executor(context, handler)));
        context.run();
        context.restart();
        BOOST_TEST(seen == 1001 * (i + 1));
    }
}

BOOST_AUTO_TEST_SUITE_END()
