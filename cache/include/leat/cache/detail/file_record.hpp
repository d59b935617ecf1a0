// One version of a file.
#pragma once

#include <leat/cache/detail/any_source.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace leat::detail {

struct manager_core;

/// One version of a file that is open or has chunks in the cache. Owned by the registry.
struct file_record {
    std::uint64_t number = 0;
    std::uint64_t size = 0;
    file_version version;
    std::string key_name;  ///< what tells it from others of this version, or empty
    /// Tells it from all others, and is the same when this version is opened again: a hash.
    std::uint64_t key = 0;
    bool settled = true;  ///< may be found again once it is closed
    bool listed = true;   ///< may be found now; under the registry's mutex
    std::string name;     ///< as it was first opened
    /// As it was last opened; under the registry's mutex.
    std::shared_ptr<const std::string> last_name;
    std::shared_ptr<manager_core> manager;
    std::unique_ptr<any_source::opened_file> opened;  ///< there while a handle is
    /// `manager` while a handle is there, else nullptr; read by every hit.
    std::atomic<const manager_core*> served_by{nullptr};
    std::atomic<std::int64_t> references{0};  ///< entries of the cache, and one for the handles
};

}  // namespace leat::detail
