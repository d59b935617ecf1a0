// A pinned view into a chunk.
#pragma once

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/io/detail/misuse.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace boost::asio {
class const_buffer;
}

namespace leat {

/// Bytes of one version of a file, inside one chunk, which stays in memory and unchanged while the
/// slice lives.
///
/// Move-only; default-constructed empty. May be moved to, read on and dropped on any thread, shard
/// or not, also after the engine is gone: dropping never allocates, fails or waits. A slice of 4
/// KiB keeps its whole buffer: that of a fragment, or of a chunk.
class slice {
public:
    slice() = default;
    /// Takes over a pin of `held`; it begins at byte `in` of its chunk.
    slice(detail::entry& held, std::uint64_t in, std::uint32_t size) noexcept
        : entry_(&held),
          data_(reinterpret_cast<const std::byte*>(held.base + in)),
          size_(size),
          charged_(size) {}
    slice(slice&& other) noexcept
        : entry_(std::exchange(other.entry_, nullptr)),
          data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          charged_(other.charged_) {}
    slice& operator=(slice&& other) noexcept {
        slice taken{std::move(other)};
        std::swap(entry_, taken.entry_);
        std::swap(data_, taken.data_);
        std::swap(size_, taken.size_);
        std::swap(charged_, taken.charged_);
        return *this;
    }
    ~slice() {
        if (entry_ != nullptr) release();
    }

    [[nodiscard]] explicit operator bool() const noexcept { return entry_ != nullptr; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
    [[nodiscard]] const std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// The bytes for Asio, which must be done with them before the slice dies. Needs
    /// <leat/asio.hpp>.
    [[nodiscard]] boost::asio::const_buffer buffer() const noexcept;

    /// The same pin for a part of it, which must lie inside.
    [[nodiscard]] slice subslice(std::size_t offset, std::size_t size) && noexcept {
        if (offset > size_ || size > size_ - offset) [[unlikely]]
            detail::misuse("a subslice does not lie inside its slice: compare with size() first");
        slice part{std::move(*this)};
        part.data_ += offset;
        part.size_ = static_cast<std::uint32_t>(size);
        return part;
    }
    /// Another slice of the same bytes, with a pin of its own. Only on the shard that the slice was
    /// got on; an empty slice gives an empty one.
    [[nodiscard]] slice share() const noexcept {
        if (entry_ == nullptr) return {};
        if (!on_home()) [[unlikely]]
            detail::misuse(
                "a slice was shared on a thread other than the shard it was got on: share it "
                "there, "
                "or move it");
        entry_->home->pin(*entry_, charged_);
        slice other;
        other.entry_ = entry_;
        other.data_ = data_;
        other.size_ = size_;
        other.charged_ = charged_;
        return other;
    }

private:
    [[nodiscard]] bool on_home() const noexcept {
        const shard* const here = shard::current();
        return here != nullptr && here->cache_state() == entry_->home;
    }
    void release() noexcept {
        if (on_home()) [[likely]] {
            entry_->home->unpin(*entry_, charged_);
        } else {
            detail::shard_cache::unpin_elsewhere(*entry_, charged_);
        }
    }

    detail::entry* entry_ = nullptr;
    const std::byte* data_ = nullptr;
    std::uint32_t size_ = 0;
    std::uint32_t charged_ = 0;  ///< bytes counted as referred, the size when it was pinned
};

}  // namespace leat
