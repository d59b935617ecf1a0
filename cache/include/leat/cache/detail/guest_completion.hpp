// Requests of guests that have ended, on their way from a shard to where their handlers run.
#pragma once

namespace leat::detail {

/// One of them. Those of one turn that go to the same place go together.
struct guest_completion {
    void* place = nullptr;
    /// Takes a list, linked by `next`, of completions with the same place.
    void (*hand_over)(guest_completion& first) noexcept = nullptr;
    guest_completion* next = nullptr;
};

/// Those of a shard's present turn. One thread.
class guest_completions {
public:
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    void push(guest_completion& ended) noexcept {
        ended.next = nullptr;
        *last_ = &ended;
        last_ = &ended.next;
    }
    /// Hands all over, a list for each place, in order.
    void flush() noexcept {
        while (first_ != nullptr) {
            guest_completion& head = *first_;
            guest_completion** mine = &head.next;
            guest_completion** other = &first_;
            for (guest_completion* next = head.next; next != nullptr; next = next->next) {
                guest_completion**& end = next->place == head.place ? mine : other;
                *end = next;
                end = &next->next;
            }
            *mine = nullptr;
            *other = nullptr;
            last_ = other;
            head.hand_over(head);
        }
    }

private:
    guest_completion* first_ = nullptr;
    guest_completion** last_ = &first_;
};

}  // namespace leat::detail
