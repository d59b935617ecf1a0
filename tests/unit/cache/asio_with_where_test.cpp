// Errors of guests' operations say where they arose, through whatever token.
#include "asio_support.hpp"
#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/asio.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <future>

BOOST_AUTO_TEST_SUITE(asio_with_where_test)

using namespace leat;
using namespace leat::literals;
namespace asio = boost::asio;

namespace {

struct broken_fixture {
    broken_fixture() {
        source->bad_from = 0;
        source->bad_to = 1_MiB;
    }
    std::shared_ptr<test::script> source = test::script_of(1_MiB);
    engine owner{test::small_engine(2, 1_MiB, 64_KiB)};
    chunk_manager manager{owner, test::scripted_source{source}};
    file from = owner.run(manager.open("any"));
    chunk_config config{from, 300'000, 100};
};

void check(const error& failed, activity doing, std::uint64_t offset, std::uint64_t size) {
    BOOST_TEST(failed.code == system_error_code(EIO), failed.code.message());
    BOOST_TEST((failed.where.doing == doing));
    BOOST_TEST(std::string{failed.where.name.data()} == "any");
    BOOST_TEST(failed.where.offset == offset);
    BOOST_TEST(failed.where.size == size);
}

template <class Future>
error error_of_future(Future future) {
    try {
        (void)future.get();
    } catch (const system_error& thrown) {
        return thrown.cause();
    }
    return {};
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_future_throws_where, broken_fixture) {
    check(error_of_future(async_get_chunk(manager, config, with_where(asio::use_future))),
          activity::get_chunk, 300'000, 100);
    std::byte to[50];
    check(error_of_future(
              async_read(manager, from, 400'000, asio::buffer(to), with_where(asio::use_future))),
          activity::read, 400'000, 50);
    source->bad_to = 0;
    BOOST_TEST(async_get_chunk(manager, config, with_where(asio::use_future)).get().size() == 100u);
}

BOOST_FIXTURE_TEST_CASE(a_failed_open_says_the_name, broken_fixture) {
    const error failed =
        error_of_future(async_open(manager, "missing", with_where(asio::use_future)));
    BOOST_TEST(failed.code == system_error_code(ENOENT));
    BOOST_TEST((failed.where.doing == activity::open));
    BOOST_TEST(std::string{failed.where.name.data()} == "missing");
}

BOOST_FIXTURE_TEST_CASE(a_callback_is_given_the_error, broken_fixture) {
    asio::io_context context;
    error said;
    bool empty = false;
    bool plain = false;
    auto note = [&](const error& failed, const slice& page) {
        said = failed;
        empty = !page;
    };
    async_get_chunk(manager, config, with_where(asio::bind_executor(context, note)));
    async_get_chunk(manager, config,
                    asio::bind_executor(context, [&](boost::system::error_code failed, slice) {
                        plain = failed == system_error_code(EIO);
                    }));
    context.run();
    check(said, activity::get_chunk, 300'000, 100);
    BOOST_TEST(empty);
    BOOST_TEST(plain);
}

BOOST_FIXTURE_TEST_CASE(coroutines_throw_it, broken_fixture) {
    asio::io_context context;
    error said;
    auto awaiting = [&]() -> asio::awaitable<void> {
        try {
            (void)co_await async_get_chunk(manager, config, with_where(asio::use_awaitable));
        } catch (const system_error& thrown) {
            said = thrown.cause();
        }
    };
    asio::co_spawn(context, awaiting, asio::detached);
    context.run();
    check(said, activity::get_chunk, 300'000, 100);

    auto in_a_task = [](broken_fixture& with) -> task<error> {
        try {
            (void)co_await async_get_chunk(with.manager, with.config, with_where(use_task));
        } catch (const system_error& thrown) {
            co_return thrown.cause();
        }
        co_return error{};
    };
    check(owner.run(in_a_task(*this)), activity::get_chunk, 300'000, 100);
}

BOOST_AUTO_TEST_CASE(the_name_is_told_though_manager_and_engine_are_gone) {
    asio::io_context context;
    error said;
    file held;  // names of files that nobody holds are forgotten
    {
        broken_fixture with;
        held = with.from;
        auto note = [&](const error& failed, const slice&) { said = failed; };
        async_get_chunk(with.manager, with.config, with_where(asio::bind_executor(context, note)));
        with.owner.stop();
        (void)with.owner.join();
    }
    context.run();
    BOOST_TEST((said.code == errc::stopped || said.code == system_error_code(EIO)));
    BOOST_TEST(std::string{said.where.name.data()} == "any");
    BOOST_TEST(said.where.offset == 300'000u);
}

BOOST_AUTO_TEST_SUITE_END()
