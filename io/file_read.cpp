#include <leat/io/file.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace leat::io {

namespace {

constexpr std::size_t bounce_bytes = 128 << 10;
constexpr std::size_t longest_inline_bytes = 128 << 10;  // of what may block; more is punted
constexpr std::size_t longest_piece_bytes = 1 << 30;

}  // namespace

void file_read::start(backend& through,
                      const file& from,
                      std::uint64_t offset,
                      std::span<std::byte> data,
                      int buffer,
                      completion done) noexcept {
    assert(idle() && done != nullptr && data.size() < std::uint64_t{1} << 48);
    backend_ = &through;
    file_ = &from;
    done_ = done;
    data_ = data.data();
    offset_ = offset;
    buffer_ = buffer;
    count_ = 0;
    cancelled_ = false;
    error_ = {};
    const std::uint64_t size = from.size();
    expected_ = offset < size ? std::min<std::uint64_t>(data.size(), size - offset) : 0;
    // Beyond the block that holds the file's last byte there is nothing to ask for.
    const std::uint64_t beyond = (offset + expected_) & (from.alignment() - 1);
    const std::uint64_t tail = expected_ == 0 || beyond == 0 ? 0 : from.alignment() - beyond;
    size_ = std::min<std::uint64_t>(data.size(), expected_ + tail);
    on_complete = &file_read::landed;
    proceed();
}

void file_read::cancel() noexcept {
    if (!idle()) {
        cancelled_ = true;
        backend_->cancel(*this);
    }
}

// Submits the next piece: straight into the memory where it is aligned, else by way of the
// temporary.
void file_read::proceed() noexcept {
    const std::uint64_t position = offset_ + count_;
    const std::size_t remaining = size_ - count_;
    const std::size_t mask = file_->alignment() - 1;
    const std::size_t head = static_cast<std::size_t>(position) & mask;
    const std::size_t address_head = reinterpret_cast<std::uintptr_t>(data_ + count_) & mask;
    if (remaining == 0) {
        submit_straight(0, 0);
    } else if (head == 0 && address_head == 0 && remaining > mask) {
        submit_straight(position, std::min(remaining & ~mask, longest_piece_bytes));
    } else if (head != 0 && head == address_head) {
        // From the next block on the memory is aligned as the file is.
        submit_bounced(position, std::min(remaining, mask + 1 - head));
    } else {
        submit_bounced(position, std::min(remaining, bounce_bytes - head));
    }
}

void file_read::submit_straight(std::uint64_t position, std::size_t size) noexcept {
    skip_ = 0;
    piece_ = size;
    straight_ = true;
    prepare_read(file_->descriptor(), {data_ + count_, size}, position, size == 0 ? -1 : buffer_);
    punt = file_->may_block() && size > longest_inline_bytes;
    backend_->submit(*this);
}

void file_read::submit_bounced(std::uint64_t position, std::size_t size) noexcept {
    const std::size_t alignment = file_->alignment();
    const std::size_t mask = alignment - 1;
    if (bounce_ == nullptr) {
        const std::size_t most = std::min(size_ + 2 * alignment, bounce_bytes + alignment);
        bounce_ = static_cast<std::byte*>(std::aligned_alloc(alignment, (most + mask) & ~mask));
        if (bounce_ == nullptr) {
            // Completions run from inside backend::run only: an empty read brings this one there.
            error_ = system_error_code(ENOMEM);
            submit_straight(0, 0);
            return;
        }
    }
    skip_ = static_cast<std::size_t>(position) & mask;
    piece_ = size;
    straight_ = false;
    prepare_read(file_->descriptor(), {bounce_, (skip_ + size + mask) & ~mask}, position - skip_,
                 -1);
    backend_->submit(*this);
}

void file_read::landed(operation& op) noexcept {
    file_read& self = static_cast<file_read&>(op);
    if (self.error_) {
        self.finish(self.error_);
    } else if (op.result == -ECANCELED) {
        self.finish(make_error_code(errc::cancelled));
    } else if (op.result < 0) {
        self.finish(system_error_code(-op.result));
    } else if (const bool progress = self.take(static_cast<std::size_t>(op.result));
               self.count_ >= self.expected_) {
        self.count_ = self.expected_;
        self.finish(self.file_->check(*self.backend_));
    } else if (!progress) {
        self.end_early();
    } else if (self.cancelled_) {
        self.finish(make_error_code(errc::cancelled));
    } else {
        self.proceed();
    }
}

// Counts what an operation gave, `got` bytes from `skip_` before the wanted position. A count that
// is not aligned and does not end at the file's end is taken only up to the last aligned offset,
// where the next operation resumes. Returns whether there was anything to take.
bool file_read::take(std::size_t got) noexcept {
    const std::uint64_t end = offset_ + count_ - skip_ + got;
    if (end != file_->size()) {
        got &= ~std::size_t{file_->alignment() - 1};
    }
    const std::size_t gained = got > skip_ ? std::min(got - skip_, piece_) : 0;
    if (!straight_ && gained > 0) {
        std::memcpy(data_ + count_, bounce_ + skip_, gained);
    }
    count_ += gained;
    return gained > 0;
}

// The file ended before its size: it has changed, or its file system does not keep its word.
void file_read::end_early() noexcept {
    const auto changed = file_->check(*backend_);
    finish(changed ? changed : make_error_code(errc::short_read));
}

void file_read::finish(boost::system::error_code error) noexcept {
    std::free(std::exchange(bounce_, nullptr));
    error_ = error;
    std::exchange(done_, nullptr)(*this);
}

}  // namespace leat::io
