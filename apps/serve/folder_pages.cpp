// Reads folders and writes their pages beside the shards.
#include "folder_pages.hpp"

#include "folder_entries.hpp"
#include "http/directory_listing.hpp"

#include <leat/engine/error.hpp>
#include <leat/engine/shard.hpp>

#include <boost/system/system_error.hpp>

#include <cerrno>
#include <utility>

namespace leat::serve {

namespace {

constexpr std::chrono::seconds period{1};

/// More names make a page that no browser shows in time.
constexpr std::size_t most_names = 10'000;

http::status status_of(const boost::system::error_code& failure) {
    if (!failure) return http::status::ok;
    if (failure == system_error_code(EACCES)) return http::status::forbidden;
    if (failure == system_error_code(ENOENT) || failure == system_error_code(ENOTDIR))
        return http::status::not_found;
    return http::status::service_unavailable;
}

bool is_old(io::time_point looked) {
    return this_shard().turn_time() - looked >= period;
}

}  // namespace

folder_pages::folder_pages(const server_options& options,
                           page_memory& memory,
                           offload_pool& helpers)
    : options_(options), memory_(memory), helpers_(helpers) {}

task<folder_pages::found> folder_pages::find(std::string path, bool wanted) {
    const auto known = by_path_.find(path);
    const bool is_known = known != by_path_.end();
    if (is_known && !known->second->looking && !is_old(known->second->looked))
        co_return known->second->last;
    if (!wanted) {
        auto open = [&] { return folder_is_readable(options_.root, path); };
        const boost::system::error_code failure = co_await offload(helpers_, open);
        co_return found{status_of(failure)};
    }
    entry& at = is_known ? *known->second
                         : *by_path_.emplace(path, std::make_unique<entry>()).first->second;
    struct use {  // keeps the entry
        explicit use(entry& of) noexcept : of_(of) { ++of_.waiting; }
        use(const use&) = delete;
        use& operator=(const use&) = delete;
        ~use() { --of_.waiting; }
        entry& of_;
    } const used{at};
    kept_.set();
    if (!at.looking) co_return co_await look(path, at);
    co_await at.done.wait();
    co_return at.last;
}

task<folder_pages::found> folder_pages::look(const std::string& path, entry& at) {
    struct ending {  // whatever happens, those who wait go on
        explicit ending(entry& of) noexcept : of_(of) {
            of_.looking = true;
            of_.last = {http::status::service_unavailable};
        }
        ending(const ending&) = delete;
        ending& operator=(const ending&) = delete;
        ~ending() {
            of_.looking = false;
            of_.done.set();
            of_.done.reset();
        }
        entry& of_;
    } const end{at};
    if (memory_.full()) drop_unsent();
    at.last = co_await make_page(path);
    // What there was no room for may be well at the next try.
    const bool passes = at.last.status == http::status::service_unavailable;
    at.looked = passes ? io::time_point{} : this_shard().now();
    co_return at.last;
}

task<folder_pages::found> folder_pages::make_page(const std::string& path) {
    found made;
    boost::system::error_code failure;
    auto read_and_write = [&] {
        auto listed = folder_entries(options_.root, path, options_.dotfiles, most_names);
        failure = listed.error();
        if (failure) return;
        auto page = std::make_shared<folder_page>();
        page->html = http::directory_listing(path, std::move(listed->entries), listed->all);
        page->counted = memory_.take(page->html.size());
        if (page->counted) made.page = std::move(page);
    };
    try {
        if (!memory_.full()) co_await offload(helpers_, read_and_write);
    } catch (const boost::system::system_error& failed) {
        failure = failed.code();
    }
    made.status = failure || made.page ? status_of(failure) : http::status::service_unavailable;
    co_return made;
}

task<> folder_pages::any_kept() {
    co_await kept_.wait();
}

void folder_pages::drop_old() noexcept {
    std::erase_if(by_path_, [](const auto& one) {
        return one.second->waiting == 0 && is_old(one.second->looked);
    });
    if (by_path_.empty()) kept_.reset();
}

// Those that nobody else has.
void folder_pages::drop_unsent() noexcept {
    std::erase_if(by_path_, [](const auto& one) {
        return one.second->waiting == 0 && one.second->last.page.use_count() == 1;
    });
}

}  // namespace leat::serve
