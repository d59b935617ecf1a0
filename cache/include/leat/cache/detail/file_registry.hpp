// All files of an engine that are open or have chunks in the cache.
#pragma once

#include <leat/cache/detail/any_source.hpp>
#include <leat/cache/detail/file_number.hpp>
#include <leat/cache/detail/file_record.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace leat::detail {

/// Who is told of files that are opened.
class file_listener {
public:
    file_listener() = default;
    file_listener(const file_listener&) = delete;
    file_listener& operator=(const file_listener&) = delete;
    virtual ~file_listener() = default;
    /// A file is open by this name. Any thread; it may not call the registry.
    virtual void opened(const file_record& record, const std::string& name) noexcept = 0;
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
    /// version, or a new one. One that is not settled is found only while it is open. Any thread.
    /// Throws std::bad_alloc, or errc ENFILE when 16 million versions are alive.
    file_record& adopt(std::shared_ptr<manager_core> manager,
                       std::shared_ptr<const std::string> name,
                       any_source::opening opening);
    /// As it was last opened: a file with several names is open by any of them. Any thread.
    [[nodiscard]] std::shared_ptr<const std::string> name_of(const file_record& record);
    /// From now on `listener` is told of each file that is opened, now of those that are open, and
    /// the one before of none any more; it may be nullptr. Any thread.
    void listen(file_listener* listener) noexcept;
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
    // A number stands for a place: a slot's index in the low bits and which of its uses it is,
    // which makes numbers unique, above. The state counts handles in its low bits, more than fit
    // into any memory, and has above them as much of the use as there is room for: enough to leave
    // the slots of closed files alone, and the record's number decides.
    struct slot {
        std::atomic<std::uint64_t> state{0};
        std::uint64_t uses = 0;  ///< records that it has had; under the mutex
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
    [[nodiscard]] static std::uint64_t hash_of(const key& of) noexcept;
    static constexpr std::uint64_t number_of(std::uint64_t use, std::uint64_t index) noexcept {
        return number_of_place(use << index_bits | index);
    }
    static constexpr std::uint64_t use_of(std::uint64_t number) noexcept {
        return place_of_number(number) >> index_bits;
    }
    static constexpr std::uint64_t index_of(std::uint64_t number) noexcept {
        return place_of_number(number) & ((std::uint64_t{1} << index_bits) - 1);
    }
    slot& slot_at(std::uint64_t index) noexcept;
    slot& slot_of(std::uint64_t number) noexcept { return slot_at(index_of(number)); }
    bool try_share(slot& place, std::uint64_t use) noexcept;
    std::uint64_t free_slot(const std::string& name);
    void unlist(file_record& record) noexcept;

    std::array<std::atomic<slot*>, 4096> blocks_{};
    std::mutex mutex_;  // what follows, and every change of a handle count from or to 0
    std::map<key, file_record*> by_version_;  ///< the names in the keys are the records' own
    file_listener* listener_ = nullptr;
    std::vector<std::uint64_t> free_slots_;
    std::uint64_t used_slots_ = 0;
};

}  // namespace leat::detail
