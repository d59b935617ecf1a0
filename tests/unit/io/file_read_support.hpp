// What the tests of reads share: files, aligned memory, and a backend that reads as a script says.
#pragma once

#include "io_support.hpp"

#include <leat/io/detail/file_read.hpp>

#include <algorithm>
#include <deque>
#include <numeric>
#include <span>

namespace leat::io::test {

inline file open_file(const std::string& path, bool direct, unsigned alignment = 0) {
    const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct statx attributes{};
    BOOST_TEST_REQUIRE(::statx(opened, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    if (alignment != 0) {
        attributes.stx_mask |= STATX_DIOALIGN;
        attributes.stx_dio_mem_align = alignment;
        attributes.stx_dio_offset_align = alignment;
    }
    auto adopted = file::adopt(opened, attributes, direct);
    BOOST_TEST_REQUIRE(adopted.has_value());
    return std::move(*adopted);
}

struct tracked : file_read {
    static void done(file_read& read) noexcept { ++static_cast<tracked&>(read).completions; }
    int completions = 0;
};

struct aligned_memory {
    explicit aligned_memory(std::size_t size)
        : data(static_cast<std::byte*>(
                   std::aligned_alloc(65536, (size + 65535) & ~std::size_t{65535})),
               &std::free) {}
    [[nodiscard]] std::byte* get() const { return data.get(); }
    std::unique_ptr<std::byte, void (*)(void*)> data;
};

inline constexpr std::byte untouched{0x5A};

/// Buffers of some lengths, the later ones at lower addresses, 4 KiB apart and more.
class scattered {
public:
    explicit scattered(const std::vector<std::size_t>& lengths, std::size_t shift_of_last = 0)
        : memory_(room(lengths)), size_(room(lengths)) {
        std::size_t end = size_;
        for (const std::size_t length : lengths) {
            end -= whole(length) + gap;
            buffers_.emplace_back(memory_.get() + end, length);
        }
        buffers_.back() = {buffers_.back().data() + shift_of_last, buffers_.back().size()};
        clear();
    }
    void clear() { std::fill_n(memory_.get(), size_, untouched); }
    [[nodiscard]] buffer_list list() const { return buffers_; }
    [[nodiscard]] std::size_t size() const {
        std::size_t all = 0;
        for (const auto& one : buffers_) {
            all += one.size();
        }
        return all;
    }
    /// Whether `count` bytes are those from `offset` on, and no byte beside the buffers is written.
    [[nodiscard]] bool hold(std::uint64_t offset, std::size_t count) const {
        for (const auto& one : buffers_) {
            const std::size_t mine = std::min(count, one.size());
            const std::byte* const end = one.data() + one.size();
            if (!patterned(one.data(), offset, mine) || *end != untouched ||
                *(one.data() - 1) != untouched) {
                return false;
            }
            offset += mine;
            count -= mine;
        }
        return count == 0;
    }

private:
    static constexpr std::size_t gap = 8192;
    static std::size_t whole(std::size_t length) { return (length + 4095) & ~std::size_t{4095}; }
    static std::size_t room(const std::vector<std::size_t>& lengths) {
        return std::accumulate(
            lengths.begin(), lengths.end(), std::size_t{4 * gap},
            [](std::size_t sum, std::size_t length) { return sum + whole(length) + gap; });
    }
    aligned_memory memory_;
    std::size_t size_;
    std::vector<std::span<std::byte>> buffers_;
};

/// Serves reads of one file, each cut to what the script says, and checks how they are aligned.
class scripted_backend final : public backend {
public:
    explicit scripted_backend(std::uint64_t size, unsigned alignment)
        : size_(size), alignment_(alignment) {}

    void submit(operation& op) noexcept override {
        op.state = operation::phase::submitted;
        queue_.push_back(&op);
    }
    void cancel(operation& op) noexcept override { op.cancel_requested = true; }
    std::size_t run(time_point) override {
        if (queue_.empty()) {
            return 0;
        }
        operation& op = *queue_.front();
        queue_.pop_front();
        op.state = operation::phase::idle;
        ++operations;
        op.result = serve(op);
        op.on_complete(op);
        return 1;
    }
    void wake() noexcept override {}
    [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
    [[nodiscard]] int stat_cached(int descriptor,
                                  unsigned mask,
                                  struct statx& out) noexcept override {
        const int result = backend::stat_cached(descriptor, mask, out);
        out.stx_size += changed ? 1 : 0;
        return result;
    }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return queue_.size(); }
    [[nodiscard]] std::string owed() const override { return {}; }
    [[nodiscard]] backend_statistics statistics() const override { return {}; }

    std::deque<int> script;  ///< the most bytes of each read, or a negated errno; then all of them
    unsigned operations = 0;
    bool changed = false;
    bool aligned = true;
    unsigned punted = 0;
    unsigned by_thread = 0;
    std::vector<std::size_t> vectors;  ///< of each read, how many; 0 of one without

private:
    int serve(const operation& op) {
        const bool several = op.code == opcode::read_vector;
        const iovec one = several ? iovec{} : iovec{op.read.data, op.read.size};
        const std::span<const iovec> into{several ? op.read_vector.vectors : &one,
                                          several ? op.read_vector.count : 1};
        const std::uint64_t offset = several ? op.read_vector.offset : op.read.offset;
        vectors.push_back(several ? into.size() : 0);
        std::uint64_t asked = 0;
        for (const iovec& part : into) {
            const auto address = reinterpret_cast<std::uintptr_t>(part.iov_base);
            aligned = aligned &&
                      (part.iov_len == 0 || (offset | part.iov_len | address) % alignment_ == 0);
            asked += part.iov_len;
        }
        punted += op.punt ? 1 : 0;
        by_thread += op.by_thread ? 1 : 0;
        std::uint64_t count = offset < size_ ? std::min(size_ - offset, asked) : 0;
        if (!script.empty()) {
            const int next = script.front();
            script.pop_front();
            if (next < 0) {
                return next;
            }
            count = std::min(count, static_cast<std::uint64_t>(next));
        }
        std::uint64_t at = offset;
        for (const iovec& part : into) {
            for (std::size_t i = 0; i < part.iov_len && at < offset + count; ++i) {
                static_cast<std::byte*>(part.iov_base)[i] = pattern(at++);
            }
        }
        return static_cast<int>(count);
    }

    std::uint64_t size_;
    unsigned alignment_;
    std::deque<operation*> queue_;
};

}  // namespace leat::io::test
