// Reads on until the range is full, the file ends or an error comes, and checks the version.
#include "version_watch.hpp"

#include <leat/io/detail/file_read.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace leat::io {

namespace {

constexpr std::size_t bounce_bytes = 128 << 10;
constexpr std::size_t longest_inline_bytes = 128 << 10;  // of what may block; more is punted
constexpr std::size_t longest_piece_bytes = 1 << 30;

// Errors by which a file system refuses a direct read that is as it wants it.
bool refuses_direct(int result) noexcept {
    return result == -EINVAL || result == -EOPNOTSUPP;
}

}  // namespace

struct file_read::inquiry {
    struct statx attributes{};
    version_watch::look seen;
};

file_read::file_read() noexcept = default;

file_read::~file_read() = default;

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
    length_ = data.size();
    alignment_ = from.alignment();
    set_extent();
    on_complete = &file_read::completed;
    proceed();
}

// How far to read: beyond the block that holds the file's last byte there is nothing to ask for.
void file_read::set_extent() noexcept {
    const std::uint64_t size = file_->size();
    expected_ = offset_ < size ? std::min<std::uint64_t>(length_, size - offset_) : 0;
    const std::uint64_t beyond = (offset_ + expected_) & (alignment_ - 1);
    const std::uint64_t tail = expected_ == 0 || beyond == 0 ? 0 : alignment_ - beyond;
    size_ = std::min<std::uint64_t>(length_, expected_ + tail);
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
    const std::size_t mask = alignment_ - 1;
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
    submit();
}

void file_read::submit_bounced(std::uint64_t position, std::size_t size) noexcept {
    const std::size_t alignment = alignment_;
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
    submit();
}

void file_read::submit() noexcept {
    step_ = step::read;
    by_thread = file_->on().read_by_threads;
    backend_->submit(*this);
}

void file_read::completed(operation& op) noexcept {
    file_read& self = static_cast<file_read&>(op);
    if (self.step_ == step::read && self.error_) {
        self.finish(self.error_);
    } else if (op.result == -ECANCELED) {
        self.finish(make_error_code(errc::cancelled));
    } else if (self.step_ == step::read) {
        self.read_landed();
    } else if (self.step_ == step::name) {
        self.name_answered(op.result);
    } else if (op.result < 0) {
        self.finish(system_error_code(-op.result));
    } else {
        self.compare();
    }
}

void file_read::read_landed() noexcept {
    if (result < 0) {
        if (cancelled_ || !refuses_direct(result) || !go_on_buffered()) {
            finish(system_error_code(-result));
        }
        return;
    }
    const auto got = static_cast<std::size_t>(result);
    const bool progress = take(got);
    if (count_ >= expected_) {
        count_ = expected_;
        verify({});
    } else if (cancelled_) {
        finish(make_error_code(errc::cancelled));
    } else if (progress) {
        proceed();
    } else if (got == 0 || !go_on_buffered()) {
        // The file ended before its size: it has changed, or its file system does not keep its
        // word.
        verify(make_error_code(errc::short_read));
    }
}

// Where a file system does not serve direct reads as it said, the page cache does. Goes on from
// what has landed; false if it reads through the page cache already.
bool file_read::go_on_buffered() noexcept {
    // Another read may have brought the file to it.
    if (alignment_ == 1 || (file_->direct() && !file_->stop_direct())) {
        return false;
    }
    alignment_ = 1;
    set_extent();
    proceed();
    return true;
}

// Counts what an operation gave, `got` bytes from `skip_` before the wanted position. A count that
// is not aligned and does not end at the file's end is taken only up to the last aligned offset,
// where the next operation resumes. Returns whether there was anything to take.
bool file_read::take(std::size_t got) noexcept {
    const std::uint64_t end = offset_ + count_ - skip_ + got;
    if (end != file_->size()) {
        got &= ~std::size_t{alignment_ - 1};
    }
    const std::size_t gained = got > skip_ ? std::min(got - skip_, piece_) : 0;
    if (!straight_ && gained > 0) {
        std::memcpy(data_ + count_, bounce_ + skip_, gained);
    }
    count_ += gained;
    return gained > 0;
}

// Ends with `if_same` if the file is still the version that was opened.
void file_read::verify(boost::system::error_code if_same) noexcept {
    error_ = if_same;
    if (file_->watch_ && file_->watch_->update_is_due(backend_->now())) {
        update();
    } else {
        compare();
    }
}

void file_read::compare() noexcept {
    version_watch::look seen;
    const auto known = file_->watch_ ? file_->watch_->check(*backend_, file_->descriptor(), seen)
                                     : file_->check(*backend_);
    if (known) {
        finish(*known ? *known : error_);
    } else if (file_->watch_->path().empty()) {
        finish(make_error_code(errc::file_changed));
    } else if (make_inquiry()) {
        inquiry_->seen = seen;
        step_ = step::name;
        const int sync = file_->on().remote ? AT_STATX_FORCE_SYNC : AT_STATX_SYNC_AS_STAT;
        prepare_stat_at(file_->watch_->directory(), file_->watch_->path().c_str(),
                        sync | AT_NO_AUTOMOUNT, version_watch::stat_mask, inquiry_->attributes);
        backend_->submit(*this);
    }
}

// Has the file's attributes brought up to date, so that the cached ones are worth a look.
void file_read::update() noexcept {
    if (make_inquiry()) {
        step_ = step::update;
        prepare_stat(file_->descriptor(), version_watch::stat_mask, inquiry_->attributes);
        backend_->submit(*this);
    }
}

// False, and the read has ended, if there is no memory.
bool file_read::make_inquiry() noexcept {
    if (!inquiry_) {
        inquiry_.reset(new (std::nothrow) inquiry);
    }
    if (!inquiry_) {
        finish(system_error_code(ENOMEM));
    }
    return inquiry_ != nullptr;
}

void file_read::name_answered(int answer) noexcept {
    switch (-answer) {
        case 0:
        case ENOENT:
        case ENOTDIR:
        case ESTALE:
        case ELOOP:
        case EACCES:
            break;
        default:
            finish(system_error_code(-answer));
            return;
    }
    version_watch& watch = *file_->watch_;
    const bool gives_it = answer == 0 && watch.is_file(inquiry_->attributes);
    switch (watch.explain(inquiry_->seen, gives_it)) {
        case version_watch::finding::same:
            finish(error_);
            break;
        case version_watch::finding::outdated:
            compare();
            break;
        case version_watch::finding::changed:
        case version_watch::finding::unexplained:
            finish(make_error_code(errc::file_changed));
    }
}

void file_read::finish(boost::system::error_code error) noexcept {
    std::free(std::exchange(bounce_, nullptr));
    inquiry_.reset();
    error_ = error;
    std::exchange(done_, nullptr)(*this);
}

}  // namespace leat::io
