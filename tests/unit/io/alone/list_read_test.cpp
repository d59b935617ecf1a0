// Reads into several buffers: every place where one may end, fall short, fail.
#include "failing_memory.hpp"
#include "file_read_support.hpp"

#include <leat/io/detail/buffer_arena.hpp>

using namespace leat::io;
using namespace leat::io::test;
using leat::errc;
using leat::test::failing_memory;

namespace {

/// Reads to the end by any backend; the backend has nothing in flight then.
void read_all(backend& through,
              tracked& read,
              const file& from,
              std::uint64_t offset,
              const scattered& into) {
    const int before = read.completions;
    read.start(through, from, offset, into.list(), -1, &tracked::done);
    BOOST_TEST_REQUIRE(run_until(through, [&] { return read.completions > before; }));
    BOOST_TEST_REQUIRE(read.completions == before + 1);
    BOOST_TEST_REQUIRE(read.idle());
}

std::vector<std::vector<std::size_t>> layouts() {
    return {{4096},
            {4096, 4096},
            {4096, 1},
            {65'536, 4096, 8192, 511},
            {8192, 4096, 131'072, 5000},
            {4096, 12'288, 4097},
            std::vector<std::size_t>(16, 4096),
            std::vector<std::size_t>(17, 4096),
            std::vector<std::size_t>(100, 8192)};
}

}  // namespace

// Files that end inside the first buffer, one in the middle and the last, at borders of blocks and
// beside them.
BOOST_AUTO_TEST_CASE_TEMPLATE(every_list_direct_and_buffered, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    for (const std::size_t size :
         {0UL, 1UL, 4095UL, 4096UL, 4097UL, 8191UL, 8192UL, 8193UL, 12'288UL, 20'480UL, 65'535UL,
          69'632UL, 70'001UL, 77'824UL, 150'001UL, 819'200UL, 900'001UL}) {
        const std::string path = scratch.patterned("f", size);
        for (const bool direct : {true, false}) {
            const file from = open_file(path, direct);
            for (const std::vector<std::size_t>& lengths : layouts()) {
                for (const std::size_t shift : {0UL, 1UL, 512UL}) {
                    scattered into(lengths, shift);
                    // Buffered reads may begin anywhere.
                    for (const std::uint64_t offset : {0UL, 4096UL, 65'536UL, 777UL}) {
                        if (direct && offset % 4096 != 0) {
                            continue;
                        }
                        tracked read;
                        into.clear();
                        read_all(*through, read, from, offset, into);
                        BOOST_TEST_REQUIRE(!read.error(), read.error().message());
                        const std::uint64_t there = offset < size ? size - offset : 0;
                        BOOST_TEST_REQUIRE(read.count() ==
                                           std::min<std::uint64_t>(there, into.size()));
                        BOOST_TEST_REQUIRE(into.hold(offset, read.count()));
                    }
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(as_many_buffers_as_the_kernel_takes, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    constexpr std::size_t size = 1024 * 4096;
    const std::string path = scratch.patterned("f", size);
    for (const bool direct : {true, false}) {
        const file from = open_file(path, direct);
        const scattered into(std::vector<std::size_t>(operation::most_vectors, 4096));
        tracked read;
        read_all(*through, read, from, 0, into);
        BOOST_TEST(!read.error(), read.error().message());
        BOOST_TEST(read.count() == size);
        BOOST_TEST(into.hold(0, size));
        BOOST_TEST(through->statistics().reads == (direct ? 1U : 2U));
    }
}

BOOST_AUTO_TEST_CASE(a_list_is_one_operation_and_allocates_nothing) {
    const scratch_directory scratch;
    constexpr std::size_t size = 300'001;
    const std::string path = scratch.patterned("f", size);
    for (const unsigned alignment : {1U, 512U, 4096U}) {
        const file from = open_file(path, alignment > 1, alignment > 1 ? alignment : 0);
        for (const std::size_t count : {1UL, 2UL, 16UL, 17UL}) {
            const scattered into(std::vector<std::size_t>(count, 8192));
            scripted_backend through(size, alignment);
            tracked read;
            failing_memory every{1, true};
            read.start(through, from, 4096, into.list(), -1, &tracked::done);
            BOOST_TEST(failing_memory::end() == (count > 16));
            BOOST_TEST(finish(through));
            BOOST_TEST(through.operations == 1U);
            BOOST_TEST(through.aligned);
            if (count > 16) {
                BOOST_TEST((read.error() == leat::system_error_code(ENOMEM)));
                BOOST_TEST(read.count() == 0U);
                continue;
            }
            BOOST_TEST(!read.error());
            BOOST_TEST(through.vectors.front() == (count == 1 ? 0 : count));
            BOOST_TEST(into.hold(4096, count * 8192));
        }
    }
}

// A piece that reads as far as the file ends, and no further than its last block.
BOOST_AUTO_TEST_CASE(buffers_behind_the_end_are_left_alone) {
    const scratch_directory scratch;
    for (const std::size_t size : {1UL, 4096UL, 8191UL, 8192UL, 12'289UL}) {
        const file from = open_file(scratch.patterned("f", size), true, 512);
        const scattered into({4096, 4096, 4096, 4096});
        scripted_backend through(size, 512);
        tracked read;
        read.start(through, from, 0, into.list(), -1, &tracked::done);
        BOOST_TEST(finish(through));
        BOOST_TEST(read.count() == size);
        BOOST_TEST(through.operations == 1U);
        const std::size_t touched = (size + 4095) / 4096;
        BOOST_TEST(through.vectors.front() == (touched == 1 ? 0 : touched));
        for (std::size_t i = touched; i < 4; ++i) {
            BOOST_TEST((into.list()[i].front() == untouched));
        }
    }
}

BOOST_AUTO_TEST_CASE(reads_that_fall_short_anywhere_resume) {
    const scratch_directory scratch;
    constexpr std::size_t size = 16'384 + 5001;
    const std::string path = scratch.patterned("f", size);
    for (const unsigned alignment : {1U, 512U, 4096U}) {
        const file from = open_file(path, alignment > 1, alignment > 1 ? alignment : 0);
        for (const std::size_t shift : {0UL, 3UL}) {
            scattered into({4096, 8192, 4096, 6000}, shift);
            for (std::size_t first = alignment; first < size; first += 509) {
                for (const std::size_t second : {std::size_t{alignment}, std::size_t{4099}}) {
                    into.clear();
                    scripted_backend through(size, alignment);
                    through.script = {static_cast<int>(first),
                                      static_cast<int>(std::max<std::size_t>(second, alignment))};
                    tracked read;
                    read.start(through, from, 0, into.list(), -1, &tracked::done);
                    BOOST_TEST_REQUIRE(finish(through));
                    BOOST_TEST_REQUIRE(!read.error(), read.error().message());
                    BOOST_TEST_REQUIRE(read.count() == size);
                    BOOST_TEST_REQUIRE(into.hold(0, size));
                    BOOST_TEST_REQUIRE(through.aligned);
                    BOOST_TEST_REQUIRE(read.completions == 1);
                }
            }
        }
    }
}

// Direct reads there go through the temporary, over the ends of buffers.
BOOST_AUTO_TEST_CASE(a_file_may_want_more_alignment_than_the_buffers_have) {
    const scratch_directory scratch;
    constexpr std::size_t size = 500'001;
    const file from = open_file(scratch.patterned("f", size), true, 16'384);
    for (const std::vector<std::size_t>& lengths : layouts()) {
        for (const std::uint64_t offset : {0UL, 4096UL, 16'384UL, 20'480UL, 491'520UL}) {
            const scattered into(lengths);
            scripted_backend through(size, 16'384);
            through.script = {20'000, 16'384};
            tracked read;
            read.start(through, from, offset, into.list(), -1, &tracked::done);
            BOOST_TEST(finish(through));
            BOOST_TEST(!read.error(), read.error().message());
            BOOST_TEST(read.count() == std::min<std::size_t>(into.size(), size - offset));
            BOOST_TEST(into.hold(offset, read.count()));
            BOOST_TEST(through.aligned);
        }
    }
}

// The vectors of a later piece may be more than those of the first.
BOOST_AUTO_TEST_CASE(pieces_of_many_buffers_follow_pieces_of_few) {
    const scratch_directory scratch;
    constexpr std::size_t size = 64 * 65'536;
    const file from = open_file(scratch.patterned("f", size), true, 65'536);
    const aligned_memory memory(70 * 65'536);
    std::vector<std::span<std::byte>> buffers;
    for (std::size_t i = 0; i < 64; ++i) {
        // One is not as aligned as the file is: it and the next go through the temporary.
        buffers.emplace_back(memory.get() + i * 65'536 +
                                 (i == 20  ? 4096
                                  : i > 20 ? 65'536
                                           : 0),
                             65'536);
    }
    scripted_backend through(size, 65'536);
    tracked read;
    read.start(through, from, 0, buffers, -1, &tracked::done);
    BOOST_TEST(finish(through));
    BOOST_TEST(!read.error(), read.error().message());
    BOOST_TEST(read.count() == size);
    for (std::size_t i = 0; i < 64; ++i) {
        BOOST_TEST(patterned(buffers[i].data(), i * 65'536, 65'536));
    }
    BOOST_TEST(through.aligned);
    const std::vector<std::size_t> expected{20, 0, 42};
    BOOST_TEST(through.vectors == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_buffer_whose_end_is_not_aligned_ends_a_piece) {
    const scratch_directory scratch;
    constexpr std::size_t size = 2 * 16'384 + 4096;
    const file from = open_file(scratch.patterned("f", size), true, 16'384);
    const aligned_memory memory(4 * 16'384);
    const std::array<std::span<std::byte>, 2> buffers{
        {{memory.get() + 32'768, 20'480}, {memory.get(), 16'384}}};
    scripted_backend through(size, 16'384);
    tracked read;
    read.start(through, from, 0, buffers, -1, &tracked::done);
    BOOST_TEST(finish(through));
    BOOST_TEST(!read.error(), read.error().message());
    BOOST_TEST(read.count() == size);
    BOOST_TEST(patterned(buffers[0].data(), 0, 20'480));
    BOOST_TEST(patterned(buffers[1].data(), 20'480, 16'384));
    BOOST_TEST(through.aligned);
}

BOOST_AUTO_TEST_CASE(direct_reads_that_are_refused_go_on_through_the_page_cache) {
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 30'001);
    for (const int refusal : {-EINVAL, -EOPNOTSUPP, 100, 4095}) {
        for (const int before : {0, 4096, 9000}) {
            const file from = open_file(path, true, 4096);
            const scattered into({4096, 8192, 4096, 65'536});
            scripted_backend through(30'001, 1);
            if (before != 0) {
                through.script = {before};
            }
            through.script.push_back(refusal);
            through.script.push_back(777);
            tracked read;
            read.start(through, from, 0, into.list(), -1, &tracked::done);
            BOOST_TEST(finish(through));
            BOOST_TEST(!read.error(), read.error().message());
            BOOST_TEST(read.count() == 30'001U);
            BOOST_TEST(into.hold(0, 30'001));
            BOOST_TEST(!from.direct());
        }
    }
}

BOOST_AUTO_TEST_CASE(what_ends_a_list_early) {
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 30'001);
    for (const bool changed : {false, true}) {
        const file from = open_file(path, true, 4096);
        const scattered into({4096, 8192, 4096, 65'536});
        scripted_backend through(30'001, 4096);
        through.changed = changed;
        const auto outcome = [&](std::deque<int> script, bool cancel = false) {
            through.script = std::move(script);
            tracked read;
            read.start(through, from, 0, into.list(), -1, &tracked::done);
            if (cancel) {
                read.cancel();
            }
            BOOST_TEST(finish(through));
            BOOST_TEST(read.completions == 1);
            return std::pair{read.error(), read.count()};
        };
        using result = std::pair<boost::system::error_code, std::size_t>;
        // The version is looked at once, behind the last piece.
        BOOST_TEST((outcome({8192, 4096}) == result{changed ? make_error_code(errc::file_changed)
                                                            : boost::system::error_code{},
                                                    30'001}));
        BOOST_TEST(
            (outcome({8192, 0}) == result{changed ? errc::file_changed : errc::short_read, 8192}));
        // Not after an error.
        BOOST_TEST((outcome({8192, -EIO}) == result{leat::system_error_code(EIO), 8192}));
        BOOST_TEST((outcome({8192}, true) == result{errc::cancelled, 8192}));
        BOOST_TEST((outcome({-ECANCELED}, true) == result{errc::cancelled, 0}));
    }
}

BOOST_AUTO_TEST_CASE(long_buffered_lists_are_punted_and_those_of_fuse_read_by_threads) {
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 200'000);
    const file buffered = open_file(path, false);
    scripted_backend through(200'000, 1);
    tracked read;
    const scattered few({65'536, 65'536});
    const scattered more({65'536, 65'536, 1});
    read_all(through, read, buffered, 0, few);
    BOOST_TEST(through.punted == 0U);
    read_all(through, read, buffered, 0, more);
    BOOST_TEST(through.punted == 1U);
    BOOST_TEST(through.by_thread == 0U);

    const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct statx attributes{};
    BOOST_TEST_REQUIRE(::statx(opened, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    const auto fuse =
        file::adopt(opened, attributes, true, {.read_by_threads = true, .remote = false});
    through.operations = 0;
    read_all(through, read, *fuse, 0, few);
    BOOST_TEST(through.by_thread == through.operations);
}

BOOST_AUTO_TEST_CASE(no_buffers_are_no_bytes) {
    const scratch_directory scratch;
    const file from = open_file(scratch.patterned("f", 5000), true, 4096);
    scripted_backend through(5000, 4096);
    tracked read;
    read.start(through, from, 0, buffer_list{}, -1, &tracked::done);
    BOOST_TEST(read.completions == 0);
    BOOST_TEST(finish(through));
    BOOST_TEST(!read.error());
    BOOST_TEST(read.count() == 0U);
}

// Into buffers of an arena, registered where the backend and the limit of locked memory allow it.
BOOST_AUTO_TEST_CASE_TEMPLATE(pieces_of_a_registered_buffer, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    constexpr std::size_t size = 10 * 8192;
    const file from = open_file(scratch.patterned("f", size), true);
    buffer_arena arena({.budget = 4 << 20});
    arena.attach(*through);
    std::vector<std::span<std::byte>> buffers;
    for (int i = 0; i < 10; ++i) {
        buffers.emplace_back(arena.allocate(8192), 8192);
    }
    std::byte* const large = arena.allocate(1 << 20);
    while (arena.unprepared()) arena.prepare();
    std::swap(buffers[2], buffers[7]);
    const int index = arena.buffer_index(buffers);
    BOOST_TEST(index == arena.buffer_index(buffers[5].data()));
    tracked read;
    read.start(*through, from, 0, buffers, index, &tracked::done);
    BOOST_TEST_REQUIRE(run_until(*through, [&] { return read.completions == 1; }));
    BOOST_TEST(!read.error(), read.error().message());
    for (std::size_t i = 0; i < 10; ++i) {
        BOOST_TEST(patterned(buffers[i].data(), i * 8192, 8192));
    }

    // No one buffer holds those of two segments, or none.
    std::array<std::span<std::byte>, 2> apart{buffers[0], {large, 4096}};
    BOOST_TEST(arena.buffer_index(apart) == -1);
    std::array<std::byte, 16> elsewhere{};
    apart[1] = elsewhere;
    BOOST_TEST(arena.buffer_index(apart) == -1);
    BOOST_TEST(arena.buffer_index(buffer_list{}) == -1);
    for (const auto& one : buffers) {
        arena.release(one.data(), 8192);
    }
    arena.release(large, 1 << 20);
    arena.detach();
}
