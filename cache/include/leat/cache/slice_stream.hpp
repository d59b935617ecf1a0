// A walk through a file, slice by slice, while the chunks ahead are filled.
#pragma once

#include <leat/cache/file.hpp>
#include <leat/cache/slice.hpp>
#include <leat/engine/shard.hpp>
#include <leat/engine/task.hpp>

#include <cstdint>
#include <vector>

namespace leat {

class chunk_manager;

namespace detail {
class look_ahead;
}

/// How to walk a range.
struct slices_options {
    /// Chunks that fill ahead of the one being read, as far as the stream's share of the memory has
    /// room for them beside that: half of what is not pinned of a shard's, divided by its streams.
    /// Where it has none, less than a chunk is read ahead.
    unsigned depth = 2;
    /// Bytes a slice, cut at chunk borders; 0: as many as lie together in
    /// memory, up to a chunk, or else up to the end of a fragment.
    std::uint32_t slice_size = 0;
    leat::hint hint = leat::hint::normal;  ///< of all its requests
};

/// The slices of a range, in order, while the chunks ahead are filled; chunk_manager::slices()
/// makes it.
///
/// Threads: it is used and dropped on the shard that made it; anything else ends the program with a
/// sentence. The slices it gives may go anywhere.
///
/// Lifetime: it holds the file; the manager must outlive it. It may be moved while no next() is in
/// flight. It may be dropped before the end: what it has asked for ahead is then not read, unless
/// the device has it already or somebody else waits for it.
class [[nodiscard]] slice_stream {
public:
    slice_stream(const chunk_manager& manager,
                 file from,
                 std::uint64_t offset,
                 std::uint64_t end,
                 slices_options options);
    slice_stream(slice_stream&&) noexcept;
    slice_stream& operator=(slice_stream&&) = delete;
    ~slice_stream();

    /// Gives the next slice, or an empty one at the end of the range. Await one before you call the
    /// next. Completion, cancellation and errors are those of chunk_manager::get_chunk(); after an
    /// error the next call tries the same piece again.
    [[nodiscard]] task<slice> next();
    /// Where the next slice begins.
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

private:
    [[nodiscard]] bool has(std::uint64_t offset, std::uint32_t size) const noexcept;
    [[nodiscard]] unsigned depth() const noexcept;
    [[nodiscard]] std::uint64_t room_ahead() const noexcept;
    [[nodiscard]] bool is_in_fragments(std::uint64_t index) const noexcept;
    [[nodiscard]] bool is_asked_for(std::uint64_t index) const noexcept;
    void look_ahead(std::uint64_t index, std::uint64_t first);
    void count_ahead(std::uint64_t chunks) noexcept;
    void drop_before(std::uint64_t index) noexcept;
    void check_home() const noexcept;

    const chunk_manager& manager_;
    const shard& home_;
    file file_;
    std::uint64_t offset_;
    std::uint64_t end_;
    slices_options options_;
    bool whole_ = false;            ///< the chunk being read is read as a whole
    std::uint64_t next_ahead_ = 0;  ///< first chunk not yet asked for ahead
    std::uint64_t counted_ = 0;     ///< bytes asked ahead as the shard counts them
    std::vector<detail::look_ahead*> ahead_;
};

}  // namespace leat
