// Compares attributes with those at opening, and explains a change of the ctime alone.
#include "version_watch.hpp"

#include <leat/io/detail/file_system.hpp>
#include <leat/io/error.hpp>

#include <chrono>
#include <utility>

namespace leat::io {

namespace {

constexpr std::chrono::seconds update_interval{1};

// Wraps around where a file system tells an absurd time: different times then still differ.
std::int64_t nanoseconds(const statx_timestamp& time) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
                                     time.tv_nsec);
}

}  // namespace

file_version version_of(const struct statx& attributes) noexcept {
    file_version told;
    told.device = std::uint64_t{attributes.stx_dev_major} << 32 | attributes.stx_dev_minor;
    told.inode = attributes.stx_ino;
    told.size = attributes.stx_size;
    told.modified_ns = nanoseconds(attributes.stx_mtime);
    told.changed_ns = nanoseconds(attributes.stx_ctime);
    if ((attributes.stx_mask & file_system::unique_mount) != 0) {
        told.instance = attributes.stx_mnt_id;
    }
    return told;
}

version_watch::version_watch(const file_version& opened,
                             const struct statx& attributes,
                             bool remote) noexcept
    : opened_(opened),
      remote_(remote),
      changed_ns_(opened.changed_ns),
      links_(attributes.stx_nlink) {}

void version_watch::set_name(int directory, std::string path) noexcept {
    directory_ = directory;
    path_ = std::move(path);
}

bool version_watch::update_is_due(time_point now) noexcept {
    if (!remote_) {
        return false;
    }
    time_point last = updated_.load(std::memory_order_relaxed);
    return (last == time_point::min() || now - last >= update_interval) &&
           updated_.compare_exchange_strong(last, now, std::memory_order_relaxed);
}

bool version_watch::is_file(const struct statx& attributes) const noexcept {
    const file_version other = version_of(attributes);
    return other.device == opened_.device && other.inode == opened_.inode;
}

std::optional<boost::system::error_code> version_watch::check(backend& through,
                                                              int descriptor,
                                                              look& seen) noexcept {
    for (;;) {
        seen = begin();
        struct statx now{};
        const int result = through.stat_cached(descriptor, stat_mask, now);
        if (result < 0) {
            return system_error_code(-result);
        }
        switch (compare(now, seen)) {
            case finding::same:
                return boost::system::error_code{};
            case finding::changed:
                return make_error_code(errc::file_changed);
            case finding::unexplained:
                return std::nullopt;
            case finding::outdated:
                break;
        }
    }
}

version_watch::finding version_watch::compare(const struct statx& now, look& begun) noexcept {
    file_version seen = version_of(now);
    begun.changed_ns = std::exchange(seen.changed_ns, opened_.changed_ns);
    seen.instance = opened_.instance;  // a descriptor stays on its mount
    if (changed_.load(std::memory_order_relaxed) || seen != opened_) {
        changed_.store(true, std::memory_order_relaxed);
        return finding::changed;
    }
    if (begun.changed_ns == changed_ns_.load(std::memory_order_relaxed)) {
        return finding::same;
    }
    const std::lock_guard lock(mutex_);
    if (begun.explained != explained_.load(std::memory_order_relaxed)) {
        return finding::outdated;
    }
    if (now.stx_nlink == links_) {
        return finding::unexplained;
    }
    links_ = now.stx_nlink;
    accept(begun);
    return finding::same;
}

version_watch::finding version_watch::explain(const look& begun, bool name_gives_it) noexcept {
    const std::lock_guard lock(mutex_);
    if (begun.explained != explained_.load(std::memory_order_relaxed)) {
        return finding::outdated;
    }
    if (name_gives_it == std::exchange(name_gives_it_, name_gives_it)) {
        changed_.store(true, std::memory_order_relaxed);
        return finding::changed;
    }
    accept(begun);
    return finding::same;
}

void version_watch::accept(const look& explained) noexcept {
    changed_ns_.store(explained.changed_ns, std::memory_order_relaxed);
    explained_.fetch_add(1, std::memory_order_release);
}

}  // namespace leat::io
