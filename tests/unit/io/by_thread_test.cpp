// Operations that go to threads beside a ring.
#include "io_support.hpp"

#include <linux/magic.h>

#include <deque>

BOOST_AUTO_TEST_SUITE(by_thread_test)

using namespace leat::io;
using namespace leat::io::test;

BOOST_AUTO_TEST_CASE_TEMPLATE(reads_by_threads_give_the_bytes, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    constexpr std::size_t size = 4096;
    constexpr std::size_t count = 200;
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", size * count).c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<std::byte> memory(size * count);
    std::deque<counted> reads(count);
    for (std::size_t i = 0; i < count; ++i) {
        reads[i].prepare_read(in, std::span(memory).subspan(i * size, size), i * size, -1);
        reads[i].by_thread = i % 2 == 0;  // the others by the ring, where there is one
        through->submit(reads[i]);
    }
    BOOST_TEST(through->in_flight() == count);
    BOOST_TEST(through->owed().find("200 reads") != std::string::npos, through->owed());
    BOOST_TEST(finish(*through));
    for (std::size_t i = 0; i < count; ++i) {
        BOOST_TEST(reads[i].completions == 1);
        BOOST_TEST(reads[i].result == static_cast<int>(size));
    }
    BOOST_TEST(patterned(memory.data(), 0, memory.size()));
    BOOST_TEST(through->statistics().reads == count);
    BOOST_TEST(through->statistics().bytes_read == size * count);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_that_is_cancelled_completes_once, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 100).c_str(), O_RDONLY | O_CLOEXEC));
    std::array<std::byte, 100> memory{};
    for (const int turns_before : {0, 1}) {
        std::deque<counted> reads(50);
        for (counted& one : reads) {
            one.prepare_read(in, memory, 0, -1);
            one.by_thread = true;
            through->submit(one);
        }
        for (int i = 0; i < turns_before; ++i) {
            through->run(time_point::min());
        }
        for (counted& one : reads) {
            through->cancel(one);
        }
        BOOST_TEST(finish(*through));
        for (const counted& one : reads) {
            BOOST_TEST(one.completions == 1);
            BOOST_TEST((one.result == 100 || one.result == -ECANCELED));
            BOOST_TEST((turns_before != 0 || one.result == -ECANCELED));
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(file_systems_are_told_and_descriptors_closed, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const int opened = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    struct statfs told{};
    counted op;
    op.prepare_stat_file_system(opened, told);
    BOOST_TEST(perform(*through, op) == 0);
    BOOST_TEST(told.f_type == PROC_SUPER_MAGIC);
    op.prepare_stat_file_system(-1, told);
    BOOST_TEST(perform(*through, op) == -EBADF);

    op.prepare_close(opened);
    BOOST_TEST(perform(*through, op) == 0);
    BOOST_TEST(::fcntl(opened, F_GETFD) == -1);
    op.prepare_close(-1);
    BOOST_TEST(perform(*through, op) == -EBADF);
}

BOOST_AUTO_TEST_SUITE_END()
