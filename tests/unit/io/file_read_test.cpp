// Reads of every range, short, failed and cancelled.
#include "file_read_support.hpp"

#include <sys/mman.h>

#include <cstring>
#include <limits>

BOOST_AUTO_TEST_SUITE(file_read_test)

using namespace leat::io;
using namespace leat::io::test;
using leat::errc;

BOOST_AUTO_TEST_CASE_TEMPLATE(every_range_direct_and_buffered, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const aligned_memory memory(2 << 20);
    for (const std::size_t size :
         {0UL, 1UL, 511UL, 512UL, 513UL, 4095UL, 4096UL, 4097UL, 131'071UL, 131'584UL, 700'001UL}) {
        const std::string path = scratch.patterned("f", size);
        for (const bool direct : {true, false}) {
            const file from = open_file(path, direct);
            for (const std::uint64_t offset :
                 {0UL, 1UL, 4096UL, 4097UL, 131'072UL, 700'000UL, 1UL << 63, ~0UL}) {
                for (const std::size_t length :
                     {0UL, 1UL, 4096UL, 5000UL, 131'072UL, 704'512UL, 1'000'000UL}) {
                    for (const std::size_t shift : {0UL, 1UL, 4097UL}) {
                        std::byte* const at = memory.data.get() + shift;
                        at[length] = std::byte{0x5A};
                        tracked read;
                        read.start(*through, from, offset, {at, length}, -1, &tracked::done);
                        BOOST_TEST_REQUIRE(
                            run_until(*through, [&] { return read.completions == 1; }));
                        BOOST_TEST_REQUIRE(!read.error(), read.error().message());
                        const std::uint64_t there = offset < size ? size - offset : 0;
                        BOOST_TEST_REQUIRE(read.count() == std::min<std::uint64_t>(there, length));
                        BOOST_TEST_REQUIRE(patterned(at, offset, read.count()));
                        BOOST_TEST_REQUIRE((at[length] == std::byte{0x5A}));
                        BOOST_TEST_REQUIRE(read.idle());
                    }
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(short_reads_resume) {
    const scratch_directory scratch;
    constexpr std::size_t size = 1'000'003;
    const file from = open_file(scratch.patterned("f", size), true, 512);
    BOOST_TEST_REQUIRE(from.alignment() == 512U);
    const aligned_memory memory(1 << 20);
    for (const std::size_t shift : {0UL, 1UL, 512UL}) {
        for (const std::uint64_t offset : {0UL, 512UL, 513UL, 99'999UL}) {
            scripted_backend through(size, 512);
            through.script = {512, 1000, 70'000, 513, 4096, 100'000};
            tracked read;
            std::byte* const at = memory.data.get() + shift;
            const std::size_t length = size - offset;
            read.start(through, from, offset, {at, length}, -1, &tracked::done);
            BOOST_TEST(finish(through));
            BOOST_TEST(!read.error(), read.error().message());
            BOOST_TEST(read.count() == length);
            BOOST_TEST(patterned(at, offset, length));
            BOOST_TEST(through.aligned);
            BOOST_TEST(through.script.empty());
            BOOST_TEST(read.completions == 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_aligned_read_is_one_operation) {
    const scratch_directory scratch;
    constexpr std::size_t size = 300'001;
    const file from = open_file(scratch.patterned("f", size), true, 4096);
    const aligned_memory memory(1 << 20);
    scripted_backend through(size, 4096);
    tracked read;
    read.start(through, from, 8192, {memory.data.get(), 1 << 20}, -1, &tracked::done);
    BOOST_TEST(finish(through));
    BOOST_TEST(read.count() == size - 8192);
    BOOST_TEST(through.operations == 1U);

    // An unaligned head and tail around memory that is aligned as the file is.
    read.start(through, from, 4000, {memory.data.get() + 4000, 200'000}, -1, &tracked::done);
    BOOST_TEST(finish(through));
    BOOST_TEST(read.count() == 200'000U);
    BOOST_TEST(patterned(memory.data.get() + 4000, 4000, 200'000));
    BOOST_TEST(through.operations == 4U);
    BOOST_TEST(through.aligned);
}

BOOST_AUTO_TEST_CASE(a_file_that_ends_early) {
    const scratch_directory scratch;
    constexpr std::size_t size = 100'000;
    const std::string path = scratch.patterned("f", size);
    const aligned_memory memory(1 << 20);
    for (const bool changed : {false, true}) {
        for (const int last : {0, 100}) {
            const file from = open_file(path, true, 4096);
            scripted_backend through(size, 4096);
            through.script = {8192, last, 0};
            through.changed = changed;
            tracked read;
            read.start(through, from, 0, {memory.data.get(), 1 << 20}, -1, &tracked::done);
            BOOST_TEST(finish(through));
            BOOST_TEST((read.error() == (changed ? errc::file_changed : errc::short_read)));
            BOOST_TEST(read.count() == 8192U);
            BOOST_TEST(read.completions == 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(direct_reads_that_are_refused_go_on_through_the_page_cache) {
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 100'001);
    const aligned_memory memory(1 << 20);
    for (const int refusal : {-EINVAL, -EOPNOTSUPP, 100, 4095}) {
        for (const std::uint64_t offset : {0UL, 1UL, 8192UL}) {
            const file from = open_file(path, true, 4096);
            BOOST_TEST_REQUIRE(from.direct());
            scripted_backend through(100'001, 1);
            // The first answer, and one in the middle of what follows.
            through.script = {refusal, 777};
            tracked read;
            read.start(through, from, offset, {memory.get(), 1 << 20}, -1, &tracked::done);
            BOOST_TEST(finish(through));
            BOOST_TEST(!read.error(), read.error().message());
            BOOST_TEST(read.count() == 100'001 - offset);
            BOOST_TEST(patterned(memory.get(), offset, read.count()));
            BOOST_TEST(!from.direct());
            BOOST_TEST((::fcntl(from.descriptor(), F_GETFL) & O_DIRECT) == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_last_bytes_that_a_file_can_have, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    constexpr std::uint64_t size = std::numeric_limits<std::int64_t>::max();
    const int in_memory = ::memfd_create("leat", MFD_CLOEXEC);
    if (::ftruncate(in_memory, size) != 0 || ::pwrite(in_memory, "end", 3, size - 3) != 3) {
        BOOST_TEST_MESSAGE("skipped: no file of 2^63 - 1 bytes here");
        ::close(in_memory);
        return;
    }
    struct statx attributes{};
    BOOST_TEST_REQUIRE(::statx(in_memory, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    const auto from = file::adopt(in_memory, attributes);
    BOOST_TEST_REQUIRE(from.has_value());
    const aligned_memory memory(1 << 20);
    for (const std::uint64_t before : {3UL, 4095UL, 8191UL}) {
        tracked read;
        read.start(*through, *from, size - before, {memory.get(), 65536}, -1, &tracked::done);
        BOOST_TEST_REQUIRE(run_until(*through, [&] { return read.completions == 1; }));
        BOOST_TEST(!read.error(), read.error().message());
        BOOST_TEST(read.count() == before);
        BOOST_TEST(std::memcmp(memory.get() + before - 3, "end", 3) == 0);
    }
}

BOOST_AUTO_TEST_CASE(files_of_fuse_are_read_by_threads) {
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 5000);
    for (const bool by_threads : {false, true}) {
        const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        struct statx attributes{};
        BOOST_TEST_REQUIRE(::statx(opened, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
        const auto from =
            file::adopt(opened, attributes, true, {.read_by_threads = by_threads, .remote = false});
        scripted_backend through(5000, 1);
        std::array<std::byte, 5000> memory{};
        tracked read;
        read.start(through, *from, 0, memory, -1, &tracked::done);
        BOOST_TEST(finish(through));
        BOOST_TEST(!read.error());
        BOOST_TEST(through.by_thread == (by_threads ? through.operations : 0));
    }
}

BOOST_AUTO_TEST_CASE(identity_is_checked_after_the_last_byte) {
    const scratch_directory scratch;
    const file from = open_file(scratch.patterned("f", 5000), false);
    std::array<std::byte, 5000> memory{};
    scripted_backend through(5000, 1);
    through.changed = true;
    tracked read;
    read.start(through, from, 0, memory, -1, &tracked::done);
    BOOST_TEST(finish(through));
    BOOST_TEST((read.error() == errc::file_changed));
}

BOOST_AUTO_TEST_CASE(errors_of_the_device) {
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 100'000);
    const aligned_memory memory(1 << 20);
    scripted_backend through(100'000, 4096);
    for (const int error : {EIO, EINVAL, ENOMEM}) {
        const file from = open_file(path, true, 4096);
        // EINVAL first refuses direct reads.
        through.script = {4096, -error, -error};
        tracked read;
        read.start(through, from, 0, {memory.data.get(), 1 << 20}, -1, &tracked::done);
        BOOST_TEST(finish(through));
        BOOST_TEST((read.error() == leat::system_error_code(error)));
        BOOST_TEST(read.count() == 4096U);
        through.script.clear();
    }
}

BOOST_AUTO_TEST_CASE(cancelling) {
    const scratch_directory scratch;
    const file from = open_file(scratch.patterned("f", 100'000), true, 4096);
    const aligned_memory memory(1 << 20);
    scripted_backend through(100'000, 4096);
    tracked read;
    read.cancel();
    // Between two pieces, as the kernel answers, and when it was done anyway.
    through.script = {4096};
    read.start(through, from, 0, {memory.data.get(), 1 << 20}, -1, &tracked::done);
    read.cancel();
    BOOST_TEST(finish(through));
    BOOST_TEST((read.error() == errc::cancelled));
    BOOST_TEST(through.operations == 1U);

    through.script = {-ECANCELED};
    read.start(through, from, 0, {memory.data.get(), 1 << 20}, -1, &tracked::done);
    read.cancel();
    BOOST_TEST(finish(through));
    BOOST_TEST((read.error() == errc::cancelled));

    read.start(through, from, 0, {memory.data.get(), 1 << 20}, -1, &tracked::done);
    read.cancel();
    BOOST_TEST(finish(through));
    BOOST_TEST(!read.error());
    BOOST_TEST(read.count() == 100'000U);
    BOOST_TEST(read.completions == 3);
}

BOOST_AUTO_TEST_CASE(long_buffered_reads_are_punted) {
    const scratch_directory scratch;
    const file from = open_file(scratch.patterned("f", 1 << 20), false);
    std::vector<std::byte> memory(1 << 20);
    scripted_backend through(1 << 20, 1);
    tracked read;
    read.start(through, from, 0, {memory.data(), 128 << 10}, -1, &tracked::done);
    BOOST_TEST(finish(through));
    BOOST_TEST(through.punted == 0U);
    read.start(through, from, 0, memory, -1, &tracked::done);
    BOOST_TEST(finish(through));
    BOOST_TEST(through.punted == 1U);
    BOOST_TEST(through.operations == 2U);
}

BOOST_AUTO_TEST_CASE(long_direct_reads_are_punted_where_they_may_be_copies) {
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 1 << 20);
    const aligned_memory memory(1 << 20);
    for (const bool told : {true, false}) {
        const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        struct statx attributes{};
        BOOST_TEST_REQUIRE(::statx(opened, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
        attributes.stx_mask &= ~STATX_DIOALIGN;
        attributes.stx_mask |= told ? STATX_DIOALIGN : 0;
        attributes.stx_dio_mem_align = attributes.stx_dio_offset_align = 4096;
        const auto from = file::adopt(opened, attributes);
        BOOST_TEST_REQUIRE(from.has_value());
        if (!from->direct()) {
            BOOST_TEST_MESSAGE("skipped: no O_DIRECT here");
            return;
        }
        BOOST_TEST(from->may_block() == !told);
        scripted_backend through(1 << 20, 4096);
        tracked read;
        read.start(through, *from, 0, {memory.data.get(), 1 << 20}, -1, &tracked::done);
        BOOST_TEST(finish(through));
        BOOST_TEST(through.punted == (told ? 0U : 1U));
        BOOST_TEST(through.operations == 1U);
    }
}

// tmpfs takes O_DIRECT or not, depending on the kernel; procfs never does.
BOOST_AUTO_TEST_CASE_TEMPLATE(file_systems_without_a_device, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const aligned_memory memory(1 << 20);
    for (const std::size_t size : {1UL, 4097UL, 600'001UL}) {
        std::vector<std::byte> bytes(size);
        for (std::size_t i = 0; i < size; ++i) {
            bytes[i] = pattern(i);
        }
        const int in_memory = ::memfd_create("leat", MFD_CLOEXEC);
        BOOST_TEST_REQUIRE(::write(in_memory, bytes.data(), size) == static_cast<ssize_t>(size));
        struct statx attributes{};
        BOOST_TEST_REQUIRE(::statx(in_memory, "", AT_EMPTY_PATH, file::stat_mask, &attributes) ==
                           0);
        const auto from = file::adopt(in_memory, attributes);
        BOOST_TEST_REQUIRE(from.has_value());
        BOOST_TEST(from->may_block());
        for (const std::uint64_t offset : {0UL, 1UL, 4096UL, 599'999UL}) {
            tracked read;
            read.start(*through, *from, offset, {memory.data.get(), 1 << 20}, -1, &tracked::done);
            BOOST_TEST_REQUIRE(run_until(*through, [&] { return read.completions == 1; }));
            BOOST_TEST(!read.error(), read.error().message());
            BOOST_TEST(read.count() == (offset < size ? size - offset : 0));
            BOOST_TEST(patterned(memory.data.get(), offset, read.count()));
        }
    }
    // A size that says nothing: a file of procfs is as long as it says, that is empty.
    const file from = open_file("/proc/self/status", true);
    tracked read;
    read.start(*through, from, 0, {memory.data.get(), 4096}, -1, &tracked::done);
    BOOST_TEST_REQUIRE(run_until(*through, [&] { return read.completions == 1; }));
    BOOST_TEST(!read.error());
    BOOST_TEST(read.count() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(truncated_while_open, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const aligned_memory memory(1 << 20);
    for (const bool direct : {true, false}) {
        const std::string path = scratch.patterned("f", 500'000);
        const file from = open_file(path, direct);
        BOOST_TEST_REQUIRE(::truncate(path.c_str(), 300'000) == 0);
        tracked read;
        read.start(*through, from, 0, {memory.data.get(), 1 << 20}, -1, &tracked::done);
        BOOST_TEST(run_until(*through, [&] { return read.completions == 1; }));
        BOOST_TEST((read.error() == errc::file_changed));
        read.start(*through, from, 400'000, {memory.data.get(), 4096}, -1, &tracked::done);
        BOOST_TEST(run_until(*through, [&] { return read.completions == 2; }));
        BOOST_TEST((read.error() == errc::file_changed));
        BOOST_TEST(read.count() == 0U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(grown_while_open, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const aligned_memory memory(1 << 20);
    for (const bool direct : {true, false}) {
        for (const std::size_t size : {0UL, 5000UL, 300'001UL}) {
            const std::string path = scratch.patterned("f", size);
            const file from = open_file(path, direct);
            BOOST_TEST_REQUIRE(::truncate(path.c_str(), 400'000) == 0);
            tracked read;
            std::byte* const at = memory.data.get();
            at[size + 4096] = std::byte{0x5A};
            read.start(*through, from, 0, {at, 1 << 20}, -1, &tracked::done);
            BOOST_TEST(run_until(*through, [&] { return read.completions == 1; }));
            BOOST_TEST((read.error() == errc::file_changed));
            // What the file has gained is not read.
            BOOST_TEST(read.count() == size);
            BOOST_TEST((at[size + 4096] == std::byte{0x5A}));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
