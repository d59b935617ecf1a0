// Files whose bytes are a function of version and offset.
#include "simulated_files.hpp"

#include "pattern.hpp"
#include "verdict.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>

namespace leat::sim {

namespace {
constexpr std::int64_t first_time = 1'000'000'000;

std::uint64_t seed_of(std::uint64_t number, std::uint64_t version) noexcept {
    return number << 20 | version;
}
}  // namespace

simulated_file& simulated_files::create(const std::string& name,
                                        std::uint64_t size,
                                        unsigned alignment,
                                        bool tells_alignment) {
    auto made = std::make_shared<simulated_file>();
    all_.push_back(made);
    made->number = all_.size();
    made->size = size;
    made->alignment = alignment;
    made->tells_alignment = tells_alignment;
    unlink(name);
    names_[name] = made;
    return *made;
}

void simulated_files::unlink(const std::string& name) {
    const auto found = names_.find(name);
    if (found == names_.end()) return;
    --found->second->links;
    ++found->second->changes;
    names_.erase(found);
}

simulated_file* simulated_files::named(const std::string& name) {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : found->second.get();
}

simulated_file* simulated_files::numbered(std::uint64_t number) {
    return number == 0 || number > all_.size() ? nullptr : all_[number - 1].get();
}

void simulated_files::link(simulated_file& file) noexcept {
    ++file.links;
    ++file.changes;
}

void simulated_files::rewrite(simulated_file& file, std::uint64_t size) noexcept {
    ++file.version;
    ++file.changes;
    file.size = size;
}

int simulated_files::open(simulated_file& file) {
    auto free = std::find_if(slots_.begin(), slots_.end(),
                             [](const slot& one) { return one.file == nullptr; });
    if (free == slots_.end()) free = slots_.emplace(free);
    *free = slot{all_[file.number - 1]};
    return first_descriptor + static_cast<int>(free - slots_.begin());
}

int simulated_files::close(int descriptor) {
    if (at(descriptor) == nullptr) return -EBADF;
    slot& closed = slot_of(descriptor);
    require(closed.reads == 0, "a descriptor was closed while a read of it was in flight");
    closed = {};
    return 0;
}

simulated_file* simulated_files::at(int descriptor) noexcept {
    const auto index = static_cast<std::size_t>(descriptor - first_descriptor);
    return descriptor < first_descriptor || index >= slots_.size() ? nullptr
                                                                   : slots_[index].file.get();
}

std::size_t simulated_files::open_descriptors() const noexcept {
    return static_cast<std::size_t>(std::count_if(
        slots_.begin(), slots_.end(), [](const slot& one) { return one.file != nullptr; }));
}

bool simulated_files::direct(int descriptor) const noexcept {
    return slots_[static_cast<std::size_t>(descriptor - first_descriptor)].direct;
}

bool simulated_files::set_direct(int descriptor, bool on) noexcept {
    slot& of = slot_of(descriptor);
    if (on && of.file->alignment == 1) return false;
    of.direct = on;
    return true;
}

void simulated_files::read_begins(int descriptor) noexcept {
    ++slot_of(descriptor).reads;
}

void simulated_files::read_ends(int descriptor) noexcept {
    --slot_of(descriptor).reads;
}

void simulated_files::fill(struct statx& out, const simulated_file& file) noexcept {
    out = {};
    out.stx_mask = STATX_BASIC_STATS;
    out.stx_mode = S_IFREG | 0644;
    out.stx_ino = file.number;
    out.stx_size = file.size;
    out.stx_dev_major = 7;
    out.stx_mtime.tv_sec = first_time;
    out.stx_mtime.tv_nsec = static_cast<std::uint32_t>(file.version);
    out.stx_ctime.tv_sec = first_time;
    out.stx_ctime.tv_nsec = static_cast<std::uint32_t>(file.changes);
    out.stx_nlink = file.links;
    if (!file.tells_alignment) return;
    out.stx_attributes_mask = STATX_ATTR_IMMUTABLE;
    out.stx_mask |= STATX_DIOALIGN;
    out.stx_dio_mem_align = out.stx_dio_offset_align = file.alignment == 1 ? 0 : file.alignment;
}

void simulated_files::copy(const simulated_file& file,
                           std::uint64_t offset,
                           std::span<std::byte> to) noexcept {
    test::fill_pattern(to, seed_of(file.number, file.version), offset);
}

bool simulated_files::match(std::span<const std::byte> bytes,
                            const io::file_version& opened,
                            std::uint64_t offset) noexcept {
    const auto version =
        static_cast<std::uint64_t>(opened.modified_ns - first_time * 1'000'000'000);
    return test::is_pattern(bytes, seed_of(opened.inode, version), offset);
}

}  // namespace leat::sim
