// Memory for raw rings' buffers, and mappings of files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat::perf {

/// A mapping, unmapped at the end.
class mapped_memory {
public:
    /// Zeroed memory, aligned to 2 MiB and touched; of huge pages if they can be had and `huge`.
    static mapped_memory anonymous(std::size_t bytes, bool huge);
    /// A file's first bytes, read-only and shared.
    static mapped_memory of_file(int descriptor, std::size_t bytes);
    mapped_memory(mapped_memory&& other) noexcept;
    mapped_memory& operator=(mapped_memory&&) = delete;
    ~mapped_memory();

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_; }

private:
    mapped_memory(void* base, std::size_t mapped, std::byte* data, std::size_t bytes) noexcept;

    void* base_;
    std::size_t mapped_;
    std::byte* data_;
    std::size_t bytes_;
};

}  // namespace leat::perf
