// Explores the interleavings of threads and the stale loads that the memory model allows.
#include "interleaving.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace leat::test {

std::uint64_t explorer::run(const std::function<program()>& make) {
    current_ = this;
    std::uint64_t runs = 0;
    do {
        locations_ = 0;
        position_ = 0;
        preemptions_left_ = preemptions_;
        stuck_ = false;
        const program wanted = make();
        run_once(wanted);
        if (wanted.check && !stuck_) wanted.check();
        ++runs;
    } while (failure_.empty() && next_path());
    current_ = nullptr;
    return runs;
}

void explorer::run_once(const program& wanted) {
    actors_.clear();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < wanted.threads.size(); ++i) {
        actors_.push_back(std::make_unique<actor>());
    }
    for (std::size_t i = 0; i < wanted.threads.size(); ++i) {
        threads.emplace_back([this, &wanted, i] {
            actors_[i]->go.acquire();
            wanted.threads[i]();
            actors_[i]->finished = true;
            hand_over(false);
        });
    }
    running_ = static_cast<int>(choose(static_cast<unsigned>(actors_.size())));
    actors_[static_cast<std::size_t>(running_)]->go.release();
    over_.acquire();
    running_ = -1;
    for (std::thread& thread : threads) thread.join();
}

// Moves on to the next path in the tree of choices.
bool explorer::next_path() {
    while (!path_.empty() && path_.back().taken + 1 == path_.back().count) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().taken;
    return true;
}

unsigned explorer::choose(unsigned count) {
    if (count <= 1) return 0;
    if (position_ == path_.size()) path_.push_back({0, count});
    return path_[position_++].taken;
}

void explorer::step() {
    hand_over(true);
}

bool explorer::wait_until(std::function<bool()> ready) {
    actor& self = *actors_[static_cast<std::size_t>(running_)];
    if (!ready()) {
        self.ready = std::move(ready);
        hand_over(true);
        self.ready = nullptr;
    }
    return !stuck_;
}

// Lets one of the threads that can go on do so; the running one among them if it may stay.
void explorer::hand_over(bool may_stay) {
    const auto self = static_cast<std::size_t>(running_);
    const bool stays = may_stay && (stuck_ || runnable(*actors_[self]));
    if (stays && (stuck_ || preemptions_left_ == 0)) return;
    std::vector<std::size_t> candidates;
    if (stays) candidates.push_back(self);
    bool unfinished = false;
    for (std::size_t i = 0; i < actors_.size(); ++i) {
        if (actors_[i]->finished) continue;
        unfinished = true;
        if (i != self && (stuck_ || runnable(*actors_[i]))) candidates.push_back(i);
    }
    if (!unfinished) {
        over_.release();
        return;
    }
    if (candidates.empty()) {
        require(false, "every thread waits: a wake-up was lost");
        stuck_ = true;  // lets all of them return
        hand_over(may_stay);
        return;
    }
    const std::size_t next = candidates[choose(static_cast<unsigned>(candidates.size()))];
    if (next == self) return;
    if (stays) --preemptions_left_;
    running_ = static_cast<int>(next);
    actors_[next]->go.release();
    if (may_stay) actors_[self]->go.acquire();
}

void explorer::require(bool holds, const char* what) {
    if (!holds && failure_.empty()) failure_ = what;
}

std::uint32_t& explorer::seen(std::uint32_t location) {
    view& own = actors_[static_cast<std::size_t>(running_)]->seen;
    if (own.size() <= location) own.resize(location + 1);
    return own[location];
}

void explorer::join_view(const view& other) {
    view& own = actors_[static_cast<std::size_t>(running_)]->seen;
    if (own.size() < other.size()) own.resize(other.size());
    for (std::size_t i = 0; i < other.size(); ++i) own[i] = std::max(own[i], other[i]);
}

explorer::view explorer::own_view() const {
    return actors_[static_cast<std::size_t>(running_)]->seen;
}

void explorer::note_read(std::uint32_t location, std::uint32_t index) noexcept {
    actor& self = *actors_[static_cast<std::size_t>(running_)];
    const bool same = self.last_location == location && self.last_index == index;
    self.repeats = same ? self.repeats + 1 : 0;
    self.last_location = location;
    self.last_index = index;
    if (stuck_ && self.repeats > 1000) {
        std::fputs("a thread spins on a value that never changes\n", stderr);
        std::abort();
    }
}

bool explorer::spins_on(std::uint32_t location) const noexcept {
    const actor& self = *actors_[static_cast<std::size_t>(running_)];
    return self.last_location == location && self.repeats >= 3;
}

}  // namespace leat::test
