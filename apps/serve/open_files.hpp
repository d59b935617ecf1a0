// The files that a shard keeps open, by their paths.
#pragma once

#include "http/media_types.hpp"
#include "served_file.hpp"
#include "server_options.hpp"
#include "shard_report.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/engine/manual_reset_event.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/unordered_set.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leat::serve {

/// Files by path, names that are absent and folders among them, those used last. Each is looked at
/// again at most once a second, by one task however many ask: so a request for a warm file opens
/// nothing, and one that has been replaced is noticed within a second.
///
/// Of one shard. Answers hold what they serve, so that what is dropped here, or replaced, stays
/// good for them.
class open_files {
public:
    /// `manager` and `types` must outlive it.
    open_files(chunk_manager& manager,
               const http::media_types& types,
               etag_kind etag,
               std::size_t most);
    open_files(const open_files&) = delete;
    open_files& operator=(const open_files&) = delete;
    ~open_files();

    /// What `path` names, if it has been looked at within the last second; else nothing.
    [[nodiscard]] served_ref fresh(std::string_view path) noexcept;
    /// The same, looking at it if need be. Throws leat::system_error only when a stop is requested,
    /// and std::bad_alloc.
    [[nodiscard]] task<served_ref> find(std::string path);
    /// Looks again the next time, since its bytes have changed.
    void forget(const served_file& file) noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return by_path_.size(); }
    /// Those asked for most since they are open, at most `most`, the first one most.
    [[nodiscard]] std::vector<file_use> hottest(std::size_t most) const;
    /// Times that a path was looked at.
    [[nodiscard]] std::uint64_t looks() const noexcept { return looks_; }

private:
    struct entry : boost::intrusive::unordered_set_base_hook<>, boost::intrusive::list_base_hook<> {
        explicit entry(std::string named) : path(std::move(named)) {}
        const std::string path;
        served_ref present;
        io::time_point looked{};
        bool looking = false;
        unsigned waiting = 0;
        manual_reset_event done;
    };
    struct path_of {
        using type = std::string_view;
        type operator()(const entry& one) const noexcept { return one.path; }
    };
    using table =
        boost::intrusive::unordered_set<entry,
                                        boost::intrusive::key_of_value<path_of>,
                                        boost::intrusive::hash<std::hash<std::string_view>>,
                                        boost::intrusive::equal<std::equal_to<>>,
                                        boost::intrusive::power_2_buckets<true>>;

    entry& entry_of(std::string path);
    [[nodiscard]] task<served_ref> look(entry& at);
    [[nodiscard]] served_ref made(const entry& at, leat::file opened) const;
    void drop(std::size_t most) noexcept;

    chunk_manager& manager_;
    const http::media_types& types_;
    const etag_kind etag_;
    const std::size_t most_;
    std::vector<table::bucket_type> buckets_;
    table by_path_;
    boost::intrusive::list<entry> by_use_;  // the last one used is the last
    std::uint64_t looks_ = 0;
};

}  // namespace leat::serve
