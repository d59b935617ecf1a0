// Keeps what was read ahead out of the policy until its reader has come, or has not.
#include "ahead_list.hpp"

#include <algorithm>
#include <iterator>

namespace leat::detail {

namespace {
// What a device could have read in the time that a read takes besides its bytes: at 85 us and
// 2.4 GB/s.
constexpr std::uint64_t bytes_a_read = 200 * KiB;
// So much of the memory is loaded until what was loaded before counts half.
constexpr std::uint64_t memories_of_late = 4;

// Nobody refers to it, and nobody has come.
bool can_go(const chunk& waiting) noexcept {
    return !waiting.pinned() && !waiting.under_way() && !waiting.ever_used();
}
}  // namespace

void ahead_list::note_load(std::uint64_t bytes, std::int64_t now) noexcept {
    loaded_bytes_ += bytes;
    evicted_.set_memory(memory_.bytes());
    wait_.set_memory(memory_.bytes());
    wait_.loaded(bytes, now);
    in_reads_ += bytes_a_read;
    if (in_reads_ + beside_others_ <= memories_of_late * memory_.bytes()) return;
    in_reads_ /= 2;
    beside_others_ /= 2;
}

void ahead_list::add(chunk& ahead) noexcept {
    if (!ahead.in_policy || ahead.keep != retention::normal) return;
    policy_.erase(ahead);
    ahead.waits_for_reader = true;
    ahead.placed = static_cast<std::int64_t>(loaded_bytes_);
    bytes_ += ahead.bytes;
    in_reads_ -= std::min(in_reads_, bytes_a_read);
    beside_others_ += ahead.bytes;
    list_.push_back(ahead);
}

void ahead_list::look_behind(chunk& from) noexcept {
    const auto next = std::next(list_.iterator_to(from));
    next_look_ = next == list_.end() ? nullptr : &*next;
}

void ahead_list::wanted(std::uint64_t key, std::uint64_t bytes) noexcept {
    const std::uint64_t all = bytes * evicted_.of_each();
    switch (evicted_.wanted(key)) {
        case evicted_keys::lack::none:
            break;
        case evicted_keys::lack::unread:
            wait_.unread_wanted(all, evicted_.of_each());
            break;
        case evicted_keys::lack::used:
            wait_.used_wanted(all);
            break;
    }
}

// What others have used, too, does not say when its own reader was there.
void ahead_list::note_reader(const chunk& waited) noexcept {
    if (!waited.ever_used() || waited.ends.visited_anew()) return;
    wait_.came(waited.since, waited.latest_use());
}

void ahead_list::remove(chunk& waited) noexcept {
    if (!waited.waits_for_reader) return;
    waited.waits_for_reader = false;
    if (next_look_ == &waited) look_behind(waited);
    list_.erase(list_.iterator_to(waited));
    bytes_ -= waited.bytes;
    note_reader(waited);
    waited.note_uses();
    // Where the policy wanted it when it came, as something that comes again; but what came beside
    // others costs less to read again than what is read alone: where that keeps the device busy,
    // it is to have the memory.
    if (beside_others_ >= in_reads_) {
        policy_.put_back(waited);
    } else {
        policy_.insert(waited);
    }
}

bool ahead_list::remove_all() noexcept {
    const bool any = !list_.empty();
    while (!list_.empty()) remove(static_cast<chunk&>(list_.front()));
    return any;
}

void ahead_list::moved(chunk& from, chunk& to) noexcept {
    if (to.waits_for_reader) static_cast<resident_link&>(to).swap_nodes(from);
    if (next_look_ == &from) next_look_ = &to;
}

std::uint64_t ahead_list::looks_before(std::uint64_t for_bytes) const noexcept {
    // More than are loaded, so that all are looked at again and again.
    constexpr std::uint64_t most_looks = 64;
    return std::min(4 * std::max<std::uint64_t>(for_bytes / fragment_size, 1),
                    std::min<std::uint64_t>(most_looks, list_.size()));
}

chunk* ahead_list::waits_in_vain(std::uint64_t& looks) noexcept {
    for (; looks != 0 && !list_.empty(); --looks) {
        auto& one = static_cast<chunk&>(next_look_ != nullptr ? *next_look_ : list_.front());
        look_behind(one);
        if (one.ever_used()) {
            // A reader comes through a chunk by many uses.
            const std::int64_t before = one.used;
            one.note_uses();
            if (one.used != before) one.placed = static_cast<std::int64_t>(loaded_bytes_);
            const bool on_its_way = one.piece.is_chunk() &&
                                    waited_for(one) <= memory_.bytes() / 4 && !one.come_through();
            if (!on_its_way) remove(one);
        } else if (waited_for(one) > wait_.bytes() && can_go(one)) {
            --looks;
            return &one;
        }
    }
    looks = 0;
    return nullptr;
}

chunk* ahead_list::longest_waiting() noexcept {
    constexpr int looks = 64;
    int left = looks;
    for (auto next = list_.begin(); next != list_.end() && left > 0; --left) {
        auto& one = static_cast<chunk&>(*next++);
        if (can_go(one)) return &one;
        // Its reader is there: the policy, and who asks it, know what to do with what is pinned.
        if (one.pinned()) remove(one);
    }
    return nullptr;
}

bool ahead_list::all_pinned() const noexcept {
    return std::all_of(list_.begin(), list_.end(),
                       [](const resident& one) { return static_cast<const chunk&>(one).pinned(); });
}

}  // namespace leat::detail
