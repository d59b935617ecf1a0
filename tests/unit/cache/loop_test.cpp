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

task<> walk(chunk_manager& manager, file from, std::uint64_t file_bytes) {
    slice_stream stream = manager.slices(from, 0, file_bytes, {.slice_size = 1_MiB});
    for (;;) {
        const slice piece = co_await stream.next();
        if (!piece) break;
    }
}

task<> request_all(chunk_manager& manager, file from, std::uint64_t file_bytes) {
    for (std::uint64_t at = 0; at < file_bytes; at += 256_KiB) {
        const slice piece = co_await manager.get_chunk({from, at, 256_KiB});
    }
}

}  // namespace

namespace {
/// Bytes that four rounds read, when four have gone before.
template <class Reader>
std::uint64_t read_by(Reader reader, std::uint64_t file_bytes) {
    engine owner{small_engine(1, 200_MiB, 10_MiB)};
    const auto source = script_of(file_bytes);
    source->grain = 4_KiB;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    for (int round = 0; round < 4; ++round) owner.run(reader(manager, from, file_bytes));
    const std::uint64_t before = source->bytes;
    for (int round = 0; round < 4; ++round) owner.run(reader(manager, from, file_bytes));
    return source->bytes - before;
}
}  // namespace

BOOST_AUTO_TEST_CASE(a_loop_that_does_not_fit_is_kept_in_part) {
    for (auto* const reader : {&walk, &request_all})
        BOOST_TEST(read_by(reader, 240_MiB) < 4 * 240_MiB * 3 / 4);
}

BOOST_AUTO_TEST_CASE(so_is_one_of_several_times_the_memory) {
    BOOST_TEST(read_by(&walk, 560_MiB) < 4 * 560_MiB * 85 / 100);
}
