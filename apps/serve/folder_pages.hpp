// The pages that list folders, each made once for all who ask at a time.
#pragma once

#include "http/status.hpp"
#include "page_memory.hpp"
#include "server_options.hpp"

#include <leat/engine/manual_reset_event.hpp>
#include <leat/engine/offload.hpp>
#include <leat/engine/scope.hpp>
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
/// a large one and writing its page takes long, and happens on threads of `helpers`. Of a file
/// system that does not answer each folder holds one of the threads, and nobody waits for it longer
/// than `patience`.
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
    static constexpr std::chrono::seconds patience{5};

    /// All of them must outlive it.
    folder_pages(const server_options& options, page_memory& memory, offload_pool& helpers);
    folder_pages(const folder_pages&) = delete;
    folder_pages& operator=(const folder_pages&) = delete;

    /// The page of the folder `path` below the root, or how to refuse. Unless it is `wanted`, for a
    /// HEAD, none is made: only one that is there already is given. Throws errc::stopped and
    /// std::bad_alloc.
    [[nodiscard]] task<found> find(std::string path, bool wanted);
    /// Reads the folders that find() asks for, and drops the pages that are no answer to new
    /// requests any more, until a stop is requested: throws errc::stopped.
    [[nodiscard]] task<> run();

private:
    struct entry {
        found last{};
        io::time_point looked{};
        bool looking = false;
        unsigned uses = 0;  ///< tasks that need it
        manual_reset_event done;

        /// Whether `last` is all that is asked for.
        [[nodiscard]] bool tells(bool wanted) const noexcept {
            return !wanted || last.page || last.status != http::status::ok;
        }
    };
    class use;
    /// Sets `at.last`, and at.done in the end.
    [[nodiscard]] task<> look(std::string path, entry& at, bool wanted);
    [[nodiscard]] task<found> read(const std::string& path, bool wanted);
    void drop_old() noexcept;
    void drop_unsent() noexcept;

    const server_options& options_;
    page_memory& memory_;
    offload_pool& helpers_;
    std::unordered_map<std::string, std::unique_ptr<entry>> by_path_;
    manual_reset_event kept_;  ///< there are pages
    scope* looks_ = nullptr;   ///< of run(), while it runs
};

}  // namespace leat::serve
