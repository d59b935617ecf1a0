// Which file systems are remote, and which are read by threads.
#include <leat/io/detail/file_system.hpp>

#include <linux/magic.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace leat::io {

namespace {

// Not named by the headers of Linux 6.1.
constexpr long statmount_call = 457;
constexpr std::uint64_t superblock_basics = 1;  // STATMOUNT_SB_BASIC

struct mount_request {
    std::uint32_t size;
    std::uint32_t unused;
    std::uint64_t mount;
    std::uint64_t wanted;
};

/// The beginning of the kernel's answer.
struct mount_answer {
    std::uint32_t size;
    std::uint32_t unused;
    std::uint64_t given;
    std::uint32_t device_major;
    std::uint32_t device_minor;
    std::uint64_t type;
    std::uint32_t flags;
    std::uint32_t name;
};

// Those whose attributes nobody changes but this kernel. An overlay is not one: what lies below it
// may be anything.
constexpr std::array<std::uint32_t, 22> local_types{
    EXT4_SUPER_MAGIC,  XFS_SUPER_MAGIC,   BTRFS_SUPER_MAGIC,    F2FS_SUPER_MAGIC,
    TMPFS_MAGIC,       RAMFS_MAGIC,       HUGETLBFS_MAGIC,      PROC_SUPER_MAGIC,
    SYSFS_MAGIC,       SQUASHFS_MAGIC,    EROFS_SUPER_MAGIC_V1, ISOFS_SUPER_MAGIC,
    UDF_SUPER_MAGIC,   MSDOS_SUPER_MAGIC, EXFAT_SUPER_MAGIC,    REISERFS_SUPER_MAGIC,
    NILFS_SUPER_MAGIC, BDEVFS_MAGIC,
    0x3153464A,   // JFS
    0x7366746E,   // NTFS3
    0x2FC12FC1,   // ZFS
    0xCA451A4E};  // bcachefs

}  // namespace

file_system file_system::of_type(long type) noexcept {
    const auto known = static_cast<std::uint32_t>(type);
    const bool local =
        std::find(local_types.begin(), local_types.end(), known) != local_types.end();
    return {.read_by_threads = known == FUSE_SUPER_MAGIC || known == 0, .remote = !local};
}

std::optional<file_system> file_system::of(const struct statx& attributes) noexcept {
    if (!S_ISREG(attributes.stx_mode)) {
        return file_system{};  // a device is not read through the file system that names it
    }
    if ((attributes.stx_mask & unique_mount) != 0) {
        const mount_request request{sizeof request, 0, attributes.stx_mnt_id, superblock_basics};
        mount_answer answer{};
        if (::syscall(statmount_call, &request, &answer, sizeof answer, 0) == 0 &&
            (answer.given & superblock_basics) != 0) {
            return of_type(static_cast<long>(answer.type));
        }
    }
    // Kernels without statmount: what knows files that cannot be changed is a file system of a disk
    // or of memory, and neither FUSE nor one of a network.
    if ((attributes.stx_attributes_mask & STATX_ATTR_IMMUTABLE) != 0) {
        return file_system{};
    }
    return std::nullopt;
}

}  // namespace leat::io
