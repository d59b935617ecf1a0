// Counts connections by address.
#include "connection_limits.hpp"

#include <functional>
#include <string_view>

namespace leat::serve {

std::size_t connection_limits::hash::operator()(const network& one) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(one.data()), one.size()});
}

connection_limits::part& connection_limits::part_of(const network& one) noexcept {
    return parts_[hash{}(one) % parts_.size()];
}

connection_limits::place connection_limits::enter(const peer_address& from) {
    if (count_.fetch_add(1, std::memory_order_relaxed) >= total_) {
        count_.fetch_sub(1, std::memory_order_relaxed);
        return {};
    }
    place counted{*this, {}};  // in total; given back whatever happens
    if (!from.known) return counted;
    const network key = from.network();
    part& of = part_of(key);
    const std::lock_guard lock{of.mutex};
    const auto [found, first] = of.counts.try_emplace(key, 0);
    if (found->second >= of_one_address_) return {};
    ++found->second;
    counted.address_ = from;
    return counted;
}

void connection_limits::leave(const peer_address& from) noexcept {
    if (from.known) {
        const network key = from.network();
        part& of = part_of(key);
        const std::lock_guard lock{of.mutex};
        const auto found = of.counts.find(key);
        if (--found->second == 0) of.counts.erase(found);
    }
    count_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace leat::serve
