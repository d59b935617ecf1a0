#include <leat/cache/file.hpp>
#include <leat/cache/shared_cache.hpp>
#include <leat/engine/error.hpp>

#include <cassert>

namespace leat {

namespace {
constexpr std::uint64_t count_mask = (std::uint64_t{1} << 24) - 1;
const std::string no_name;
}  // namespace

file_registry::file_registry() = default;

file_registry::~file_registry() {
    for (const auto& known : by_version_) delete known.second;
    for (std::atomic<slot*>& block : blocks_) delete[] block.load();
}

file_registry::key file_registry::key_of(const manager_core* manager,
                                         const file_version& version) noexcept {
    return {manager,
            {version.device, version.inode, version.size,
             static_cast<std::uint64_t>(version.modified_ns),
             static_cast<std::uint64_t>(version.changed_ns)}};
}

file_registry::slot& file_registry::slot_of(std::uint64_t number) noexcept {
    const std::uint64_t index = number & count_mask;
    return blocks_[index / slots_a_block].load(std::memory_order_acquire)[index % slots_a_block];
}

file_record& file_registry::adopt(std::shared_ptr<manager_core> manager,
                                  const std::string& name,
                                  any_source::opening opening) {
    const std::lock_guard lock{mutex_};
    const key wanted = key_of(manager.get(), opening.version);
    if (const auto known = by_version_.find(wanted); known != by_version_.end()) {
        file_record& record = *known->second;
        slot& place = slot_of(record.number);
        if ((place.state.load(std::memory_order_relaxed) & count_mask) == 0) {
            record.opened = std::move(opening.file);
            refer(record);
            record.served_by.store(record.manager.get(), std::memory_order_release);
        }
        place.state.fetch_add(1, std::memory_order_release);
        return record;
    }
    std::uint64_t index = used_slots_;
    if (!free_slots_.empty()) {
        index = free_slots_.back();
    } else if (index >= blocks_.size() * slots_a_block) {
        leat::where at{.doing = activity::open};
        at.set_name(name);
        throw system_error({system_error_code(ENFILE), at});
    } else if (blocks_[index / slots_a_block].load() == nullptr) {
        free_slots_.reserve(free_slots_.capacity() +
                            slots_a_block);  // so that unrefer need not allocate
        blocks_[index / slots_a_block].store(new slot[slots_a_block], std::memory_order_release);
    }
    auto record = std::make_unique<file_record>();
    record->name = name;
    by_version_.emplace(wanted, record.get());
    if (!free_slots_.empty()) {
        free_slots_.pop_back();
    } else {
        ++used_slots_;
    }
    slot& place = slot_of(index);
    const std::uint64_t generation = (place.state.load(std::memory_order_relaxed) >> slot_bits) + 1;
    record->number = generation << slot_bits | index;
    record->size = opening.size;
    record->version = opening.version;
    record->manager = std::move(manager);
    record->opened = std::move(opening.file);
    record->references = 1;
    record->served_by = record->manager.get();
    place.record = record.get();
    place.state.store(generation << slot_bits | 1, std::memory_order_release);
    return *record.release();
}

bool file_registry::try_share(slot& place, std::uint64_t generation) noexcept {
    std::uint64_t state = place.state.load(std::memory_order_acquire);
    while (state >> slot_bits == generation && (state & count_mask) != 0) {
        if (place.state.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel))
            return true;
    }
    return false;
}

file_record* file_registry::acquire(std::uint64_t number) noexcept {
    if (blocks_[(number & count_mask) / slots_a_block].load(std::memory_order_acquire) == nullptr)
        return nullptr;
    slot& place = slot_of(number);
    // The record of a slot changes only while its count is 0.
    return try_share(place, number >> slot_bits) ? place.record : nullptr;
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
    const auto known = by_version_.find(key_of(record.manager.get(), record.version));
    gone.reset(&record);
    by_version_.erase(known);
    free_slots_.push_back(record.number & count_mask);
}

file::file(const file& other) noexcept : cache_(other.cache_), record_(other.record_) {
    if (record_ != nullptr) cache_->files().share(*record_);
}

file::~file() {
    if (record_ != nullptr) cache_->files().release(*record_);
}

const std::string& file::name() const noexcept {
    return record_ != nullptr ? record_->name : no_name;
}

}  // namespace leat
