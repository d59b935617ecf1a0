// Requests that wait can be seen.
#include "asio_support.hpp"

#include <leat/engine/task.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(waiting_test)

using namespace leat;
using namespace std::chrono_literals;

namespace {

task<slice> named_get(const chunk_manager& manager, chunk_config config) {
    task_name name{"reader"};
    co_await name;
    co_return co_await manager.get_chunk(config);
}

/// Asks until `count` requests wait.
std::vector<waiting_task> ask_until(engine& owner, std::size_t count) {
    std::vector<waiting_task> all = owner.waiting(100, 10s);
    while (all.size() != count) all = owner.waiting(100, 10s);
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_request_that_waits_tells_its_file_offset_and_size) {
    engine owner{test::small_engine(2, 2 * MiB, 64 * KiB)};
    const auto script = test::script_of(MiB);
    script->held = true;
    chunk_manager manager{owner, test::scripted_source{script}};
    const file opened = owner.run(manager.open("film"));
    auto running = owner.spawn_on(0, named_get(manager, {opened, 4096, 4096}));
    std::string seen;
    while (seen.empty()) {
        for (const waiting_task& one : owner.waiting(100, 10s)) {
            if (one.name != "reader") continue;
            seen = to_string(one.awaits);
            BOOST_TEST((one.awaits.file == static_cast<file_id>(opened).number));
        }
    }
    BOOST_TEST(seen == "get_chunk \"film\" offset 4096 size 4096");
    script->held = false;
    running.get();
    for (const waiting_task& one : owner.waiting(100, 10s)) BOOST_TEST(one.name != "reader");
}

BOOST_FIXTURE_TEST_CASE(so_does_one_whose_answer_goes_to_a_future, test::guest_fixture) {
    source->held = true;
    const chunk_config wanted{from, owned_by(1) + 8192, 4096};
    auto answer = async_get_chunk(manager, wanted, boost::asio::use_future);
    const waiting_task seen = ask_until(owner, 1).front();
    BOOST_TEST(seen.name == "");
    BOOST_TEST(seen.shard == 1u);
    BOOST_TEST(seen.awaits.file == from.id().number);
    BOOST_TEST(to_string(seen.awaits) ==
               "get_chunk \"any\" offset " + std::to_string(wanted.offset) + " size 4096");
    source->held = false;
    answer.get();
    BOOST_TEST(owner.waiting(100, 10s).empty());
}

BOOST_FIXTURE_TEST_CASE(a_guest_that_asks_for_several_tells_each, test::guest_fixture) {
    source->held = true;
    const std::vector<chunk_config> wanted{{from, owned_by(0), 4096}, {from, owned_by(1), 4096}};
    auto answer = async_get_chunks(manager, wanted, boost::asio::use_future);
    const std::vector<waiting_task> seen = ask_until(owner, 2);
    BOOST_TEST(seen[0].shard + seen[1].shard == 1u);
    for (const waiting_task& one : seen) BOOST_TEST(one.awaits.offset == wanted[one.shard].offset);
    source->held = false;
    answer.get();
    BOOST_TEST(owner.waiting(100, 10s).empty());
}

BOOST_AUTO_TEST_SUITE_END()
