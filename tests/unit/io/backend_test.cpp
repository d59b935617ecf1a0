// File operations and options, on every backend.
#include "io_support.hpp"

#include <leat/io/file.hpp>

#include <poll.h>
#include <sys/resource.h>

#include <cstring>

BOOST_AUTO_TEST_SUITE(backend_test)

using namespace leat::io;
using namespace leat::io::test;

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    const auto fault = [](unsigned entries, unsigned completions, unsigned threads) {
        return find_fault({backend_kind::automatic, entries, completions, threads});
    };
    BOOST_TEST(find_fault({}).empty());
    BOOST_TEST(fault(4, 8, 1).empty());
    BOOST_TEST(fault(4096, 65536, 256).empty());
    BOOST_TEST(fault(5, 16, 1).empty());
    BOOST_TEST(fault(3, 64, 1).find("from 4 to 4096") != std::string::npos);
    BOOST_TEST(fault(0, 64, 1).find("from 4 to 4096") != std::string::npos);
    BOOST_TEST(fault(4097, 65536, 1).find("from 4 to 4096") != std::string::npos);
    BOOST_TEST(fault(64, 127, 1).find("from 128 to 65536") != std::string::npos);
    BOOST_TEST(fault(65, 255, 1).find("from 256 to 65536") != std::string::npos);
    BOOST_TEST(fault(64, 65537, 1).find("from 128 to 65536") != std::string::npos);
    BOOST_TEST(fault(64, 128, 0).find("from 1 to 256") != std::string::npos);
    BOOST_TEST(fault(64, 128, 257).find("from 1 to 256") != std::string::npos);
    BOOST_TEST(fault(~0U, ~0U, ~0U).find("from 4 to 4096") != std::string::npos);
    std::string note;
    for (const backend_kind kind :
         {backend_kind::automatic, backend_kind::uring, backend_kind::thread}) {
        BOOST_CHECK_EXCEPTION(static_cast<void>(make_backend({kind, 64, 128, 0}, note)),
                              boost::system::system_error, [](const auto& refused) {
                                  return refused.code() == leat::errc::invalid_option &&
                                         std::string(refused.what()).find("0 threads") == 0;
                              });
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(reads_into_several_buffers, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    constexpr std::size_t size = 10'007;
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", size).c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<std::byte> memory(3 * 4096);
    // In any order, with any lengths, none included.
    const std::array<iovec, 4> vectors{{{memory.data() + 8000, 3000},
                                        {memory.data() + 100, 1},
                                        {memory.data() + 50, 0},
                                        {memory.data() + 200, 5000}}};
    counted op;
    for (const bool by_thread : {false, true}) {
        for (const std::uint64_t offset : {0UL, 777UL, 4000UL, 9000UL, size - 1UL, 1UL << 40}) {
            op.prepare_read_vector(in, vectors, offset, -1);
            op.punt = offset == 777;
            op.by_thread = by_thread;
            const std::uint64_t there = offset < size ? size - offset : 0;
            BOOST_TEST_REQUIRE(perform(*through, op) ==
                               static_cast<int>(std::min<std::uint64_t>(there, 8001)));
            const auto got = static_cast<std::size_t>(op.result);
            BOOST_TEST(patterned(memory.data() + 8000, offset, std::min(got, 3000UL)));
            if (got > 3000) {
                BOOST_TEST(patterned(memory.data() + 100, offset + 3000, 1));
                BOOST_TEST(patterned(memory.data() + 200, offset + 3001, got - 3001));
            }
        }
        op.prepare_read_vector(-1, vectors, 0, -1);
        op.by_thread = by_thread;
        BOOST_TEST(perform(*through, op) == -EBADF);
    }
    BOOST_TEST(through->statistics().reads == 12U);
    BOOST_TEST(through->statistics().bytes_read == 2 * (2 * 8001U + 6007 + 1007 + 1));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(pipes_fill_several_buffers_and_wait_until_they_can, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const pipe_pair pipe;
    std::array<std::byte, 6> memory{};
    const std::array<iovec, 2> vectors{{{memory.data() + 3, 3}, {memory.data(), 3}}};
    counted op;
    op.prepare_read_vector(pipe.reader, vectors, 0, -1);
    through->submit(op);
    BOOST_TEST(through->run(through->now() + std::chrono::milliseconds(20)) == 0U);
    BOOST_TEST(through->owed().find("1 vectored read") != std::string::npos, through->owed());
    BOOST_TEST(::write(pipe.writer, "abcde", 5) == 5);
    BOOST_TEST(finish(*through));
    BOOST_TEST(op.result == 5);
    BOOST_TEST(std::memcmp(memory.data(), "de\0abc", 6) == 0);

    op.prepare_read_vector(pipe.reader, vectors, 0, -1);
    through->submit(op);
    BOOST_TEST(through->run(through->now() + std::chrono::milliseconds(20)) == 0U);
    through->cancel(op);
    BOOST_TEST(finish(*through));
    BOOST_TEST(op.result == -ECANCELED);
    BOOST_TEST(op.completions == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(reads_at_all_borders, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    constexpr std::size_t size = 300'007;
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", size).c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<std::byte> memory(size + 4096);
    std::uint64_t bytes = 0;
    std::uint64_t reads = 0;
    for (const bool punted : {false, true}) {
        for (const std::uint64_t offset :
             {0UL, 1UL, 4095UL, 4096UL, 65536UL, 299'999UL, 300'007UL, 999'999UL}) {
            for (const std::size_t length :
                 {0UL, 1UL, 4095UL, 4096UL, 65536UL, 300'007UL, 304'103UL}) {
                counted op;
                op.prepare_read(in, {memory.data(), length}, offset, -1);
                op.punt = punted;
                const int result = perform(*through, op);
                const std::uint64_t there = offset < size ? size - offset : 0;
                BOOST_TEST_REQUIRE(result ==
                                   static_cast<int>(std::min<std::uint64_t>(there, length)));
                BOOST_TEST_REQUIRE(
                    patterned(memory.data(), offset, static_cast<std::size_t>(result)));
                bytes += static_cast<std::uint64_t>(result);
                ++reads;
            }
        }
    }
    const auto statistics = through->statistics();
    BOOST_TEST(statistics.reads == reads);
    BOOST_TEST(statistics.bytes_read == bytes);
    BOOST_TEST(statistics.submitted == reads);
    BOOST_TEST(statistics.completed == reads);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(opens_and_stats, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 4711);
    counted op;
    op.prepare_open(AT_FDCWD, path.c_str(), file::how_to_open(false));
    const descriptor opened(perform(*through, op));
    BOOST_TEST_REQUIRE(opened >= 0);
    BOOST_TEST((::fcntl(opened, F_GETFD) & FD_CLOEXEC) != 0);

    struct statx attributes{};
    op.prepare_stat(opened, file::stat_mask, attributes);
    BOOST_TEST(perform(*through, op) == 0);
    BOOST_TEST(attributes.stx_size == 4711U);
    BOOST_TEST(S_ISREG(attributes.stx_mode));

    struct statx cached{};
    BOOST_TEST(through->stat_cached(opened, file::stat_mask, cached) == 0);
    BOOST_TEST(cached.stx_ino == attributes.stx_ino);
    BOOST_TEST(through->stat_cached(-1, file::stat_mask, cached) == -EBADF);

    op.prepare_open(AT_FDCWD, "/var/tmp/leat-there-is-no-such-file", file::how_to_open(false));
    BOOST_TEST(perform(*through, op) == -ENOENT);
    op.prepare_stat(-1, file::stat_mask, attributes);
    BOOST_TEST(perform(*through, op) == -EBADF);
    std::array<std::byte, 8> memory{};
    op.prepare_read(-1, memory, 0, -1);
    BOOST_TEST(perform(*through, op) == -EBADF);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(names_cannot_leave_the_root, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    static_cast<void>(scratch.patterned("outside", 10));
    std::filesystem::create_directories(scratch / "root/inner");
    static_cast<void>(scratch.patterned("root/inner/f", 10));
    std::filesystem::create_symlink("../../outside", scratch / "root/inner/up");
    std::filesystem::create_symlink("/etc/passwd", scratch / "root/absolute");
    std::filesystem::create_symlink("inner/f", scratch / "root/within");
    const descriptor root(::open((scratch / "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const descriptor proc(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
    counted op;
    const auto open_beneath = [&](int directory, const char* name) {
        op.prepare_open(directory, name, file::how_to_open(true));
        const int result = perform(*through, op);
        const descriptor closes(result);
        return result < 0 ? result : 0;
    };
    for (const char* name : {"inner/f", "within", "inner/../inner/f", "./inner//f"}) {
        BOOST_TEST(open_beneath(root, name) == 0, name);
    }
    for (const char* name :
         {"../outside", "..", "/etc/passwd", "inner/up", "absolute", "inner/../../outside"}) {
        BOOST_TEST(open_beneath(root, name) == -EXDEV, name);
    }
    const std::string magic = "fd/" + std::to_string(static_cast<int>(root));
    BOOST_TEST(open_beneath(proc, magic.c_str()) == -ELOOP);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nothing_completes_outside_run, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    counted op;
    op.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
    through->submit(op);
    BOOST_TEST(through->in_flight() == 1U);
    BOOST_TEST(op.completions == 0);
    BOOST_TEST(through->owed() == "1 open");
    BOOST_TEST(finish(*through));
    BOOST_TEST(op.completions == 1);
    BOOST_TEST(through->owed() == "nothing");
    ::close(op.result);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(more_operations_than_the_queues_hold, Kind, kinds) {
    const auto through = make<Kind>(4, 8);
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 65536).c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<std::byte> memory(600 * 64);
    std::vector<counted> reads(600);
    for (std::size_t i = 0; i < reads.size(); ++i) {
        reads[i].prepare_read(in, {memory.data() + i * 64, 64}, i * 64, -1);
        reads[i].punt = i % 3 == 0;
        through->submit(reads[i]);
    }
    BOOST_TEST(finish(*through));
    for (std::size_t i = 0; i < reads.size(); ++i) {
        BOOST_TEST_REQUIRE(reads[i].completions == 1);
        BOOST_TEST_REQUIRE(reads[i].result == 64);
    }
    BOOST_TEST(patterned(memory.data(), 0, memory.size()));

    const pipe_pair pipe;
    std::vector<counted> polls(300);
    for (counted& op : polls) {
        op.prepare_poll(pipe.reader, POLLIN);
        through->submit(op);
    }
    through->run(time_point::min());
    for (std::size_t i = 0; i < polls.size(); i += 2) {
        through->cancel(polls[i]);
    }
    BOOST_TEST(run_until(*through, [&] { return through->in_flight() == polls.size() / 2; }));
    BOOST_TEST(::write(pipe.writer, "a", 1) == 1);
    BOOST_TEST(finish(*through));
    for (std::size_t i = 0; i < polls.size(); ++i) {
        BOOST_TEST_REQUIRE(polls[i].completions == 1);
        BOOST_TEST_REQUIRE(polls[i].result == (i % 2 == 0 ? -ECANCELED : POLLIN));
    }
    if (Kind::kind == backend_kind::uring) {
        BOOST_TEST(through->statistics().deferred > 500U);
        BOOST_TEST(through->statistics().deferred < 900U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(too_many_open_files, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    counted op;
    op.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
    ::close(perform(*through, op));
    rlimit before{};
    BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = 3;
    BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    op.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
    const int result = perform(*through, op);
    BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    BOOST_TEST(result == -EMFILE);
    op.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
    const descriptor opened(perform(*through, op));
    BOOST_TEST(opened >= 0);
}

BOOST_AUTO_TEST_SUITE_END()
