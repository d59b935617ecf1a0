// What is a file and what is refused.
#include "io_support.hpp"

#include <leat/io/file.hpp>

#include <sys/mman.h>

#include <limits>
#include <thread>

BOOST_AUTO_TEST_SUITE(file_test)

using namespace leat::io;
using namespace leat::io::test;
using leat::errc;

namespace {

boost::system::result<file> open_file(const std::string& path, bool allow_direct = true) {
    const open_how how = file::how_to_open(false);
    const int opened = ::open(path.c_str(), static_cast<int>(how.flags));
    if (opened < 0) {
        return leat::system_error_code(errno);
    }
    struct statx attributes{};
    BOOST_TEST_REQUIRE(::statx(opened, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    return file::adopt(opened, attributes, allow_direct);
}

// Timestamps advance with the kernel's tick.
void let_the_tick_pass() {
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_regular_file) {
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 12345);
    auto opened = open_file(path);
    BOOST_TEST_REQUIRE(opened.has_value());
    BOOST_TEST(opened->size() == 12345U);
    BOOST_TEST(opened->version().inode != 0U);
    BOOST_TEST(opened->version().changed_ns > 0);
    const int flags = ::fcntl(opened->descriptor(), F_GETFL);
    BOOST_TEST((flags & O_NONBLOCK) == 0);
    BOOST_TEST(((flags & O_DIRECT) != 0) == opened->direct());
    BOOST_TEST((opened->alignment() > 1) == opened->direct());

    const auto buffered = open_file(path, false);
    BOOST_TEST_REQUIRE(buffered.has_value());
    BOOST_TEST(!buffered->direct());
    BOOST_TEST(buffered->alignment() == 1U);
    BOOST_TEST((::fcntl(buffered->descriptor(), F_GETFL) & (O_DIRECT | O_NONBLOCK)) == 0);
    BOOST_TEST((buffered->version() == opened->version()));
}

BOOST_AUTO_TEST_CASE(a_file_owns_its_descriptor) {
    const scratch_directory scratch;
    auto opened = open_file(scratch.patterned("f", 1));
    file first = std::move(*opened);
    const int number = first.descriptor();
    file second = std::move(first);
    BOOST_TEST(first.descriptor() == -1);
    BOOST_TEST(second.descriptor() == number);
    first = std::move(second);
    BOOST_TEST(::fcntl(number, F_GETFD) >= 0);
    first = file();
    BOOST_TEST(::fcntl(number, F_GETFD) == -1);
}

BOOST_AUTO_TEST_CASE(what_is_no_file_is_refused_and_closed) {
    const scratch_directory scratch;
    const std::string fifo = scratch / "fifo";
    BOOST_TEST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const descriptor probe(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int next = ::dup(probe);
    ::close(next);
    BOOST_TEST((open_file(scratch.path()).error() == boost::system::errc::is_a_directory));
    BOOST_TEST((open_file(fifo).error() == errc::not_regular));
    BOOST_TEST((open_file("/dev/null").error() == errc::not_regular));
    const int after = ::dup(probe);
    ::close(after);
    BOOST_TEST(after == next);
}

BOOST_AUTO_TEST_CASE(where_the_file_system_has_no_direct_io_reads_are_buffered) {
    const int memory = ::memfd_create("leat", MFD_CLOEXEC);
    struct statx attributes{};
    BOOST_TEST_REQUIRE(::statx(memory, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    attributes.stx_mask |= STATX_DIOALIGN;
    attributes.stx_dio_mem_align = 0;
    attributes.stx_dio_offset_align = 0;
    const auto told = file::adopt(memory, attributes);
    BOOST_TEST_REQUIRE(told.has_value());
    BOOST_TEST(!told->direct());

    // procfs knows no O_DIRECT, and does not tell.
    const auto refused = open_file("/proc/self/status");
    BOOST_TEST_REQUIRE(refused.has_value());
    BOOST_TEST(!refused->direct());
}

BOOST_AUTO_TEST_CASE(the_larger_alignment_counts) {
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 1).c_str(), O_RDONLY | O_CLOEXEC));
    struct statx attributes{};
    BOOST_TEST_REQUIRE(::statx(in, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    const auto aligned = [&](unsigned memory, unsigned offset) {
        attributes.stx_mask |= STATX_DIOALIGN;
        attributes.stx_dio_mem_align = memory;
        attributes.stx_dio_offset_align = offset;
        return file::adopt(::dup(in), attributes)->alignment();
    };
    BOOST_TEST(aligned(4, 512) == 512U);
    BOOST_TEST(aligned(4096, 512) == 4096U);
    BOOST_TEST(aligned(3, 513) == 1U);  // nothing that can be used
    attributes.stx_mask &= ~STATX_DIOALIGN;
    BOOST_TEST(file::adopt(::dup(in), attributes)->alignment() == 4096U);
}

BOOST_AUTO_TEST_CASE(absurd_times_make_identities_too) {
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 1).c_str(), O_RDONLY | O_CLOEXEC));
    struct statx attributes{};
    BOOST_TEST_REQUIRE(::statx(in, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    const auto version = [&](std::int64_t seconds) {
        attributes.stx_mtime.tv_sec = seconds;
        return file::adopt(::dup(in), attributes)->version();
    };
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    BOOST_TEST((version(most) != version(most - 1)));
    BOOST_TEST((version(-most) == version(-most)));
    BOOST_TEST(version(-1).modified_ns < 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(changes_of_identity, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 10000);
    const auto fresh = [&] {
        auto opened = open_file(path);
        return std::move(*opened);
    };
    {
        const file opened = fresh();
        BOOST_TEST(!*opened.check(*through));
        let_the_tick_pass();
        const descriptor out(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
        BOOST_TEST(::pwrite(out, "x", 1, 5000) == 1);
        BOOST_TEST((*opened.check(*through) == errc::file_changed));
    }
    {
        const file opened = fresh();
        BOOST_TEST(!*opened.check(*through));
        BOOST_TEST(::truncate(path.c_str(), 9999) == 0);
        BOOST_TEST((*opened.check(*through) == errc::file_changed));
    }
    {
        // Replacing the name leaves the opened file as it was, but for its ctime where links count
        // there.
        const file opened = fresh();
        const std::string other = scratch.patterned("g", 10000);
        std::filesystem::create_hard_link(path, scratch / "kept");
        let_the_tick_pass();
        const file linked = fresh();
        std::filesystem::rename(other, path);
        const file replaced = fresh();
        BOOST_TEST((replaced.version() != linked.version()));
        BOOST_TEST(replaced.version().inode != linked.version().inode);
    }
    file closed;
    BOOST_TEST((*closed.check(*through) == boost::system::errc::bad_file_descriptor));
}

BOOST_AUTO_TEST_CASE(a_version_is_settled_when_its_time_stamps_are_old_enough) {
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 1).c_str(), O_RDONLY | O_CLOEXEC));
    struct statx attributes{};
    BOOST_TEST_REQUIRE(::statx(in, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const auto settled = [&](int modified_s, int changed_s, unsigned nanoseconds, bool remote) {
        attributes.stx_mtime = {now.tv_sec + modified_s, nanoseconds, {}};
        attributes.stx_ctime = {now.tv_sec + changed_s, nanoseconds, {}};
        return file::adopt(::dup(in), attributes, true, {false, remote})->settled();
    };
    const auto some = static_cast<unsigned>(now.tv_nsec | 1);
    BOOST_TEST(!settled(0, 0, some, false));
    BOOST_TEST(settled(-1, -1, some, false));
    BOOST_TEST(!settled(-100, 0, some, false));
    BOOST_TEST(!settled(0, -100, some, false));
    BOOST_TEST(!settled(1000, -1, some, false));
    // A file system that counts seconds, and another machine's clock.
    BOOST_TEST(!settled(-1, -1, 0, false));
    BOOST_TEST(settled(-4, -4, 0, false));
    BOOST_TEST(!settled(-1, -1, some, true));
    BOOST_TEST(settled(-4, -4, some, true));
}

BOOST_AUTO_TEST_CASE(mounts_that_follow_each_other_differ) {
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 1).c_str(), O_RDONLY | O_CLOEXEC));
    struct statx attributes{};
    BOOST_TEST_REQUIRE(::statx(in, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    attributes.stx_mask |= file_system::unique_mount;
    attributes.stx_mnt_id = 7;
    const file_version first = file::adopt(::dup(in), attributes)->version();
    attributes.stx_mnt_id = 8;
    BOOST_TEST((file::adopt(::dup(in), attributes)->version() != first));
    // An id that may be given again says nothing.
    attributes.stx_mask &= ~file_system::unique_mount;
    BOOST_TEST(file::adopt(::dup(in), attributes)->version().instance == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(opening_goes_through_the_backend, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 777);
    const std::string fifo = scratch / "fifo";
    BOOST_TEST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    for (const bool regular : {true, false}) {
        counted op;
        op.prepare_open(AT_FDCWD, regular ? path.c_str() : fifo.c_str(), file::how_to_open(false));
        const int opened = perform(*through, op);
        BOOST_TEST_REQUIRE(opened >= 0);
        struct statx attributes{};
        op.prepare_stat(opened, file::stat_mask, attributes);
        BOOST_TEST(perform(*through, op) == 0);
        const auto adopted = file::adopt(opened, attributes);
        BOOST_TEST(adopted.has_value() == regular);
        if (regular) {
            BOOST_TEST(!*adopted->check(*through));
        } else {
            BOOST_TEST((adopted.error() == errc::not_regular));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
