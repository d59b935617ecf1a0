// Looks files up by path, opens them, and notices replaced ones.
#include "open_files.hpp"

#include "http/file_answer.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

namespace leat::serve {

namespace {

constexpr std::chrono::seconds file_fresh_for{1};

/// Whether a later write might leave the same times: within a tick of the kernel's clock, which
/// stamps them, or two seconds where the file system counts seconds.
bool settled(const file_version& version) {
    using namespace std::chrono;
    constexpr std::int64_t second = 1'000'000'000;
    const bool whole = version.modified_ns % second == 0 && version.changed_ns % second == 0;
    const nanoseconds granule = whole ? nanoseconds{seconds{2}} : nanoseconds{milliseconds{10}};
    const nanoseconds now = system_clock::now().time_since_epoch();
    return now - nanoseconds{std::max(version.modified_ns, version.changed_ns)} > granule;
}

http::sys_seconds modified(const file_version& version) {
    using namespace std::chrono;
    return http::sys_seconds{floor<seconds>(nanoseconds{version.modified_ns})};
}

/// Whether what failed may be well at the next try, so that it is not to be remembered.
bool passes(const boost::system::error_code& failure) {
    if (failure.category() != boost::system::system_category()) return true;
    switch (failure.value()) {
        case ENOENT:
        case ENOTDIR:
        case EACCES:
        case EPERM:
        case ELOOP:
        case ENAMETOOLONG:
        case EXDEV:
            return false;
        default:
            return true;
    }
}

bool wants_descriptor(const boost::system::error_code& failure) {
    return failure == system_error_code(EMFILE) || failure == system_error_code(ENFILE);
}

/// What a path that cannot be opened is answered with. Where a link leads out of the root, the
/// answer is as if it were not there.
http::status status_of_open(const boost::system::error_code& failure) {
    if (failure == errc::not_regular) return http::status::not_found;
    if (failure.category() != boost::system::system_category())
        return http::status::service_unavailable;
    switch (failure.value()) {
        case ENOENT:
        case ENOTDIR:
        case ELOOP:
        case ENAMETOOLONG:
        case EXDEV:
        case ENXIO:
            return http::status::not_found;
        case EACCES:
        case EPERM:
            return http::status::forbidden;
        default:
            return http::status::service_unavailable;
    }
}

task<boost::system::error_code> open(chunk_manager& manager,
                                     const std::string& path,
                                     file& opened) try {
    opened = co_await manager.open(path);
    co_return boost::system::error_code{};
} catch (const boost::system::system_error& failure) {
    co_return failure.code();
}

}  // namespace

open_files::open_files(chunk_manager& manager,
                       const http::media_types& types,
                       etag_kind etag,
                       std::size_t most)
    : manager_(manager),
      types_(types),
      etag_(etag),
      most_(most),
      buckets_(std::bit_ceil(most + 1)),
      by_path_({buckets_.data(), buckets_.size()}) {}

open_files::~open_files() {
    by_use_.clear();
    by_path_.clear_and_dispose(std::default_delete<entry>{});
}

served_ref open_files::fresh(std::string_view path) noexcept {
    const auto found = by_path_.find(path);
    if (found == by_path_.end() || !found->present) return nullptr;
    if (this_shard().turn_time() - found->looked >= file_fresh_for) return nullptr;
    by_use_.splice(by_use_.end(), by_use_, by_use_.iterator_to(*found));
    return found->present;
}

std::vector<file_use> open_files::hottest(std::size_t most) const {
    std::vector<const entry*> files;
    for (const entry& one : by_use_) {
        if (one.present && one.present->is == served_file::kind::file) files.push_back(&one);
    }
    const auto end = files.begin() + static_cast<std::ptrdiff_t>(std::min(most, files.size()));
    std::partial_sort(files.begin(), end, files.end(), [](const entry* one, const entry* other) {
        return one->present->requests > other->present->requests;
    });
    std::vector<file_use> told;
    for (auto at = files.begin(); at != end; ++at)
        told.push_back({(*at)->path, (*at)->present->requests, (*at)->present->file.size()});
    return told;
}

task<served_ref> open_files::find(std::string path) {
    if (served_ref known = fresh(path)) co_return known;
    entry& at = entry_of(std::move(path));
    struct use {  // keeps the entry
        explicit use(entry& of) noexcept : of_(of) { ++of_.waiting; }
        ~use() { --of_.waiting; }
        entry& of_;
    } const used{at};
    if (!at.looking) co_return co_await look(at);
    co_await at.done.wait();
    if (at.present) co_return at.present;
    served_file failed;
    failed.refusal = http::status::service_unavailable;
    co_return new served_file{failed};
}

open_files::entry& open_files::entry_of(std::string path) {
    const auto found = by_path_.find(std::string_view{path});
    if (found != by_path_.end()) {
        by_use_.splice(by_use_.end(), by_use_, by_use_.iterator_to(*found));
        return *found;
    }
    drop(most_ - 1);
    auto made = std::make_unique<entry>(std::move(path));
    by_path_.insert(*made);
    by_use_.push_back(*made);
    return *made.release();
}

task<served_ref> open_files::look(entry& at) {
    struct ending {  // whatever happens, those who wait go on
        explicit ending(entry& of) noexcept : of_(of) { of_.looking = true; }
        ~ending() {
            of_.looking = false;
            of_.done.set();
            of_.done.reset();
        }
        entry& of_;
    } const end{at};
    ++looks_;
    leat::file opened;
    boost::system::error_code failure = co_await open(manager_, at.path, opened);
    if (wants_descriptor(failure)) {
        drop(by_path_.size() / 2);
        failure = co_await open(manager_, at.path, opened);
    }
    if (this_shard().stopping()) throw system_error({make_error_code(errc::stopped), {}});
    if (failure == system_error_code(EISDIR) || at.path.empty()) {
        auto* const folder = new served_file;
        folder->is = served_file::kind::folder;
        at.present = folder;
    } else if (failure && passes(failure)) {
        // Bytes that are warm are served, whatever there is too little of.
        if (at.present && at.present->is == served_file::kind::file && wants_descriptor(failure))
            co_return at.present;
        auto* const failed = new served_file;
        failed->refusal = status_of_open(failure);
        at.present = failed;
        at.looked = {};
        co_return at.present;
    } else if (failure) {
        auto* const absent = new served_file;
        absent->refusal = status_of_open(failure);
        at.present = absent;
    } else {
        at.present = made(at, std::move(opened));
    }
    at.looked = this_shard().now();
    co_return at.present;
}

served_ref open_files::made(const entry& at, leat::file opened) const {
    const file_version version = opened.version();
    const served_file* const known = at.present.get();
    const bool same = known != nullptr && known->is == served_file::kind::file &&
                      known->file.id() == opened.id() && known->file.size() == opened.size();
    if (same && !known->validators.tag.weak()) return at.present;
    auto* const result = new served_file;
    const served_ref kept{result};
    result->is = served_file::kind::file;
    if (known != nullptr) result->requests = known->requests;
    result->validators.tag =
        etag_ == etag_kind::version
            ? http::entity_tag::of(version, settled(version))
            : http::entity_tag::of(version.size, version.modified_ns, settled(version));
    result->validators.modified = modified(version);
    result->content_type = types_.of(at.path);
    result->prepared = http::prepare_fields({.size = opened.size(),
                                             .file = result->validators,
                                             .content_type = result->content_type,
                                             .cache_status = {},
                                             .prepared = {}},
                                            {}, http::present());
    result->file = std::move(opened);
    return kept;
}

void open_files::forget(const served_file& file) noexcept {
    for (entry& one : by_use_) {
        if (one.present.get() == &file) one.looked = {};
    }
}

void open_files::drop(std::size_t most) noexcept {
    auto at = by_use_.begin();
    while (by_path_.size() > most && at != by_use_.end()) {
        entry& one = *at++;
        if (one.waiting != 0) continue;
        by_use_.erase(by_use_.iterator_to(one));
        by_path_.erase_and_dispose(by_path_.iterator_to(one), std::default_delete<entry>{});
    }
}

}  // namespace leat::serve
