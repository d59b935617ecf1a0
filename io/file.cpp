// Adopts descriptors: what kind of file, which version, how it may be read.
#include "version_watch.hpp"

#include <leat/io/file.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>
#include <new>
#include <utility>

namespace leat::io {

namespace {

// Direct I/O where the file system does not tell its alignment: no device's blocks are larger.
constexpr unsigned assumed_alignment = 4096;
constexpr unsigned largest_alignment = 65536;

// How long two writes may get the same time stamp: two ticks of the slowest clock a kernel has, or
// what FAT counts its time in, which also allows for the clock of another machine.
constexpr std::int64_t tick_ns = 20'000'000;
constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t coarse_ns = 2 * second_ns;

// The alignment of direct reads, or 1 if there are none.
unsigned direct_alignment(int descriptor, const struct statx& attributes) noexcept {
    unsigned alignment = assumed_alignment;
    const bool told = (attributes.stx_mask & STATX_DIOALIGN) != 0;
    if (told) {
        alignment = std::max(attributes.stx_dio_offset_align, attributes.stx_dio_mem_align);
    }
    if (S_ISBLK(attributes.stx_mode) && (!told || alignment == 0)) {
        int sector = 0;
        alignment =
            ::ioctl(descriptor, BLKSSZGET, &sector) == 0 ? static_cast<unsigned>(sector) : 0;
    }
    return std::has_single_bit(alignment) && alignment <= largest_alignment ? alignment : 1;
}

// Whether the last block of a file of `size` bytes ends where an offset can still be.
bool last_block_fits(std::uint64_t size, unsigned alignment) noexcept {
    constexpr std::uint64_t last_offset = std::numeric_limits<std::int64_t>::max();
    return size <= last_offset - (alignment - 1);
}

// What tells a block device that is open: its size and which disk it is.
boost::system::error_code tell_device(int descriptor, file_version& into) noexcept {
    if (::ioctl(descriptor, BLKGETSIZE64, &into.size) != 0) {
        return system_error_code(errno);
    }
    if (::ioctl(descriptor, BLKGETDISKSEQ, &into.instance) != 0) {
        into.instance = 0;  // before Linux 5.15
    }
    return {};
}

bool is_settled(const file_version& version, bool remote) noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const std::int64_t now_ns = std::int64_t{now.tv_sec} * second_ns + now.tv_nsec;
    const bool counts_seconds = version.changed_ns % second_ns == 0;
    const std::int64_t granule = counts_seconds || remote ? coarse_ns : tick_ns;
    return std::max(version.modified_ns, version.changed_ns) < now_ns - granule;
}

}  // namespace

open_how file::how_to_open(bool beneath) noexcept {
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    how.resolve = beneath ? RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS : 0;
    return how;
}

boost::system::result<file> file::adopt(int descriptor,
                                        const struct statx& attributes,
                                        bool allow_direct,
                                        file_system on) noexcept {
    file adopted;
    adopted.descriptor_ = descriptor;
    adopted.on_ = on;
    if (const auto error = adopted.identify(attributes)) {
        return error;
    }
    if (const auto error = adopted.set_flags(attributes, allow_direct)) {
        return error;
    }
    return adopted;
}

boost::system::error_code file::identify(const struct statx& attributes) noexcept {
    switch (attributes.stx_mode & S_IFMT) {
        case S_IFREG:
            version_ = version_of(attributes);
            settled_ = is_settled(version_, on_.remote);
            watch_.reset(new (std::nothrow) version_watch(version_, attributes, on_.remote));
            return watch_ ? boost::system::error_code{} : system_error_code(ENOMEM);
        case S_IFBLK: {
            block_device_ = true;
            // The node's file system says nothing of the device's.
            on_ = {};
            version_.device =
                std::uint64_t{attributes.stx_rdev_major} << 32 | attributes.stx_rdev_minor;
            const auto error = tell_device(descriptor_, version_);
            settled_ = version_.instance != 0;
            return error;
        }
        case S_IFDIR:
            return system_error_code(EISDIR);
        default:
            return make_error_code(errc::not_regular);
    }
}

boost::system::error_code file::set_flags(const struct statx& attributes,
                                          bool allow_direct) noexcept {
    const int flags = ::fcntl(descriptor_, F_GETFL);
    if (flags < 0) {
        return system_error_code(errno);
    }
    const int buffered = flags & ~(O_NONBLOCK | O_DIRECT);
    const unsigned alignment = allow_direct ? direct_alignment(descriptor_, attributes) : 1;
    if (alignment > 1 && last_block_fits(size(), alignment) &&
        ::fcntl(descriptor_, F_SETFL, buffered | O_DIRECT) == 0) {
        alignment_.store(alignment, std::memory_order_relaxed);
        direct_may_block_ = !block_device_ && (attributes.stx_mask & STATX_DIOALIGN) == 0;
    } else if (::fcntl(descriptor_, F_SETFL, buffered) != 0) {
        return system_error_code(errno);
    }
    return {};
}

bool file::stop_direct() const noexcept {
    if (!direct()) {
        return false;
    }
    const int flags = ::fcntl(descriptor_, F_GETFL);
    if (flags < 0 || ::fcntl(descriptor_, F_SETFL, flags & ~O_DIRECT) != 0) {
        return false;
    }
    alignment_.store(1, std::memory_order_release);
    return true;
}

file::file() noexcept = default;

file::file(file&& other) noexcept {
    *this = std::move(other);
}

file& file::operator=(file&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = std::exchange(other.descriptor_, -1);
        alignment_.store(other.alignment(), std::memory_order_relaxed);
        direct_may_block_ = other.direct_may_block_;
        block_device_ = other.block_device_;
        settled_ = other.settled_;
        on_ = other.on_;
        closer_ = other.closer_;
        version_ = other.version_;
        watch_ = std::move(other.watch_);
    }
    return *this;
}

file::~file() {
    close();
}

void file::close() noexcept {
    if (descriptor_ < 0) {
        return;
    }
    if (closer_ != nullptr) {
        closer_(*this);
    } else {
        ::close(descriptor_);
    }
}

void file::set_name(int directory, std::string path) noexcept {
    if (watch_) {
        watch_->set_name(directory, std::move(path));
    }
}

void file::asked_at(time_point when) noexcept {
    if (watch_) {
        watch_->asked_at(when);
    }
}

std::optional<boost::system::error_code> file::check(backend& through) const noexcept {
    if (watch_) {
        version_watch::look unused;
        return watch_->check(through, descriptor_, unused);
    }
    file_version now = version_;
    if (const auto error = tell_device(descriptor_, now)) {
        return error;
    }
    return now == version_ ? boost::system::error_code{} : make_error_code(errc::file_changed);
}

}  // namespace leat::io
