// The requests of a shard that wait for a buffer.
#pragma once

#include <leat/cache/detail/chunk_request.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include <cstdint>
#include <utility>

namespace leat::detail {

/// In the order of their arrival; those for one chunk are found without a look at the others, of
/// which there may be as many as a server has clients. Intrusive: nothing allocates.
class buffer_line {
public:
    ~buffer_line() {
        by_chunk_.clear();
        order_.clear();
    }

    [[nodiscard]] bool empty() const noexcept { return order_.empty(); }
    [[nodiscard]] chunk_request& front() noexcept { return order_.front(); }
    [[nodiscard]] auto begin() noexcept { return order_.begin(); }
    [[nodiscard]] auto end() noexcept { return order_.end(); }
    /// Whether some of them wait only for what has been asked back.
    [[nodiscard]] bool has_brief() const noexcept { return brief_ != 0; }

    void push(chunk_request& waiter) noexcept {
        waiter.waits = chunk_request::place::buffer;
        order_.push_back(waiter);
        by_chunk_.insert(waiter);  // behind its equals
        brief_ += waiter.patience == patience::brief ? 1 : 0;
    }
    /// Precondition: it waits here.
    void remove(chunk_request& waiter) noexcept {
        order_.erase(order_.iterator_to(waiter));
        by_chunk_.erase(by_chunk_.iterator_to(waiter));
        brief_ -= waiter.patience == patience::brief ? 1 : 0;
    }
    /// Of those for chunk `index` of `file`, the one that came first; or nullptr.
    [[nodiscard]] chunk_request* first_of(const file_record& file, std::uint64_t index) noexcept {
        const auto found = by_chunk_.lower_bound(key{&file, index});
        if (found == by_chunk_.end() || found->file != &file || found->index != index)
            return nullptr;
        return &*found;
    }

private:
    using key = std::pair<const file_record*, std::uint64_t>;
    struct key_of {
        using type = key;
        key operator()(const chunk_request& of) const noexcept { return {of.file, of.index}; }
    };
    using order = boost::intrusive::list<chunk_request>;
    using chunks = boost::intrusive::multiset<chunk_request,
                                              boost::intrusive::base_hook<buffer_line_hook>,
                                              boost::intrusive::key_of_value<key_of>>;

    order order_;
    chunks by_chunk_;
    std::uint64_t brief_ = 0;
};

}  // namespace leat::detail
