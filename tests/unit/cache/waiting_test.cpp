#include "asio_support.hpp"

#include <leat/engine/task_name.hpp>

#include <boost/test/unit_test.hpp>

using namespace leat;
using namespace std::chrono_literals;

namespace {

task<slice> named_get(const chunk_manager& manager, chunk_config config) {
    task_name name{"reader"};
    co_await name;
    co_return co_await manager.get_chunk(config);
}

/// Asks until somebody waits for a chunk.
waiting_task ask_until_one_waits(engine& owner) {
    for (;;) {
        for (const waiting_task& one : owner.waiting(100, 10s)) {
            if (one.awaits.doing == activity::get_chunk) return one;
        }
    }
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_request_that_waits_tells_its_file_offset_and_size, test::guest_fixture) {
    slow_down(3'600'000);
    auto running = owner.spawn_on(0, named_get(manager, {from, 8192, 4096}));
    const waiting_task seen = ask_until_one_waits(owner);
    BOOST_TEST(seen.name == "reader");
    BOOST_TEST(seen.shard == 0u);
    BOOST_TEST(seen.awaits.file == from.id().number);
    BOOST_TEST(to_string(seen.awaits) == "get_chunk \"any\" offset 8192 size 4096");
    owner.stop();
    BOOST_CHECK_THROW(running.get(), system_error);
}

BOOST_FIXTURE_TEST_CASE(so_does_one_whose_answer_goes_to_a_future, test::guest_fixture) {
    slow_down(3'600'000);
    auto answer = async_get_chunk(manager, {from, 8192, 4096}, boost::asio::use_future);
    const waiting_task seen = ask_until_one_waits(owner);
    BOOST_TEST(seen.name == "");
    BOOST_TEST(to_string(seen.awaits) == "get_chunk \"any\" offset 8192 size 4096");
    owner.stop();
    BOOST_CHECK_THROW(answer.get(), boost::system::system_error);
}
