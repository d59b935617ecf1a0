// An open file of one version, as users hold it, and the registry of all of them.
#pragma once

#include <leat/cache/chunk_config.hpp>
#include <leat/cache/chunk_source.hpp>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace leat {

struct manager_core;
class file_registry;

/// One version of a file that is open or has chunks in the cache. Owned by the registry.
struct file_record {
    std::uint64_t number = 0;
    std::uint64_t size = 0;
    file_version version;
    std::string key_name;  ///< what tells it from others of this version, or empty
    bool settled = true;   ///< may be found again once it is closed
    bool listed = true;    ///< may be found now; under the registry's mutex
    std::string name;      ///< as it was first opened
    /// As it was last opened; under the registry's mutex.
    std::shared_ptr<const std::string> last_name;
    std::shared_ptr<manager_core> manager;
    std::unique_ptr<any_source::opened_file> opened;  ///< there while a handle is
    /// `manager` while a handle is there, else nullptr; read by every hit.
    std::atomic<const manager_core*> served_by{nullptr};
    std::atomic<std::int64_t> references{0};  ///< entries of the cache, and one for the handles
};

/// All files of an engine. Opening and the last closing of a version take a mutex; everything else
/// is lock-free.
class file_registry {
public:
    file_registry();
    ~file_registry();
    file_registry(const file_registry&) = delete;
    file_registry& operator=(const file_registry&) = delete;

    /// The record of this version with a handle for the caller: an older one with the same
    /// identity, or a new one. One that is not settled is found only while it is open. Any thread.
    /// Throws std::bad_alloc, or errc ENFILE when 16 million versions are alive.
    file_record& adopt(std::shared_ptr<manager_core> manager,
                       std::shared_ptr<const std::string> name,
                       any_source::opening opening);
    /// As it was last opened: a file with several names is open by any of them. Any thread.
    [[nodiscard]] std::shared_ptr<const std::string> name_of(const file_record& record);
    /// A handle of file `number`, or nullptr if it is closed. Any thread; lock-free.
    file_record* acquire(std::uint64_t number) noexcept;
    /// Another handle; the caller has one.
    void share(file_record& record) noexcept;
    /// Gives up a handle; the last one closes the file. Any thread.
    void release(file_record& record) noexcept;
    /// Keeps the record itself, not the file, alive. The caller has a handle or a reference.
    static void refer(file_record& record) noexcept {
        record.references.fetch_add(1, std::memory_order_relaxed);
    }
    void unrefer(file_record& record) noexcept;

private:
    // A number is a slot's index in the low bits and its generation, which makes numbers unique,
    // above. The state counts handles in its low bits, more than fit into any memory, and has above
    // them as much of the generation as there is room for: enough to leave the slots of closed
    // files alone, and the record's number decides.
    struct slot {
        std::atomic<std::uint64_t> state{0};
        std::uint64_t generation = 0;  ///< of the last record; under the mutex
        file_record* record = nullptr;
    };
    static constexpr unsigned index_bits = 24;
    static constexpr unsigned count_bits = 40;
    static constexpr std::uint64_t count_mask = (std::uint64_t{1} << count_bits) - 1;
    static constexpr std::uint64_t slots_a_block = 4096;
    using key = std::tuple<const manager_core*, std::array<std::uint64_t, 6>, std::string_view>;

    static key key_of(const manager_core* manager,
                      const file_version& version,
                      const std::string& name) noexcept;
    static std::uint64_t index_of(std::uint64_t number) noexcept {
        return number & ((std::uint64_t{1} << index_bits) - 1);
    }
    slot& slot_of(std::uint64_t number) noexcept;
    bool try_share(slot& place, std::uint64_t generation) noexcept;
    std::uint64_t free_slot(const std::string& name);
    void unlist(file_record& record) noexcept;

    std::array<std::atomic<slot*>, 4096> blocks_{};
    std::mutex mutex_;  // what follows, and every change of a handle count from or to 0
    std::map<key, file_record*> by_version_;  ///< the names in the keys are the records' own
    std::vector<std::uint64_t> free_slots_;
    std::uint64_t used_slots_ = 0;
};

class shared_cache;

/// A handle: what it names stays readable while one exists, also after a rename or unlink. Copies
/// share it. Any thread may use, copy or drop one, one object at a time, also after the engine is
/// gone.
class file {
public:
    file() = default;
    /// Takes over a handle of `record`, opened by `name`.
    file(std::shared_ptr<shared_cache> cache,
         file_record& record,
         std::shared_ptr<const std::string> name) noexcept
        : cache_(std::move(cache)), record_(&record), name_(std::move(name)) {}
    file(const file& other) noexcept;
    file(file&& other) noexcept
        : cache_(std::move(other.cache_)),
          record_(std::exchange(other.record_, nullptr)),
          name_(std::move(other.name_)) {}
    file& operator=(file other) noexcept {
        std::swap(cache_, other.cache_);
        std::swap(record_, other.record_);
        std::swap(name_, other.name_);
        return *this;
    }
    ~file();

    [[nodiscard]] explicit operator bool() const noexcept { return record_ != nullptr; }
    /// Bytes, in this version.
    [[nodiscard]] std::uint64_t size() const noexcept {
        return record_ != nullptr ? record_->size : 0;
    }
    [[nodiscard]] file_version version() const noexcept {
        return record_ != nullptr ? record_->version : file_version{};
    }
    /// As it was opened for this handle, whatever other names it has.
    [[nodiscard]] const std::string& name() const noexcept;
    [[nodiscard]] file_id id() const noexcept { return {record_ != nullptr ? record_->number : 0}; }
    operator file_id() const noexcept { return id(); }

    /// For the cache.
    [[nodiscard]] file_record* record() const noexcept { return record_; }

private:
    std::shared_ptr<shared_cache> cache_;
    file_record* record_ = nullptr;
    std::shared_ptr<const std::string> name_;
};

}  // namespace leat
