// Several chunks by one request.
#include "asio_support.hpp"

#include <future>

BOOST_AUTO_TEST_SUITE(asio_get_chunks_test)

using namespace leat;
using namespace leat::literals;
using leat::test::guest_fixture;
namespace asio = boost::asio;
using boost::system::error_code;

BOOST_FIXTURE_TEST_CASE(many_chunks_come_in_order_with_one_completion, guest_fixture) {
    for (int round = 0; round < 2; ++round) {  // misses, then hits
        std::vector<chunk_config> configs;
        for (std::uint64_t i = 0; i < 200; ++i) configs.push_back({from, i * 2000 % 390'000, 10});
        asio::io_context context;
        int completions = 0;
        bool good = true;
        async_get_chunks(
            manager, configs,
            asio::bind_executor(context, [&](error_code failed, std::vector<result<slice>> got) {
                ++completions;
                good = !failed && got.size() == configs.size();
                for (std::size_t i = 0; good && i < got.size(); ++i) {
                    good = got[i].has_value() && got[i]->size() == 10 &&
                           test::is_pattern(got[i]->bytes(), 1, configs[i].offset);
                }
            }));
        const std::vector<chunk_config> asked = configs;
        configs.assign(200, {});  // they are copied
        configs = asked;
        context.run();
        BOOST_TEST(completions == 1);
        BOOST_TEST(good);
    }
    BOOST_TEST(pins() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_batch_is_one_message_to_each_owner, guest_fixture) {
    std::vector<chunk_config> configs;
    for (std::uint64_t chunk = 0; chunk < 6; ++chunk) configs.push_back({from, chunk * 64_KiB, 10});
    const auto first = async_get_chunks(manager, configs, asio::use_future).get();
    BOOST_TEST(first.size() == 6u);
    const unsigned owner_of_first = manager.owner(configs[0]);
    std::promise<unsigned> ran_on;
    async_get_chunks(manager, configs,
                     [&](error_code, auto) { ran_on.set_value(this_shard().index()); });
    BOOST_TEST(ran_on.get_future().get() == owner_of_first);
}

BOOST_FIXTURE_TEST_CASE(each_piece_has_its_own_error_and_place, guest_fixture) {
    const std::vector<chunk_config> configs{
        {from, 5, 100}, {from, 399'999, 2}, {from, 65'000, 1000}, {file_id{12345}, 0, 1}};
    auto got = async_get_chunks(manager, configs, asio::use_future).get();
    BOOST_TEST(got[0].has_value());
    BOOST_TEST(got[1].error().code == errc::out_of_range);
    BOOST_TEST(got[1].error().where.offset == 399'999u);
    BOOST_TEST(std::string{got[1].error().where.name.data()} == "any");
    BOOST_TEST(got[2].error().code == errc::crosses_chunk);
    BOOST_TEST(got[3].error().code == errc::closed);
}

BOOST_FIXTURE_TEST_CASE(no_chunks_complete_as_well, guest_fixture) {
    BOOST_TEST(async_get_chunks(manager, {}, asio::use_future).get().empty());
}

BOOST_FIXTURE_TEST_CASE(a_shard_serves_a_batch_by_itself, guest_fixture) {
    auto ask = [](guest_fixture& of) -> asio::awaitable<bool> {
        const unsigned here = this_shard().index();
        std::vector<chunk_config> configs;
        for (std::uint64_t chunk = 0; chunk < 6; ++chunk)
            configs.push_back({of.from, chunk * 64_KiB, 10});
        auto got = co_await async_get_chunks(of.manager, configs, asio::use_awaitable);
        bool good = got.size() == 6 && this_shard().index() == here;
        for (std::size_t i = 0; good && i < got.size(); ++i) {
            good = test::is_pattern(got[i]->bytes(), 1, i * 64_KiB);
            const slice shared = got[i]->share();  // only where it was got
        }
        co_return good;
    };
    for (const unsigned shard : {0u, 1u}) {
        const shard_executor there{owner.at(shard)};
        BOOST_TEST(asio::co_spawn(there, ask(*this), asio::use_future).get());
    }
    BOOST_TEST(pins() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_batch_gives_what_was_there, guest_fixture) {
    const slice present = owner.run(test::get(manager, {from, 0, 10}));
    slow_down(10'000);
    asio::io_context context;
    asio::cancellation_signal signal;
    const std::vector<chunk_config> configs{{from, 0, 10}, {from, 70'000, 10}, {from, 140'000, 10}};
    bool good = false;
    async_get_chunks(
        manager, configs,
        asio::bind_cancellation_slot(signal.slot(),
                                     asio::bind_executor(context, [&](error_code code, auto got) {
                                         good = code == errc::cancelled && got[0].has_value() &&
                                                got[1].error().code == errc::cancelled &&
                                                got[2].error().code == errc::cancelled;
                                     })));
    signal.emit(asio::cancellation_type::all);
    context.run();
    BOOST_TEST(good);
}

BOOST_FIXTURE_TEST_CASE(a_file_is_opened_and_read, guest_fixture) {
    file opened = async_open(manager, "any", asio::use_future).get();
    BOOST_TEST(opened.size() == file_size);
    auto missing = async_open(manager, "missing", asio::use_future);
    BOOST_CHECK_EXCEPTION(missing.get(), boost::system::system_error, [](const auto& failure) {
        return failure.code() == system_error_code(ENOENT);
    });
    std::vector<std::byte> into(200'000);
    const std::size_t count =
        async_read(manager, opened, 300'000, asio::buffer(into), asio::use_future).get();
    BOOST_TEST(count == 100'000u);
    BOOST_TEST(test::is_pattern(std::span{into}.first(count), 1, 300'000));
    auto beyond = async_read(manager, opened, 400'001, asio::buffer(into), asio::use_future);
    BOOST_CHECK_EXCEPTION(beyond.get(), boost::system::system_error,
                          [](const auto& failure) { return failure.code() == errc::out_of_range; });
}

BOOST_AUTO_TEST_SUITE_END()
