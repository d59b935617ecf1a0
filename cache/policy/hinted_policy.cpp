// Two queues around a policy.
#include "hinted_policy.hpp"

#include "queue_policy.hpp"

#include <utility>

namespace leat::detail {

namespace {

class hinted_policy final : public queue_policy<2> {
public:
    explicit hinted_policy(std::unique_ptr<eviction_policy> ordered) noexcept
        : ordered_(std::move(ordered)) {}

    [[nodiscard]] told_uses tell() const noexcept override { return ordered_->tell(); }
    void expect(std::uint64_t key, std::uint64_t bytes) noexcept override {
        ordered_->expect(key, bytes);
    }
    void loaded(std::uint64_t bytes) noexcept override { ordered_->loaded(bytes); }
    void insert(resident& added) noexcept override {
        if (plain(added)) return ordered_->insert(added);
        enter(added, queue_of(added));
    }
    void erase(resident& gone) noexcept override {
        if (plain(gone)) return ordered_->erase(gone);
        queue_policy::erase(gone);
    }
    void replace(resident& moved, resident& by) noexcept override {
        if (plain(moved)) return ordered_->replace(moved, by);
        queue_policy::replace(moved, by);
    }
    void put_back(resident& back) noexcept override {
        if (plain(back)) return ordered_->put_back(back);
        enter(back, queue_of(back));
    }
    void served(resident& landed) noexcept override {
        if (plain(landed)) ordered_->served(landed);
    }
    void reused(resident& again) noexcept override {
        if (plain(again)) ordered_->reused(again);
    }
    [[nodiscard]] resident_queue* first_to_go() noexcept override { return &queue(first); }
    void set_capacity(std::uint64_t bytes) noexcept override { ordered_->set_capacity(bytes); }
    [[nodiscard]] std::uint64_t remembered_bytes() const noexcept override {
        return ordered_->remembered_bytes();
    }
    void remember_at_most(std::uint64_t bytes) noexcept override {
        ordered_->remember_at_most(bytes);
    }
    [[nodiscard]] bool empty() const noexcept override {
        return queue_policy::empty() && ordered_->empty();
    }

    resident* victim(judge decide, void* state) noexcept override {
        bool stopped = false;
        resident* found = first_victim(decide, state, stopped);
        if (found != nullptr || stopped) return found;
        // What stops the search there stops it here, too: that costs one question.
        found = ordered_->victim(decide, state);
        if (found != nullptr) return found;
        return unused(last, last, decide, state, stopped);
    }

    bool victims(judge decide, taker take, void* state, std::uint64_t kind) noexcept override {
        bool stopped = false;
        while (resident* const found = first_victim(decide, state, stopped)) {
            if (!take(state, *found)) return false;
        }
        if (stopped) return true;
        if (!ordered_->victims(decide, take, state, kind)) return false;
        while (resident* const found = unused(last, last, decide, state, stopped)) {
            if (!take(state, *found)) return false;
        }
        return true;
    }

private:
    static constexpr std::uint8_t first = 0;
    static constexpr std::uint8_t last = 1;

    [[nodiscard]] static bool plain(const resident& one) noexcept {
        return one.keep == retention::normal;
    }
    [[nodiscard]] static std::uint8_t queue_of(const resident& one) noexcept {
        return one.keep == retention::last_to_go ? last : first;
    }

    resident* first_victim(judge decide, void* state, bool& stopped) noexcept {
        for (auto next = queue(first).begin(); next != queue(first).end();) {
            resident& oldest = *next++;
            const verdict said = decide(state, oldest);
            stopped = said == verdict::stop;
            if (stopped) return nullptr;
            if (passes(said)) continue;
            leave(oldest);
            if (said == verdict::evict) return &oldest;
            if (said == verdict::set_aside) continue;
            oldest.keep = retention::normal;
            ordered_->insert(oldest);
        }
        return nullptr;
    }

    std::unique_ptr<eviction_policy> ordered_;
};

}  // namespace

std::unique_ptr<eviction_policy> make_hinted_policy(std::unique_ptr<eviction_policy> ordered) {
    return std::make_unique<hinted_policy>(std::move(ordered));
}

}  // namespace leat::detail
