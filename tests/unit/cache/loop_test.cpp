// Files that are read again and again, and are longer than the memory.
#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>

using namespace leat;
using namespace leat::literals;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;

namespace {

constexpr std::uint64_t file_bytes = 240_MiB;

task<> walk(chunk_manager& manager, file from) {
    slice_stream stream = manager.slices(from, 0, file_bytes, {.slice_size = 1_MiB});
    for (;;) {
        const slice piece = co_await stream.next();
        if (!piece) break;
    }
}

task<> request_all(chunk_manager& manager, file from) {
    for (std::uint64_t at = 0; at < file_bytes; at += 256_KiB) {
        const slice piece = co_await manager.get_chunk({from, at, 256_KiB});
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_loop_that_does_not_fit_is_kept_in_part) {
    for (auto* const reader : {&walk, &request_all}) {
        engine owner{small_engine(1, 200_MiB, 10_MiB)};
        const auto source = script_of(file_bytes);
        source->grain = 4_KiB;
        chunk_manager manager{owner, scripted_source{source}};
        const file from = owner.run(manager.open("any"));
        for (int round = 0; round < 4; ++round) owner.run(reader(manager, from));
        const std::uint64_t before = source->bytes;
        for (int round = 0; round < 4; ++round) owner.run(reader(manager, from));
        BOOST_TEST(source->bytes - before < 4 * file_bytes * 3 / 4);
    }
}
