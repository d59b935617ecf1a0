#include <leat/io/file.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

namespace leat::io {

namespace {

// Direct I/O where the file system does not tell its alignment: no device's blocks are larger.
constexpr unsigned assumed_alignment = 4096;
constexpr unsigned largest_alignment = 65536;

std::uint64_t device_number(std::uint32_t major, std::uint32_t minor) noexcept {
    return std::uint64_t{major} << 32 | minor;
}

// Wraps around where a file system tells an absurd time: different times then still differ.
std::int64_t nanoseconds(const statx_timestamp& time) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
                                     time.tv_nsec);
}

identity identity_of(const struct statx& attributes) noexcept {
    return {device_number(attributes.stx_dev_major, attributes.stx_dev_minor), attributes.stx_ino,
            attributes.stx_size, nanoseconds(attributes.stx_mtime),
            nanoseconds(attributes.stx_ctime)};
}

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

}  // namespace

open_how file::how_to_open(bool beneath) noexcept {
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    how.resolve = beneath ? RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS : 0;
    return how;
}

boost::system::result<file> file::adopt(int descriptor,
                                        const struct statx& attributes,
                                        bool allow_direct) noexcept {
    file adopted;
    adopted.descriptor_ = descriptor;
    switch (attributes.stx_mode & S_IFMT) {
        case S_IFREG:
            adopted.version_ = identity_of(attributes);
            break;
        case S_IFBLK:
            adopted.block_device_ = true;
            adopted.version_.device =
                device_number(attributes.stx_rdev_major, attributes.stx_rdev_minor);
            if (::ioctl(descriptor, BLKGETSIZE64, &adopted.version_.size) != 0) {
                return system_error_code(errno);
            }
            break;
        case S_IFDIR:
            return system_error_code(EISDIR);
        default:
            return make_error_code(errc::not_regular);
    }
    const int flags = ::fcntl(descriptor, F_GETFL);
    if (flags < 0) {
        return system_error_code(errno);
    }
    const int buffered = flags & ~(O_NONBLOCK | O_DIRECT);
    const unsigned alignment = allow_direct ? direct_alignment(descriptor, attributes) : 1;
    if (alignment > 1 && ::fcntl(descriptor, F_SETFL, buffered | O_DIRECT) == 0) {
        adopted.alignment_ = alignment;
        adopted.may_block_ = !adopted.block_device_ && (attributes.stx_mask & STATX_DIOALIGN) == 0;
    } else if (::fcntl(descriptor, F_SETFL, buffered) != 0) {
        return system_error_code(errno);
    }
    return adopted;
}

file::file(file&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      alignment_(other.alignment_),
      may_block_(other.may_block_),
      block_device_(other.block_device_),
      version_(other.version_) {}

file& file::operator=(file&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = std::exchange(other.descriptor_, -1);
        alignment_ = other.alignment_;
        may_block_ = other.may_block_;
        block_device_ = other.block_device_;
        version_ = other.version_;
    }
    return *this;
}

file::~file() {
    close();
}

void file::close() noexcept {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

boost::system::error_code file::check(backend& through) const noexcept {
    if (block_device_) {
        return {};
    }
    struct statx attributes{};
    const int result = through.stat_cached(descriptor_, stat_mask & ~STATX_DIOALIGN, attributes);
    if (result < 0) {
        return system_error_code(-result);
    }
    identity now = identity_of(attributes);
    now.changed_ns = version_.changed_ns;  // links and renames change it too, and the bytes stay
    return now == version_ ? boost::system::error_code{} : make_error_code(errc::file_changed);
}

}  // namespace leat::io
