// Who holds which version of which file, and when it may be forgotten.
#include <leat/cache/detail/file_registry.hpp>
#include <leat/cache/detail/shared_cache.hpp>
#include <leat/engine/error.hpp>

#include <cassert>
#include <functional>

namespace leat::detail {

file_registry::file_registry() = default;

file_registry::~file_registry() {
    for (std::uint64_t index = 0; index < used_slots_; ++index) delete slot_at(index).record;
    for (std::atomic<slot*>& block : blocks_) delete[] block.load();
}

file_registry::key file_registry::key_of(const manager_core* manager,
                                         const file_version& version,
                                         const std::string& name) noexcept {
    return {manager,
            {version.device, version.inode, version.size,
             static_cast<std::uint64_t>(version.modified_ns),
             static_cast<std::uint64_t>(version.changed_ns), version.instance},
            name};
}

std::uint64_t file_registry::hash_of(const key& of) noexcept {
    const auto& [manager, version, name] = of;
    std::uint64_t mixed = std::hash<std::string_view>{}(name);
    mixed = entry_table::hash(mixed, manager->serial);
    for (const std::uint64_t part : version) mixed = entry_table::hash(mixed, part);
    return mixed;
}

file_registry::slot& file_registry::slot_at(std::uint64_t index) noexcept {
    return blocks_[index / slots_a_block].load(std::memory_order_acquire)[index % slots_a_block];
}

file_record& file_registry::adopt(std::shared_ptr<manager_core> manager,
                                  std::shared_ptr<const std::string> name,
                                  any_source::opening opening) {
    const std::lock_guard lock{mutex_};
    const key wanted = key_of(manager.get(), opening.version, opening.name);
    if (const auto known = by_version_.find(wanted); known != by_version_.end()) {
        file_record& record = *known->second;
        record.last_name = std::move(name);
        if (listener_ != nullptr) listener_->opened(record, *record.last_name);
        record.settled = record.settled && opening.settled;
        slot& place = slot_of(record.number);
        if ((place.state.load(std::memory_order_relaxed) & count_mask) == 0) {
            record.opened = std::move(opening.file);
            refer(record);
            record.served_by.store(record.manager.get(), std::memory_order_release);
        }
        place.state.fetch_add(1, std::memory_order_release);
        return record;
    }
    const std::uint64_t index = free_slot(*name);
    slot& place = slot_at(index);
    auto record = std::make_unique<file_record>();
    record->number = number_of(place.uses + 1, index);
    record->size = opening.size;
    record->version = opening.version;
    record->key_name = std::move(opening.name);
    record->settled = opening.settled;
    record->key = hash_of(wanted);
    record->name = *name;
    by_version_.emplace(key_of(manager.get(), record->version, record->key_name), record.get());
    // What may take the mutex when it goes (a file of a manager below) moves in after all that can
    // fail.
    record->last_name = std::move(name);
    record->manager = std::move(manager);
    record->opened = std::move(opening.file);
    record->references = 1;
    record->served_by = record->manager.get();
    if (!free_slots_.empty()) {
        free_slots_.pop_back();
    } else {
        ++used_slots_;
    }
    ++place.uses;
    place.record = record.get();
    if (listener_ != nullptr) listener_->opened(*record, *record->last_name);
    place.state.store(place.uses << count_bits | 1, std::memory_order_release);
    return *record.release();
}

// The index of a slot that is nobody's, which stays free until it is taken.
std::uint64_t file_registry::free_slot(const std::string& name) {
    if (!free_slots_.empty()) return free_slots_.back();
    const std::uint64_t index = used_slots_;
    if (index >= blocks_.size() * slots_a_block) {
        leat::where at{.doing = activity::open};
        at.set_name(name);
        throw system_error({system_error_code(ENFILE), at});
    }
    if (blocks_[index / slots_a_block].load() == nullptr) {
        free_slots_.reserve(free_slots_.capacity() +
                            slots_a_block);  // so that unrefer need not allocate
        blocks_[index / slots_a_block].store(new slot[slots_a_block], std::memory_order_release);
    }
    return index;
}

std::shared_ptr<const std::string> file_registry::name_of(const file_record& record) {
    const std::lock_guard lock{mutex_};
    return record.last_name;
}

void file_registry::listen(file_listener* listener) noexcept {
    const std::lock_guard lock{mutex_};
    listener_ = listener;
    if (listener == nullptr) return;
    for (const auto& [of, record] : by_version_) {
        if (record->opened != nullptr) listener->opened(*record, *record->last_name);
    }
}

bool file_registry::try_share(slot& place, std::uint64_t use) noexcept {
    constexpr std::uint64_t shown = ~std::uint64_t{0} >> count_bits;
    std::uint64_t state = place.state.load(std::memory_order_acquire);
    while (state >> count_bits == (use & shown) && (state & count_mask) != 0) {
        if (place.state.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel))
            return true;
    }
    return false;
}

file_record* file_registry::acquire(std::uint64_t number) noexcept {
    if (blocks_[index_of(number) / slots_a_block].load(std::memory_order_acquire) == nullptr)
        return nullptr;
    slot& place = slot_of(number);
    if (!try_share(place, use_of(number))) return nullptr;
    // The record of a slot changes only while its count is 0.
    file_record& found = *place.record;
    if (found.number == number) return &found;
    release(found);
    return nullptr;
}

void file_registry::share(file_record& record) noexcept {
    slot_of(record.number).state.fetch_add(1, std::memory_order_relaxed);
}

void file_registry::release(file_record& record) noexcept {
    slot& place = slot_of(record.number);
    std::uint64_t state = place.state.load(std::memory_order_acquire);
    while ((state & count_mask) > 1) {
        if (place.state.compare_exchange_weak(state, state - 1, std::memory_order_acq_rel)) return;
    }
    std::unique_ptr<any_source::opened_file> closing;
    {
        const std::lock_guard lock{mutex_};
        if ((place.state.fetch_sub(1, std::memory_order_acq_rel) & count_mask) != 1) return;
        record.served_by.store(nullptr, std::memory_order_release);
        closing = std::move(record.opened);
        if (!record.settled) unlist(record);
    }
    closing.reset();
    unrefer(record);
}

void file_registry::unrefer(file_record& record) noexcept {
    std::int64_t count = record.references.load(std::memory_order_relaxed);
    while (count > 1) {
        if (record.references.compare_exchange_weak(count, count - 1, std::memory_order_acq_rel))
            return;
    }
    std::unique_ptr<file_record> gone;
    const std::lock_guard lock{mutex_};
    if (record.references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    // adopt() may have revived it, and another thread may have seen it fall to 0 again.
    unlist(record);
    slot_of(record.number).record = nullptr;
    gone.reset(&record);
    free_slots_.push_back(index_of(record.number));
}

// From here on this version is not found again.
void file_registry::unlist(file_record& record) noexcept {
    if (!std::exchange(record.listed, false)) return;
    by_version_.erase(key_of(record.manager.get(), record.version, record.key_name));
}

}  // namespace leat::detail
