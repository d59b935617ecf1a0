// The requests of a shard that wait for a buffer, or for reads that are in their way.
#pragma once

#include <leat/cache/detail/chunk_request.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>

namespace leat::detail {

/// In the order of their arrival, in a queue for each size of buffers, so that nobody waits behind
/// those who need more; those for one piece of a file are found without a look at the others, of
/// which there may be as many as a server has clients. Intrusive: nothing allocates.
class buffer_line {
public:
    using queue = boost::intrusive::list<chunk_request>;
    /// Those that no buffer helps: what they want to replace is being read.
    static constexpr std::size_t held_up = 0;
    static constexpr std::size_t queues = 33;

    /// The queue of those that need a buffer of `bytes`.
    [[nodiscard]] static std::size_t queue_for(std::uint64_t bytes) noexcept {
        return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(bytes)), queues - 1);
    }

    ~buffer_line() {
        by_place_.clear();
        for (queue& one : queues_) one.clear();
    }

    [[nodiscard]] bool empty() const noexcept { return by_place_.empty(); }
    [[nodiscard]] queue& of(std::size_t which) noexcept { return queues_[which]; }
    [[nodiscard]] const queue& of(std::size_t which) const noexcept { return queues_[which]; }
    /// Whether some of them wait only for what has been asked back.
    [[nodiscard]] bool has_brief() const noexcept { return brief_ != 0; }

    void push(chunk_request& waiter, std::size_t which) noexcept {
        waiter.waits = chunk_request::place::buffer;
        waiter.line = static_cast<std::uint8_t>(which);
        queues_[which].push_back(waiter);
        by_place_.insert(waiter);  // behind its equals
        brief_ += waiter.patience == patience::brief ? 1 : 0;
    }
    /// Precondition: it waits here.
    void remove(chunk_request& waiter) noexcept {
        queue& in = queues_[waiter.line];
        in.erase(in.iterator_to(waiter));
        by_place_.erase(by_place_.iterator_to(waiter));
        brief_ -= waiter.patience == patience::brief ? 1 : 0;
    }
    /// It waits for something else now: it goes to the end of another queue. Precondition: it
    /// waits here.
    void move(chunk_request& waiter, std::size_t to) noexcept {
        queue& in = queues_[waiter.line];
        in.erase(in.iterator_to(waiter));
        waiter.line = static_cast<std::uint8_t>(to);
        queues_[to].push_back(waiter);
    }
    /// Calls visit(waiter) for those that begin in [from, to) of chunk `index` of `file`; it may
    /// remove the one that it is given.
    template <class Visit>
    void each_at(const file_record& file,
                 std::uint64_t index,
                 std::uint64_t from,
                 std::uint64_t to,
                 Visit visit) noexcept {
        auto next = by_place_.lower_bound(key{&file, index, from});
        while (next != by_place_.end() && key_of{}(*next) < key{&file, index, to}) visit(*next++);
    }
    template <class Visit>
    void each(Visit visit) noexcept {
        for (queue& one : queues_) {
            for (auto next = one.begin(); next != one.end();) visit(*next++);
        }
    }

private:
    using key = std::tuple<const file_record*, std::uint64_t, std::uint64_t>;
    struct key_of {
        using type = key;
        key operator()(const chunk_request& of) const noexcept {
            return {of.file, of.index, of.in};
        }
    };
    using places = boost::intrusive::multiset<chunk_request,
                                              boost::intrusive::base_hook<buffer_line_hook>,
                                              boost::intrusive::key_of_value<key_of>>;

    std::array<queue, queues> queues_;
    places by_place_;
    std::uint64_t brief_ = 0;
};

}  // namespace leat::detail
