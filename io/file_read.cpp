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

// Whether it is as long and as aligned as all but the last of a list have to be.
[[maybe_unused]] bool is_whole(std::span<const std::byte> buffer) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(buffer.data());
    return !buffer.empty() && (address | buffer.size()) % file_read::list_alignment == 0;
}

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
    one_ = data;
    start(through, from, offset, buffer_list{&one_, 1}, buffer, done);
}

void file_read::start(backend& through,
                      const file& from,
                      std::uint64_t offset,
                      buffer_list buffers,
                      int buffer,
                      completion done) noexcept {
    assert(idle() && done != nullptr && buffers.size() <= most_vectors);
    assert(buffers.size() < 2 || (std::all_of(buffers.begin(), buffers.end() - 1, is_whole) &&
                                  (!from.direct() || offset % list_alignment == 0)));
    backend_ = &through;
    file_ = &from;
    done_ = done;
    buffers_ = buffers;
    index_ = 0;
    inside_ = 0;
    offset_ = offset;
    buffer_ = buffer;
    count_ = 0;
    cancelled_ = false;
    error_ = {};
    length_ = 0;
    for (const std::span<std::byte> one : buffers) {
        length_ += one.size();
    }
    assert(length_ < std::uint64_t{1} << 48);
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
    if (remaining == 0) {
        submit_nothing();
        return;
    }
    const std::size_t mask = alignment_ - 1;
    const std::size_t head = static_cast<std::size_t>(position) & mask;
    const stretch aligned = head == 0 ? find_stretch() : stretch{};
    const auto into = reinterpret_cast<std::uintptr_t>(buffers_[index_].data() + inside_);
    if (aligned.size > 0) {
        submit_straight(position, aligned);
    } else if (head != 0 && head == (into & mask)) {
        // From the next block on the memory is aligned as the file is.
        submit_bounced(position, std::min(remaining, mask + 1 - head));
    } else {
        submit_bounced(position, std::min(remaining, bounce_bytes - head));
    }
}

// How far the memory is aligned, from the next byte on.
file_read::stretch file_read::find_stretch() const noexcept {
    const std::size_t mask = alignment_ - 1;
    const std::size_t most = std::min(size_ - count_, longest_piece_bytes);
    stretch found;
    std::size_t skipped = inside_;
    for (std::size_t at = index_; at < buffers_.size() && found.size < most; ++at, skipped = 0) {
        const std::span<std::byte> rest = buffers_[at].subspan(skipped);
        const std::size_t size = std::min(rest.size(), most - found.size);
        if ((reinterpret_cast<std::uintptr_t>(rest.data()) & mask) != 0 || size <= mask) {
            break;
        }
        found.size += size & ~mask;
        ++found.buffers;
        if ((size & mask) != 0) {
            break;
        }
    }
    return found;
}

void file_read::submit_straight(std::uint64_t position, const stretch& piece) noexcept {
    skip_ = 0;
    piece_ = piece.size;
    straight_ = true;
    if (piece.buffers == 1) {
        const std::span<std::byte> into = buffers_[index_].subspan(inside_, piece.size);
        prepare_read(file_->descriptor(), into, position, buffer_);
    } else {
        const std::span<const iovec> vectors = fill_vectors(piece);
        if (vectors.empty()) {
            error_ = system_error_code(ENOMEM);
            submit_nothing();
            return;
        }
        prepare_read_vector(file_->descriptor(), vectors, position, buffer_);
    }
    punt = file_->may_block() && piece.size > longest_inline_bytes;
    submit();
}

// Completions run from inside backend::run only: an empty read brings this one there.
void file_read::submit_nothing() noexcept {
    skip_ = 0;
    piece_ = 0;
    straight_ = true;
    prepare_read(file_->descriptor(), {}, 0, -1);
    submit();
}

// Nothing if there is no memory for them.
std::span<const iovec> file_read::fill_vectors(const stretch& piece) noexcept {
    iovec* vectors = few_.data();
    if (piece.buffers > few_.size()) {
        if (!many_) {  // for later pieces, too
            many_.reset(new (std::nothrow) iovec[buffers_.size()]);
        }
        vectors = many_.get();
        if (vectors == nullptr) {
            return {};
        }
    }
    std::size_t left = piece.size;
    std::size_t skipped = inside_;
    for (std::size_t i = 0; i < piece.buffers; ++i, skipped = 0) {
        const std::span<std::byte> rest = buffers_[index_ + i].subspan(skipped);
        vectors[i] = {rest.data(), std::min(rest.size(), left)};
        left -= vectors[i].iov_len;
    }
    return {vectors, piece.buffers};
}

void file_read::submit_bounced(std::uint64_t position, std::size_t size) noexcept {
    const std::size_t alignment = alignment_;
    const std::size_t mask = alignment - 1;
    if (bounce_ == nullptr) {
        const std::size_t most = std::min(size_ + 2 * alignment, bounce_bytes + alignment);
        bounce_ = static_cast<std::byte*>(std::aligned_alloc(alignment, (most + mask) & ~mask));
        if (bounce_ == nullptr) {
            error_ = system_error_code(ENOMEM);
            submit_nothing();
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
    advance(gained, straight_ ? nullptr : bounce_ + skip_);
    return gained > 0;
}

// Goes on by `gained` bytes, which are copied if they have landed elsewhere.
void file_read::advance(std::size_t gained, const std::byte* copied_from) noexcept {
    count_ += gained;
    while (gained > 0) {
        const std::span<std::byte> rest = buffers_[index_].subspan(inside_);
        const std::size_t size = std::min(gained, rest.size());
        if (copied_from != nullptr && size > 0) {
            std::memcpy(rest.data(), copied_from, size);
            copied_from += size;
        }
        gained -= size;
        inside_ += size;
        if (inside_ == buffers_[index_].size()) {
            ++index_;
            inside_ = 0;
        }
    }
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
    const int opened = file_->descriptor();
    if (backend_->noted_unchanged(opened)) {
        finish(error_);
        return;
    }
    version_watch::look seen;
    const auto known =
        file_->watch_ ? file_->watch_->check(*backend_, opened, seen) : file_->check(*backend_);
    if (known) {
        if (!*known) {
            backend_->note_unchanged(opened);
        }
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
    many_.reset();
    inquiry_.reset();
    error_ = error;
    std::exchange(done_, nullptr)(*this);
}

}  // namespace leat::io
