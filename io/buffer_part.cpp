// Takes and leaves places.
#include <leat/io/detail/buffer_part.hpp>

#include <cassert>

namespace leat::io {

void buffer_part::divide(std::size_t count) {
    users.reserve(count);
    vacant.reserve(count);
    users.clear();
    vacant.clear();
    places = count;
}

std::byte* buffer_part::take(void* user) noexcept {
    assert(has_room());
    std::size_t place = users.size();
    if (vacant.empty()) {
        users.push_back(user);
    } else {
        place = vacant.back();
        vacant.pop_back();
        users[place] = user;
    }
    return base + place * buffer_bytes;
}

void buffer_part::leave(std::size_t place) noexcept {
    assert(users[place] != nobody());
    users[place] = nobody();
    vacant.push_back(static_cast<std::uint32_t>(place));
}

void size_class::add(buffer_part& part) noexcept {
    const unsigned level = level_of(part);
    lists[level].push_front(part);
    if (level < levels) marks |= 1U << level;
    places += part.places;
    used += part.taken();
}

void size_class::remove(buffer_part& part) noexcept {
    const unsigned level = level_of(part);
    part_list& at = lists[level];
    at.erase(at.iterator_to(part));
    if (at.empty()) marks &= ~(1U << level);
    places -= part.places;
    used -= part.taken();
}

}  // namespace leat::io
