// What a handle of a file does by the registry.
#include <leat/cache/detail/file_registry.hpp>
#include <leat/cache/detail/shared_cache.hpp>
#include <leat/cache/file.hpp>

namespace leat {

namespace {
const std::string no_name;
}  // namespace

file::file(const file& other) noexcept
    : cache_(other.cache_), record_(other.record_), name_(other.name_) {
    if (record_ != nullptr) cache_->files().share(*record_);
}

file::~file() {
    if (record_ != nullptr) cache_->files().release(*record_);
}

const std::string& file::name() const noexcept {
    return name_ ? *name_ : no_name;
}

}  // namespace leat
