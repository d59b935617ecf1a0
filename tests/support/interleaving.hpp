// Runs a small concurrent program in every interleaving, with every stale load that is allowed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace leat::test {

/// Explores programs over explored_atomic: depth first over all choices of which thread goes on
/// before each atomic operation, and of which write a load reads.
///
/// The model is C++20's, with one restriction: writes enter a location's modification order as they
/// are executed. Each thread has a view, the oldest write it may still read of each location; a
/// release write carries its thread's view, an acquire read joins it. A sequentially consistent
/// read is not older than the last sequentially consistent access of its location. Memory that is
/// not atomic is always read fresh: model what a message carries by relaxed atomics.
///
/// A thread that reads the same write over and over is taken to spin: it waits for the next write.
class explorer {
public:
    /// What is run: the threads, and then `check`, which calls explorer::require.
    struct program {
        std::vector<std::function<void()>> threads;
        std::function<void()> check;
    };
    using view = std::vector<std::uint32_t>;

    /// At most so many times is a thread interrupted that could go on.
    explicit explorer(unsigned preemptions) : preemptions_(preemptions) {}

    /// Runs what make() gives until all choices are explored or one run fails. Returns the number
    /// of runs.
    std::uint64_t run(const std::function<program()>& make);
    /// What failed, or "".
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

    // For programs.

    /// The explorer that runs; one at a time.
    static explorer& current() noexcept { return *current_; }
    /// Notes a failure of this run unless `holds`.
    void require(bool holds, const char* what);
    /// Blocks the thread until ready(), which looks at latest() values. Returns false, and fails
    /// the run, if that can no longer be.
    bool wait_until(std::function<bool()> ready);

    // For explored_atomic.

    /// Before each atomic operation: another thread may go first.
    void step();
    /// One of 0 ... count - 1, each in another run.
    unsigned choose(unsigned count);
    [[nodiscard]] bool exploring() const noexcept { return running_ >= 0; }
    [[nodiscard]] std::uint32_t new_location() noexcept { return locations_++; }
    /// The running thread's view of a location.
    [[nodiscard]] std::uint32_t& seen(std::uint32_t location);
    void join_view(const view& other);
    [[nodiscard]] view own_view() const;
    /// The running thread has read this write; whether it did so over and over, and nothing else.
    void note_read(std::uint32_t location, std::uint32_t index) noexcept;
    [[nodiscard]] bool spins_on(std::uint32_t location) const noexcept;

private:
    struct choice {
        unsigned taken;
        unsigned count;
    };
    struct actor {
        std::binary_semaphore go{0};
        std::function<bool()> ready;  // while it is blocked
        bool finished = false;
        view seen;
        std::uint32_t last_location = ~0u;
        std::uint32_t last_index = 0;
        unsigned repeats = 0;
    };

    void run_once(const program& wanted);
    [[nodiscard]] bool next_path();
    void hand_over(bool may_stay);
    [[nodiscard]] bool runnable(const actor& one) const { return !one.ready || one.ready(); }

    inline static explorer* current_ = nullptr;
    const unsigned preemptions_;
    unsigned preemptions_left_ = 0;
    std::vector<choice> path_;
    std::size_t position_ = 0;
    std::vector<std::unique_ptr<actor>> actors_;
    std::binary_semaphore over_{0};
    int running_ = -1;
    bool stuck_ = false;
    std::uint32_t locations_ = 0;
    std::string failure_;
};

/// A stand-in for std::atomic whose operations an explorer orders.
template <class T>
class explored_atomic {
public:
    explored_atomic() : explored_atomic(T{}) {}
    explored_atomic(T value) : id_(explorer::current().new_location()) {
        history_.push_back({value, {}});
    }
    explored_atomic(const explored_atomic&) = delete;
    explored_atomic& operator=(const explored_atomic&) = delete;

    T load(std::memory_order order) const {
        explorer& by = explorer::current();
        if (!by.exploring()) return latest();
        by.step();
        const bool strict = order == std::memory_order_seq_cst;
        std::uint32_t oldest = by.seen(id_);
        if (strict && strict_ > oldest) oldest = strict_;
        if (by.spins_on(id_)) {
            by.wait_until([this, before = oldest] { return newest() > before; });
            oldest = newest();
        }
        const std::uint32_t index = newest() - by.choose(newest() - oldest + 1);
        by.seen(id_) = index;
        by.note_read(id_, index);
        if (strict && index > strict_) strict_ = index;
        if (order != std::memory_order_relaxed) by.join_view(history_[index].carried);
        return history_[index].value;
    }
    void store(T value, std::memory_order order) { write(value, order, {}); }
    T exchange(T value, std::memory_order order) {
        return modify([&](T) { return value; }, order);
    }
    T fetch_or(T bits, std::memory_order order) {
        return modify([&](T old) { return old | bits; }, order);
    }
    T fetch_add(T count, std::memory_order order) {
        return modify([&](T old) { return old + count; }, order);
    }
    T fetch_sub(T count, std::memory_order order) {
        return modify([&](T old) { return old - count; }, order);
    }
    bool compare_exchange_weak(T& expected,
                               T desired,
                               std::memory_order success,
                               std::memory_order failure) {
        explorer& by = explorer::current();
        if (by.exploring()) by.step();
        if (latest() == expected) {
            change(desired, success);
            return true;
        }
        expected = latest();
        observe(failure);
        return false;
    }

    bool compare_exchange_strong(T& expected,
                                 T desired,
                                 std::memory_order success,
                                 std::memory_order failure) {
        return compare_exchange_weak(expected, desired, success, failure);  // never spurious here
    }

    /// The newest value, for checks and for explorer::wait_until; no operation of the program.
    [[nodiscard]] T latest() const { return history_.back().value; }

private:
    struct entry {
        T value;
        explorer::view carried;  // what an acquire read learns
    };

    [[nodiscard]] std::uint32_t newest() const {
        return static_cast<std::uint32_t>(history_.size() - 1);
    }
    static bool acquires(std::memory_order order) {
        return order != std::memory_order_relaxed && order != std::memory_order_release;
    }
    static bool releases(std::memory_order order) {
        return order == std::memory_order_release || order == std::memory_order_acq_rel ||
               order == std::memory_order_seq_cst;
    }
    // Reads the newest write, as a read-modify-write does.
    void observe(std::memory_order order) const {
        explorer& by = explorer::current();
        if (!by.exploring()) return;
        by.seen(id_) = newest();
        if (acquires(order)) by.join_view(history_.back().carried);
    }
    void append(T value, std::memory_order order, explorer::view carried) {
        explorer& by = explorer::current();
        if (by.exploring()) {
            by.seen(id_) = newest() + 1;
            by.note_read(id_, newest() + 1);
        }
        history_.push_back({value, std::move(carried)});
        if (by.exploring() && releases(order)) merge(history_.back().carried, by.own_view());
        if (order == std::memory_order_seq_cst) strict_ = newest();
    }
    void write(T value, std::memory_order order, explorer::view carried) {
        if (explorer::current().exploring()) explorer::current().step();
        append(value, order, std::move(carried));
    }
    // It continues the release sequence of the write it read.
    void change(T value, std::memory_order order) {
        observe(order);
        append(value, order, explorer::view{history_.back().carried});
    }
    template <class Function>
    T modify(Function function, std::memory_order order) {
        if (explorer::current().exploring()) explorer::current().step();
        const T old = latest();
        change(static_cast<T>(function(old)), order);
        return old;
    }
    static void merge(explorer::view& into, const explorer::view& other) {
        if (into.size() < other.size()) into.resize(other.size());
        for (std::size_t i = 0; i < other.size(); ++i) into[i] = std::max(into[i], other[i]);
    }

    std::uint32_t id_;
    std::vector<entry> history_;
    mutable std::uint32_t strict_ = 0;  // the newest sequentially consistent access
};

/// A thread that sleeps until it is woken, as io::backend::run and wake do.
class explored_sleep {
public:
    void wake() { woken_.exchange(1, std::memory_order_acq_rel); }
    /// Returns false if nobody will ever wake it.
    bool sleep() {
        if (!explorer::current().wait_until([this] { return woken_.latest() != 0; })) return false;
        woken_.exchange(0, std::memory_order_acq_rel);
        return true;
    }

private:
    explored_atomic<std::uint32_t> woken_{0};
};

}  // namespace leat::test
