// The orderly end of a server: what has begun is finished, and nothing new begins.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace leat::apps {

/// Counts what is under way. Any thread may use it.
class draining {
public:
    /// One thing that is to be finished, until it is destroyed.
    class part {
    public:
        explicit part(draining& of) noexcept : of_(of) { of_.under_way_.fetch_add(1); }
        part(const part&) = delete;
        part& operator=(const part&) = delete;
        ~part() { of_.under_way_.fetch_sub(1); }

    private:
        draining& of_;
    };

    /// Whether nothing new is to begin.
    [[nodiscard]] bool begun() const noexcept { return begun_.load(); }
    /// Begins it, and waits until nothing is under way, or for so long. Not on a shard: it blocks.
    void finish_within(std::chrono::milliseconds most) {
        using clock = std::chrono::steady_clock;
        begun_.store(true);
        for (const auto end = clock::now() + most; under_way_.load() != 0 && clock::now() < end;)
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }

private:
    std::atomic<long> under_way_{0};
    std::atomic<bool> begun_{false};
};

}  // namespace leat::apps
