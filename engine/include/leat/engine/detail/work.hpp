// A unit of work for a shard, and an intrusive queue of them.
#pragma once

namespace leat::detail {

/// Something a shard is to run once: a message from another shard, a coroutine to resume, a timer
/// that has fired. Intrusive, owned by whoever made it, and free again as soon as `run` is called;
/// `run` may therefore destroy it or send it on.
struct work {
    using function = void (*)(work&) noexcept;

    explicit work(function run_ = nullptr) noexcept : run(run_) {}
    work(const work&) = delete;
    work& operator=(const work&) = delete;

    function run;
    work* next = nullptr;  ///< kept by the queue that holds it
};

/// First in, first out; never allocates. One thread.
class work_queue {
public:
    work_queue() = default;
    work_queue(const work_queue&) = delete;
    work_queue& operator=(const work_queue&) = delete;

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] work* front() const noexcept { return first_; }

    void push(work& item) noexcept {
        item.next = nullptr;
        *last_ = &item;
        last_ = &item.next;
    }

    /// The oldest item, or nullptr.
    work* pop() noexcept {
        work* const item = first_;
        if (item != nullptr) {
            first_ = item->next;
            if (first_ == nullptr) last_ = &first_;
        }
        return item;
    }

    /// Appends what `other` holds and leaves it empty.
    void splice(work_queue& other) noexcept {
        if (other.empty()) return;
        *last_ = other.first_;
        last_ = other.last_;
        other.first_ = nullptr;
        other.last_ = &other.first_;
    }

private:
    work* first_ = nullptr;
    work** last_ = &first_;
};

}  // namespace leat::detail
