// Memory that is divided into buffers of one length, and the parts of one length by how full they
// are.
#pragma once

#include <boost/intrusive/list.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace leat::io {

struct size_class;

/// A segment of an arena, a slab of one, or a small slab: divided into buffers of one length, or
/// not divided.
struct buffer_part : boost::intrusive::list_base_hook<> {
    buffer_part(unsigned at_level, std::size_t which, std::byte* at) noexcept
        : level(at_level), number(which), base(at) {}

    /// The user of a place that is free.
    [[nodiscard]] static void* nobody() noexcept { return &nobody_; }
    [[nodiscard]] std::size_t used() const noexcept { return users.size() - vacant.size(); }
    /// The same as it counts for others.
    [[nodiscard]] std::size_t taken() const noexcept { return closed ? places : used(); }
    [[nodiscard]] bool has_room() const noexcept {
        return !vacant.empty() || users.size() < places;
    }
    [[nodiscard]] std::size_t place_of(const std::byte* memory) const noexcept {
        return static_cast<std::size_t>(memory - base) / buffer_bytes;
    }
    /// Has `count` places, all of them free. What is noted of each is noted when it is first used:
    /// so a change of class takes no time for each. May throw std::bad_alloc: it is as before then.
    void divide(std::size_t count);
    /// Takes a place. Precondition: has_room().
    [[nodiscard]] std::byte* take(void* user) noexcept;
    /// Precondition: it is used.
    void leave(std::size_t place) noexcept;

    unsigned level;      ///< 0: a segment; 1: a slab; 2: a small one
    std::size_t number;  ///< among those of its level
    std::byte* base;
    std::size_t buffer_bytes = 0;       ///< 0: not divided
    std::size_t used_bytes = 0;         ///< of buffers, those in its slabs, too
    size_class* of = nullptr;           ///< null: not divided, or for one long buffer
    bool closed = false;                ///< no place in it is to be used that is free
    std::size_t places = 0;             ///< used or not
    std::vector<void*> users;           ///< of those that were used; nobody() where none is now
    std::vector<std::uint32_t> vacant;  ///< numbers of these; capacity for all places

private:
    inline static char nobody_ = 0;
};

/// The parts that are divided for buffers of one length, by how full they are: a list a sixteenth,
/// and one of those that are full, as which closed ones count.
struct size_class {
    static constexpr unsigned levels = 16;
    using part_list = boost::intrusive::list<buffer_part>;

    [[nodiscard]] static unsigned level_of(const buffer_part& of) noexcept {
        return static_cast<unsigned>(of.taken() * levels / of.places);
    }
    [[nodiscard]] bool has_room() const noexcept { return marks != 0; }
    /// The fullest that have room, so that others empty. Precondition: has_room().
    [[nodiscard]] buffer_part& fullest() noexcept {
        return lists[static_cast<unsigned>(std::bit_width(marks)) - 1].front();
    }
    /// Places that are free.
    [[nodiscard]] std::size_t vacant() const noexcept { return places - used; }
    /// What has been divided, and in which something is used, belongs to the class.
    void add(buffer_part& part) noexcept;
    void remove(buffer_part& part) noexcept;

    std::size_t buffer_bytes = 0;
    std::uint32_t marks = 0;  ///< a bit for each list of parts with room that is not empty
    std::array<part_list, levels + 1> lists;
    std::size_t places = 0;  ///< of all
    std::size_t used = 0;    ///< of these
};

}  // namespace leat::io
