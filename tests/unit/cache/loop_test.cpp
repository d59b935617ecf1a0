// Files that are read again and again, and are longer than the memory.
#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <memory>

BOOST_AUTO_TEST_SUITE(loop_test)

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
constexpr std::uint64_t memory = 200_MiB;

struct loops {
    explicit loops(std::uint64_t file_bytes_) : file_bytes(file_bytes_) { source->grain = 4_KiB; }

    /// Bytes that so many rounds read.
    template <class Reader>
    std::uint64_t read_by(Reader reader, int rounds) {
        const std::uint64_t before = source->bytes;
        for (int round = 0; round < rounds; ++round) owner.run(reader(manager, from, file_bytes));
        return source->bytes - before;
    }

    std::uint64_t file_bytes;
    engine owner{small_engine(1, memory, 10_MiB)};
    std::shared_ptr<test::script> source = script_of(file_bytes);
    chunk_manager manager{owner, scripted_source{source}};
    file from = owner.run(manager.open("any"));
};
}  // namespace

BOOST_AUTO_TEST_CASE(a_loop_that_does_not_fit_is_kept_in_part) {
    for (auto* const reader : {&walk, &request_all}) {
        for (const std::uint64_t size : {240_MiB, 300_MiB}) {
            loops all{size};
            static_cast<void>(all.read_by(reader, 4));
            BOOST_TEST(all.read_by(reader, 4) < 4 * size * 4 / 5, "of " << size);
        }
    }
}

BOOST_AUTO_TEST_CASE(of_a_longer_one_all_stays_but_what_is_being_read) {
    for (const std::uint64_t size : {400_MiB, 560_MiB, 1'400_MiB}) {
        loops all{size};
        static_cast<void>(all.read_by(&walk, 4));
        // And what has just been read: six chunks.
        const std::uint64_t kept = memory - 60_MiB;
        BOOST_TEST(all.read_by(&walk, 4) <= 4 * (size - kept), "of " << size);
    }
}

// He has come through a chunk where less is left of it than he skips.
BOOST_AUTO_TEST_CASE(so_it_is_by_who_skips_most_of_it) {
    const auto skip = [](chunk_manager& manager, file in, std::uint64_t bytes) -> task<> {
        for (std::uint64_t at = 0; at + 4_KiB <= bytes; at += 72_KiB)
            static_cast<void>(co_await manager.get_chunk({in, at, 4_KiB}));
    };
    loops all{1'200_MiB};
    static_cast<void>(all.read_by(skip, 1));
    BOOST_TEST(all.read_by(skip, 4) <= 4 * (all.file_bytes - memory * 3 / 4));
}

BOOST_AUTO_TEST_SUITE_END()
