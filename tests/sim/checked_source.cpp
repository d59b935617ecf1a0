// A source that checks how the cache uses it.
#include "checked_source.hpp"

#include "allocations.hpp"
#include "shard/chunk.hpp"
#include "verdict.hpp"

#include <algorithm>
#include <vector>

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

// What of the table it is read into: not past the cache, nor into what is out of the table.
const detail::chunk* fill_watch::target(const fill& one) const {
    const auto number = numbers_.find(one.version);
    if (number == numbers_.end()) return nullptr;
    detail::chunk_place place{one.offset / chunk_size_, one.offset % chunk_size_};
    const std::uint64_t in = place.in;
    const auto among = [&](detail::piece_number piece) -> const detail::chunk* {
        const detail::entry* const found =
            detail::shard_cache::current().find(number->second, piece);
        if (found == nullptr || found->leased || !found->covers(in, 1)) return nullptr;
        return found->data() + (in - found->start) == one.to.data()
                   ? static_cast<const detail::chunk*>(found)
                   : nullptr;
    };
    if (const auto* const whole = among(detail::piece_number::chunk(place.index))) return whole;
    // A fragment that crosses others is found by its first one.
    for (;; place.in -= detail::fragment_size) {
        if (const auto* const part = among(detail::piece_number::fragment(place))) return part;
        if (place.in < detail::fragment_size) return nullptr;
    }
}

bool fill_watch::in_cache(const fill& one) const {
    return target(one) != nullptr;
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
        const detail::chunk& into = *target(begun);
        const std::uint64_t in = offset - into.file_offset();
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
        const detail::chunk& into = *target(one);
        // A window is read for the sake of its first part.
        require(into.ahead || into.has_waiters() || into.ever_used() ||
                    into.fill->withdrawal.stop_requested(),
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
        task<std::size_t> reading = read_somehow(from, offset, buffer, urgency);
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

task<std::size_t> checked_source::read_somehow(const io::file& from,
                                               std::uint64_t offset,
                                               std::span<std::byte> buffer,
                                               priority urgency) {
    // Both ways, and the same way each time that a seed is run.
    if (offset / unit_size % 2 == 0) {
        co_return co_await files_.read(from, offset, buffer, urgency);
    }
    std::vector<std::span<std::byte>> pieces;
    const std::size_t least =
        std::max<std::size_t>(unit_size, buffer.size() / 256 / unit_size * unit_size);
    for (std::span<std::byte> rest = buffer; !rest.empty();) {
        const std::size_t size = std::min(rest.size(), least * (1 + pieces.size() % 3));
        pieces.push_back(rest.first(size));
        rest = rest.subspan(size);
    }
    co_return co_await files_.read(from, offset, pieces, urgency);
}

}  // namespace leat::sim
