// Looks through /proc for the epoll descriptor that watches another.
#include <leat/engine/detail/epoll_instance.hpp>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace leat::detail {

namespace {
bool watches(const std::string& number, int descriptor) {
    std::ifstream lines{"/proc/self/fdinfo/" + number};
    std::string word;
    while (lines >> word) {
        int target = -1;
        if (word == "tfd:" && lines >> target && target == descriptor) return true;
    }
    return false;
}
}  // namespace

std::vector<int> epoll_instances_with(int descriptor) {
    std::vector<int> found;
    std::error_code ignored;
    // Incremented by hand: a descriptor that closes meanwhile must not end the walk by an
    // exception.
    for (std::filesystem::directory_iterator entry{"/proc/self/fd", ignored}, end;
         !ignored && entry != end; entry.increment(ignored)) {
        const std::string number = entry->path().filename().string();
        std::error_code closed;
        const auto what = std::filesystem::read_symlink(entry->path(), closed);
        if (closed || what.string() != "anon_inode:[eventpoll]" || !watches(number, descriptor))
            continue;
        int epoll = -1;
        std::from_chars(number.data(), number.data() + number.size(), epoll);
        found.push_back(epoll);
    }
    return found;
}

}  // namespace leat::detail
