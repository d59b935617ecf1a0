// Reads folders and writes their pages beside the shards.
#include "folder_pages.hpp"

#include "folder_entries.hpp"
#include "http/directory_listing.hpp"

#include <leat/engine/error.hpp>
#include <leat/engine/shard.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_scope.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/system/system_error.hpp>

#include <cerrno>
#include <exception>
#include <utility>

namespace leat::serve {

namespace {

constexpr std::chrono::seconds folder_fresh_for{1};

/// More names make a page that no browser shows in time.
constexpr std::size_t most_names = 10'000;

http::status status_of_listing(const boost::system::error_code& failure) {
    if (!failure) return http::status::ok;
    if (failure == system_error_code(EACCES)) return http::status::forbidden;
    if (failure == system_error_code(ENOENT) || failure == system_error_code(ENOTDIR))
        return http::status::not_found;
    return http::status::service_unavailable;
}

bool is_old(io::time_point looked) {
    return this_shard().turn_time() - looked >= folder_fresh_for;
}

}  // namespace

folder_pages::folder_pages(const server_options& options,
                           page_memory& memory,
                           offload_pool& helpers)
    : options_(options), memory_(memory), helpers_(helpers) {}

// Keeps an entry.
class folder_pages::use {
public:
    explicit use(entry& of) noexcept : of_(of) { ++of_.uses; }
    use(const use&) = delete;
    use& operator=(const use&) = delete;
    ~use() { --of_.uses; }

private:
    entry& of_;
};

task<folder_pages::found> folder_pages::find(std::string path, bool wanted) {
    auto known = by_path_.find(path);
    if (known == by_path_.end()) known = by_path_.emplace(path, std::make_unique<entry>()).first;
    entry& at = *known->second;
    const use used{at};
    kept_.set();
    if (!at.looking && !is_old(at.looked) && at.tells(wanted)) co_return at.last;
    const io::time_point until = this_shard().after(patience);
    bool begun_before = false;
    do {
        begun_before = at.looking;
        if (!at.looking) {
            if (looks_ == nullptr) co_return found{http::status::service_unavailable};
            looks_->spawn(look(path, at, wanted));
            at.looking = true;
        }
        bool late = false;
        try {
            co_await with_timeout(at.done.wait(), until - this_shard().now());
        } catch (const boost::system::system_error& failure) {
            if (failure.code() != errc::timed_out) throw;
            late = true;
        }
        if (late) co_return found{http::status::service_unavailable};
    } while (begun_before && !at.tells(wanted));
    co_return at.last;
}

task<> folder_pages::look(std::string path, entry& at, bool wanted) {
    struct ending {  // whatever happens, those who wait go on
        explicit ending(entry& of) noexcept : of_(of) {}
        ending(const ending&) = delete;
        ending& operator=(const ending&) = delete;
        ~ending() {
            of_.looking = false;
            of_.done.set();
            of_.done.reset();
        }
        entry& of_;
    };
    const use used{at};
    const ending end{at};
    at.last = {http::status::service_unavailable};
    at.looked = {};
    try {
        if (memory_.full()) drop_unsent();
        at.last = co_await read(path, wanted);
    } catch (const std::exception&) {  // want of memory, or the end
    }
    // What there was no room for may be well at the next try.
    if (at.last.status != http::status::service_unavailable) at.looked = this_shard().now();
}

task<folder_pages::found> folder_pages::read(const std::string& path, bool wanted) {
    if (!wanted) {
        auto open = [&] { return folder_is_readable(options_.root, path); };
        const boost::system::error_code failure = co_await offload(helpers_, open);
        co_return found{status_of_listing(failure)};
    }
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
    if (!memory_.full()) co_await offload(helpers_, read_and_write);
    made.status =
        failure || made.page ? status_of_listing(failure) : http::status::service_unavailable;
    co_return made;
}

task<> folder_pages::run() {
    struct reading {
        reading(folder_pages& of, scope& looks) noexcept : of_(of) { of_.looks_ = &looks; }
        reading(const reading&) = delete;
        reading& operator=(const reading&) = delete;
        ~reading() { of_.looks_ = nullptr; }
        folder_pages& of_;
    };
    const auto body = [this](scope& looks) -> task<> {
        const reading now{*this, looks};
        for (;;) {
            co_await kept_.wait();
            co_await leat::sleep(std::chrono::seconds{1});
            drop_old();
        }
    };
    co_await with_scope(body);
}

void folder_pages::drop_old() noexcept {
    std::erase_if(by_path_, [](const auto& one) {
        return one.second->uses == 0 && is_old(one.second->looked);
    });
    if (by_path_.empty()) kept_.reset();
}

// Those that nobody else has.
void folder_pages::drop_unsent() noexcept {
    std::erase_if(by_path_, [](const auto& one) {
        return one.second->uses == 0 && one.second->last.page.use_count() == 1;
    });
}

}  // namespace leat::serve
