// The pages that list folders, each made once for all who ask at a time.
#pragma once

#include "http/status.hpp"
#include "page_memory.hpp"
#include "server_options.hpp"

#include <leat/engine/manual_reset_event.hpp>
#include <leat/engine/offload.hpp>
#include <leat/engine/task.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

namespace leat::serve {

/// A page, shared by those to whom it is sent.
struct folder_page {
    std::string html;
    page_memory::share counted;
};

/// Pages of folders. A folder is read at most once a second, by one task however many ask: reading
/// a large one and writing its page takes long, and happens on threads of `helpers`.
///
/// A page is kept for about a second, and for as long as it is being sent; all of them together
/// have the room of `memory`, and where there is none the answer is to try again.
///
/// Of one shard; the pages may be used on any.
class folder_pages {
public:
    struct found {
        http::status status = http::status::ok;
        std::shared_ptr<const folder_page> page{};  ///< null: none was asked for, or there is none
    };

    /// All of them must outlive it.
    folder_pages(const server_options& options, page_memory& memory, offload_pool& helpers);
    folder_pages(const folder_pages&) = delete;
    folder_pages& operator=(const folder_pages&) = delete;

    /// The page of the folder `path` below the root, or how to refuse. Unless it is `wanted`, for a
    /// HEAD, none is made: only one that is there already is given. Throws errc::stopped and
    /// std::bad_alloc.
    [[nodiscard]] task<found> find(std::string path, bool wanted);
    /// Until there is a page that drop_old() may drop. Throws errc::stopped.
    [[nodiscard]] task<> any_kept();
    /// Drops the pages that are no answer to new requests any more.
    void drop_old() noexcept;

private:
    struct entry {
        found last{};
        io::time_point looked{};
        bool looking = false;
        unsigned waiting = 0;
        manual_reset_event done;
    };
    [[nodiscard]] task<found> look(const std::string& path, entry& at);
    [[nodiscard]] task<found> make_page(const std::string& path);
    void drop_unsent() noexcept;

    const server_options& options_;
    page_memory& memory_;
    offload_pool& helpers_;
    std::unordered_map<std::string, std::unique_ptr<entry>> by_path_;
    manual_reset_event kept_;
};

}  // namespace leat::serve
