// A source that checks how the cache uses it.
#include "checked_source.hpp"

#include "allocations.hpp"
#include "shard/chunk.hpp"
#include "verdict.hpp"

#include <algorithm>

namespace leat::sim {

namespace {
bool overlap(std::uint64_t a, std::uint64_t a_size, std::uint64_t b, std::uint64_t b_size) {
    return a < b + b_size && b < a + a_size;
}

std::uint64_t address(std::span<std::byte> memory) {
    return reinterpret_cast<std::uintptr_t>(memory.data());
}
}  // namespace

void fill_watch::learn(const io::file_version& version, std::uint64_t number) {
    if (!chained_) numbers_[version] = number;
}

// Whether it is read into the chunk that the table knows, and not past the cache, nor into one that
// is out of the table.
bool fill_watch::in_cache(const fill& one) const {
    const auto number = numbers_.find(one.version);
    if (number == numbers_.end()) return false;
    const std::uint64_t index = one.offset / chunk_size_;
    const detail::entry* const found = detail::shard_cache::current().find(number->second, index);
    if (found == nullptr || found->leased) return false;
    return found->data + (one.offset - index * chunk_size_) == one.to.data();
}

std::list<fill_watch::fill>::iterator fill_watch::begin(const io::file_version& version,
                                                        std::uint64_t offset,
                                                        std::span<std::byte> to) {
    const fill begun{version, offset, to};
    const bool cached = !chained_ && in_cache(begun);
    for (const fill& other : fills_) {
        require(!overlap(address(to), to.size(), address(other.to), other.to.size()),
                "two reads into the same memory are in flight");
        if (!cached || other.doomed || !(other.version == version)) continue;
        require(!in_cache(other) || !overlap(offset, to.size(), other.offset, other.to.size()),
                "single-flight: bytes are read that a read in flight brings");
    }
    if (cached) {
        const std::uint64_t index = offset / chunk_size_;
        const detail::entry& into =
            *detail::shard_cache::current().find(numbers_.at(version), index);
        const std::uint64_t in = offset - index * chunk_size_;
        for (std::uint64_t at = in; at < in + to.size() && at < into.length; at += unit_size)
            require(!into.landed(at, 1), "single-flight: bytes are read that have landed");
    }
    return fills_.insert(fills_.end(), begun);
}

void fill_watch::end(std::list<fill>::iterator ended, bool changed) {
    const std::uint64_t index = ended->offset / chunk_size_;
    for (fill& other : fills_) {
        if (changed && other.version == ended->version && other.offset / chunk_size_ == index)
            other.doomed = true;
    }
    fills_.erase(ended);
}

void fill_watch::check_wanted() const {
    // Where a read cannot begin for want of memory, others of its chunk are not told.
    if (chained_ || failed_allocations() != 0) return;
    for (const fill& one : fills_) {
        if (one.doomed || !in_cache(one)) continue;
        const std::uint64_t number = numbers_.at(one.version);
        const auto& into = static_cast<const detail::chunk&>(
            *detail::shard_cache::current().find(number, one.offset / chunk_size_));
        require(!into.waiters.empty() || into.ever_used() || into.withdrawal.stop_requested(),
                "a read goes on that nobody wants");
    }
}

task<std::size_t> checked_source::read(const io::file& from,
                                       std::uint64_t offset,
                                       std::span<std::byte> buffer,
                                       priority urgency) {
    std::list<fill_watch::fill>::iterator watched;
    {
        const allocations_succeed here;
        watched = watch_->begin(from.version(), offset, buffer);
    }
    bool changed = false;
    try {
        task<std::size_t> reading = files_.read(from, offset, buffer, urgency);
        const std::size_t count = co_await std::move(reading);
        watch_->end(watched, false);
        co_return count;
    } catch (const boost::system::system_error& failure) {
        changed = failure.code() == errc::file_changed;
        watch_->end(watched, changed);
        throw;
    } catch (...) {
        watch_->end(watched, false);
        throw;
    }
}

}  // namespace leat::sim
