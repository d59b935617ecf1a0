// An open file of one version, as users hold it.
#pragma once

#include <leat/cache/chunk_config.hpp>
#include <leat/cache/chunk_source.hpp>
#include <leat/cache/detail/file_record.hpp>

#include <memory>
#include <string>
#include <utility>

namespace leat {

namespace detail {
class shared_cache;
}

/// A handle: what it names stays readable while one exists, also after a rename or unlink. Copies
/// share it. Any thread may use, copy or drop one, one object at a time, also after the engine is
/// gone.
class file {
public:
    file() = default;
    /// Takes over a handle of `record`, opened by `name`.
    file(std::shared_ptr<detail::shared_cache> cache,
         detail::file_record& record,
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
    [[nodiscard]] detail::file_record* record() const noexcept { return record_; }

private:
    std::shared_ptr<detail::shared_cache> cache_;
    detail::file_record* record_ = nullptr;
    std::shared_ptr<const std::string> name_;
};

}  // namespace leat
