#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/engine/task_name.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace leat;
using namespace std::chrono_literals;

namespace {

task<slice> named_get(const chunk_manager& manager, chunk_config config) {
    task_name name{"reader"};
    co_await name;
    co_return co_await manager.get_chunk(config);
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
