// Reads a folder.
#include "folder_entries.hpp"

#include "common/descriptor.hpp"

#include <leat/io/error.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace leat::serve {

namespace {

using apps::descriptor;

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

/// The root and a folder below it, open.
struct open_folder {
    descriptor root;
    descriptor folder;
};

boost::system::result<open_folder> open_both(const std::string& root, const std::string& path) {
    descriptor top{::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (top.get() < 0) return system_error_code(errno);
    descriptor opened{
        open_beneath(top.get(), path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY)};
    if (opened.get() < 0) return system_error_code(errno);
    return open_folder{std::move(top), std::move(opened)};
}

/// The first names of a folder.
struct first_names {
    std::vector<std::string> names;  ///< a heap, the last of them at its front
    bool all = true;

    void add(std::string_view name, std::size_t most) {
        if (names.size() == most) {
            all = false;
            if (name >= names.front()) return;
            std::pop_heap(names.begin(), names.end());
            names.pop_back();
        }
        names.emplace_back(name);
        std::push_heap(names.begin(), names.end());
    }
};

boost::system::result<first_names> read_names(DIR* folder, bool dotfiles, std::size_t most) {
    first_names found;
    for (;;) {
        errno = 0;
        const dirent* const next = ::readdir(folder);
        if (next == nullptr && errno != 0) return system_error_code(errno);
        if (next == nullptr) return found;
        const std::string_view name{next->d_name};
        if (name == "." || name == ".." || (name.starts_with('.') && !dotfiles)) continue;
        found.add(name, most);
    }
}

}  // namespace

boost::system::result<listed_folder> folder_entries(const std::string& root,
                                                    const std::string& path,
                                                    bool dotfiles,
                                                    std::size_t most) {
    auto opened = open_both(root, path);
    if (!opened) return opened.error();
    const std::unique_ptr<DIR, closing> folder{::fdopendir(opened->folder.get())};
    if (!folder) return system_error_code(errno);
    const int number = opened->folder.release();  // which is the stream's now
    auto first = read_names(folder.get(), dotfiles, most);
    if (!first) return first.error();
    listed_folder listed{.entries = {}, .all = first->all};
    for (std::string& name : first->names) {
        http::directory_entry entry;
        entry.name = std::move(name);
        if (describe(opened->root.get(), number, path, entry))
            listed.entries.push_back(std::move(entry));
    }
    return listed;
}

boost::system::error_code folder_is_readable(const std::string& root, const std::string& path) {
    return open_both(root, path).error();
}

}  // namespace leat::serve
