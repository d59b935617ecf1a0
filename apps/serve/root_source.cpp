// Opens and reads files below a folder, and follows the folder's name.
#include "root_source.hpp"

#include <leat/engine/shard.hpp>

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

namespace leat::serve {

class root_source::folder {
public:
    explicit folder(std::string path)
        : path_(std::move(path)), source_(std::make_shared<file_source>(path_)) {
        remember();
    }
    /// The folder that bears the name now; looked at once a second by whoever comes first.
    [[nodiscard]] std::shared_ptr<file_source> present(io::time_point now) {
        constexpr std::chrono::seconds period{1};
        std::int64_t looked = looked_.load(std::memory_order_relaxed);
        const std::int64_t time = now.time_since_epoch().count();
        const std::int64_t due = looked + io::clock::duration{period}.count();
        const bool mine = (looked == 0 || time >= due) &&
                          looked_.compare_exchange_strong(looked, time, std::memory_order_relaxed);
        const std::lock_guard lock{mutex_};
        if (mine) follow();
        return source_;
    }

private:
    bool remember() noexcept {
        struct stat seen{};
        if (::stat(path_.c_str(), &seen) != 0) return false;
        const bool same = device_ == seen.st_dev && inode_ == seen.st_ino;
        device_ = seen.st_dev;
        inode_ = seen.st_ino;
        return !same;
    }
    void follow() noexcept try {
        if (remember()) source_ = std::make_shared<file_source>(path_);
    } catch (const std::exception&) {
        inode_ = 0;  // it is to be tried again
    }

    const std::string path_;
    std::atomic<std::int64_t> looked_{0};  // ticks of io::clock
    std::mutex mutex_;                     // the members below
    std::shared_ptr<file_source> source_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

root_source::root_source(std::string path) : folder_(std::make_shared<folder>(std::move(path))) {}

task<root_source::file_type> root_source::open(std::string name) {
    std::shared_ptr<file_source> from = folder_->present(this_shard().turn_time());
    io::file opened = co_await from->open(std::move(name));
    co_return file_type{std::move(from), std::move(opened)};
}

task<std::size_t> root_source::read(const file_type& file,
                                    std::uint64_t offset,
                                    std::span<std::byte> buffer,
                                    priority urgency) {
    return file.from->read(file.opened, offset, buffer, urgency);
}

task<std::size_t> root_source::read(const file_type& file,
                                    std::uint64_t offset,
                                    std::span<const std::span<std::byte>> buffers,
                                    priority urgency) {
    return file.from->read(file.opened, offset, buffers, urgency);
}

}  // namespace leat::serve
