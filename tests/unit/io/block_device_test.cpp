// Block devices as files: size, version, other images.
#include "io_support.hpp"

#include <leat/io/detail/file_read.hpp>

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

BOOST_AUTO_TEST_SUITE(block_device_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

/// A read-only loop device over a file, given back at the end.
class loop_device {
public:
    explicit loop_device(const std::string& path) {
        const descriptor control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
        const descriptor backing(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        // Between finding a free one and taking it another program may have taken it.
        for (int tries = 0; tries < 10 && !*this; ++tries) {
            const int number = control < 0 ? -1 : ::ioctl(control, LOOP_CTL_GET_FREE);
            name_ = "/dev/loop" + std::to_string(number);
            device_ = descriptor(::open(name_.c_str(), O_RDONLY | O_CLOEXEC));
            loop_config config{};
            config.fd = static_cast<__u32>(static_cast<int>(backing));
            config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
            taken_ = device_ >= 0 && ::ioctl(device_, LOOP_CONFIGURE, &config) == 0;
        }
    }
    explicit operator bool() const { return taken_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    /// Has it show another file of equal size.
    [[nodiscard]] bool change(const std::string& path) const {
        const descriptor other(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        return ::ioctl(device_, LOOP_CHANGE_FD, static_cast<int>(other)) == 0;
    }

private:
    std::string name_;
    descriptor device_;
    bool taken_ = false;
};

struct counted_read : file_read {
    static void done(file_read& read) noexcept { ++static_cast<counted_read&>(read).completions; }
    int completions = 0;
};

boost::system::result<file> open_device(backend& through, const std::string& name, bool direct) {
    counted op;
    op.prepare_open(AT_FDCWD, name.c_str(), file::how_to_open(false));
    const int opened = perform(through, op);
    BOOST_TEST_REQUIRE(opened >= 0);
    struct statx attributes{};
    op.prepare_stat(opened, file::stat_mask, attributes);
    BOOST_TEST_REQUIRE(perform(through, op) == 0);
    return file::adopt(opened, attributes, direct);
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_device_that_is_another_image_has_changed, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const loop_device device(scratch.patterned("f", 65536));
    if (!device) {
        BOOST_TEST_MESSAGE("skipped: no loop device to have");
        return;
    }
    const auto first = open_device(*through, device.name(), true);
    BOOST_TEST_REQUIRE(first.has_value());
    BOOST_TEST(first->settled() == (first->version().instance != 0));
    BOOST_TEST(!*first->check(*through));
    if (first->version().instance == 0 || !device.change(scratch.patterned("g", 65536))) {
        BOOST_TEST_MESSAGE("skipped: disks have no sequence numbers here");
        return;
    }
    BOOST_TEST((*first->check(*through) == leat::errc::file_changed));
    const auto second = open_device(*through, device.name(), true);
    BOOST_TEST_REQUIRE(second.has_value());
    BOOST_TEST((second->version() != first->version()));
    BOOST_TEST(!*second->check(*through));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_device_is_read_to_its_end, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    // A device has whole sectors: what is beyond the last one is not there.
    constexpr std::size_t size = 1'000'000 / 512 * 512;
    const scratch_directory scratch;
    const loop_device device(scratch.patterned("f", 1'000'000));
    if (!device) {
        BOOST_TEST_MESSAGE("skipped: no loop device to have");
        return;
    }
    struct stat status{};
    BOOST_TEST_REQUIRE(::stat(device.name().c_str(), &status) == 0);
    const std::unique_ptr<std::byte, void (*)(void*)> memory(
        static_cast<std::byte*>(std::aligned_alloc(65536, 1 << 20)), &std::free);
    for (const bool direct : {true, false}) {
        const auto opened = open_device(*through, device.name(), direct);
        BOOST_TEST_REQUIRE(opened.has_value());
        BOOST_TEST(opened->size() == size);
        BOOST_TEST(opened->direct() == direct);
        BOOST_TEST(opened->may_block() == !direct);
        BOOST_TEST(opened->version().device ==
                   (std::uint64_t{major(status.st_rdev)} << 32 | minor(status.st_rdev)));
        BOOST_TEST(opened->version().inode == 0U);
        BOOST_TEST(!*opened->check(*through));
        for (const std::uint64_t offset : {0UL, 1UL, 512UL, 131'072UL, size - 1, size}) {
            counted_read read;
            read.start(*through, *opened, offset, {memory.get(), 1 << 20}, -1, &counted_read::done);
            BOOST_TEST_REQUIRE(run_until(*through, [&] { return read.completions == 1; }));
            BOOST_TEST(!read.error(), read.error().message());
            BOOST_TEST(read.count() == size - offset);
            BOOST_TEST(patterned(memory.get(), offset, read.count()));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
