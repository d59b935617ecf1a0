// Reads a folder.
#include "folder_entries.hpp"

#include <leat/io/error.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace leat::serve {

namespace {

class descriptor {
public:
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int get() const noexcept { return number_; }

private:
    int number_;
};

int open_beneath(int folder, const char* path, std::uint64_t flags) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how));
}

struct closing {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

/// Fills in what `entry` is, through a link that stays below the root; false if it is nothing to
/// list.
bool describe(int root, int folder, const std::string& path, http::directory_entry& entry) {
    struct stat found{};
    if (::fstatat(folder, entry.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return false;
    if (S_ISLNK(found.st_mode)) {
        const std::string whole = path.empty() ? entry.name : path + '/' + entry.name;
        const descriptor target{open_beneath(root, whole.c_str(), O_PATH)};
        if (target.get() < 0 || ::fstat(target.get(), &found) != 0) return false;
    }
    entry.is_folder = S_ISDIR(found.st_mode);
    entry.size = static_cast<std::uint64_t>(found.st_size);
    entry.modified = http::sys_seconds{std::chrono::seconds{found.st_mtim.tv_sec}};
    return entry.is_folder || S_ISREG(found.st_mode);
}

}  // namespace

boost::system::result<std::vector<http::directory_entry>> folder_entries(const std::string& root,
                                                                         const std::string& path,
                                                                         bool dotfiles) {
    const descriptor top{::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (top.get() < 0) return system_error_code(errno);
    const int opened =
        open_beneath(top.get(), path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY);
    if (opened < 0) return system_error_code(errno);
    const std::unique_ptr<DIR, closing> folder{::fdopendir(opened)};
    if (!folder) {
        const int error = errno;
        ::close(opened);
        return system_error_code(error);
    }
    std::vector<http::directory_entry> entries;
    for (;;) {
        errno = 0;
        const dirent* const next = ::readdir(folder.get());
        if (next == nullptr && errno != 0) return system_error_code(errno);
        if (next == nullptr) return entries;
        const std::string_view name{next->d_name};
        if (name == "." || name == ".." || (name.starts_with('.') && !dotfiles)) continue;
        http::directory_entry entry;
        entry.name = name;
        if (describe(top.get(), opened, path, entry)) entries.push_back(std::move(entry));
    }
}

}  // namespace leat::serve
