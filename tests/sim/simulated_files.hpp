// A file system of made-up files, with descriptors of its own.
#pragma once

#include "random.hpp"

#include <leat/io/file.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace leat::sim {

/// A file's bytes are a function of its number, its version and their offset, and its times tell
/// its version: so every piece of it checks itself against the version it was opened with.
struct simulated_file {
    std::uint64_t number = 0;
    std::uint64_t size = 0;
    std::uint64_t version = 1;  ///< of the bytes; the mtime
    std::uint64_t changes = 1;  ///< of anything; the ctime
    std::uint64_t touched = 0;  ///< the ctime of the last touch()
    std::uint32_t links = 1;
    unsigned alignment = 1;  ///< of direct reads; 1: it has none
    bool tells_alignment = true;
};

/// What names, descriptors and files there are. Descriptors begin far above the kernel's; close()
/// and fcntl() of the code under test come here by way of the linker.
class simulated_files {
public:
    static constexpr int first_descriptor = 1 << 20;

    /// Makes or replaces the file of this name, as rename(2) does; who has it open keeps the old.
    simulated_file& create(const std::string& name,
                           std::uint64_t size,
                           unsigned alignment,
                           bool tells_alignment);
    void unlink(const std::string& name);
    /// The file of this name, or nullptr.
    [[nodiscard]] simulated_file* named(const std::string& name);
    /// Other bytes, and another size, in place.
    static void rewrite(simulated_file& file, std::uint64_t size) noexcept;
    /// One more name, which nobody uses: the bytes stay, the ctime does not.
    static void link(simulated_file& file) noexcept;
    /// Another ctime only, as by chmod, or by a rewrite whose author sets the mtime back: nothing
    /// tells one from the other.
    static void touch(simulated_file& file) noexcept { file.touched = ++file.changes; }
    [[nodiscard]] simulated_file* numbered(std::uint64_t number);

    [[nodiscard]] int open(simulated_file& file);
    /// 0, or -EBADF.
    [[nodiscard]] int close(int descriptor);
    /// The open file, or nullptr.
    [[nodiscard]] simulated_file* at(int descriptor) noexcept;
    [[nodiscard]] std::size_t open_descriptors() const noexcept;

    /// Whether it is open for direct reads; only where the file has them.
    [[nodiscard]] bool direct(int descriptor) const noexcept;
    [[nodiscard]] bool set_direct(int descriptor, bool on) noexcept;

    /// Reads in flight: closing a descriptor then is an error of the code under test.
    void read_begins(int descriptor) noexcept;
    void read_ends(int descriptor) noexcept;

    static void fill(struct statx& out, const simulated_file& file) noexcept;
    static void copy(const simulated_file& file,
                     std::uint64_t offset,
                     std::span<std::byte> to) noexcept;
    /// Whether `bytes` are those at `offset` of the version that `opened` names.
    [[nodiscard]] static bool match(std::span<const std::byte> bytes,
                                    const io::file_version& opened,
                                    std::uint64_t offset) noexcept;

private:
    struct slot {
        std::shared_ptr<simulated_file> file;
        unsigned reads = 0;
        bool direct = false;
    };
    [[nodiscard]] slot& slot_of(int descriptor) {
        return slots_[static_cast<std::size_t>(descriptor - first_descriptor)];
    }

    std::map<std::string, std::shared_ptr<simulated_file>> names_;
    std::vector<std::shared_ptr<simulated_file>> all_;  ///< by number, from 1 on
    std::vector<slot> slots_;
};

}  // namespace leat::sim
