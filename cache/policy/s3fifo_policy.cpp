// S3-FIFO, and S3-FIFO/E: what comes for the first time passes through a short queue, and what is
// used meanwhile, or comes again soon after it has left, goes to a long one, in which what is used
// comes again. Source: Yang et al., FIFO Queues are All You Need for Cache Eviction, SOSP 2023.
//
// In S3-FIFO each use counts, and the short queue has a tenth of the memory. In S3-FIFO/E
// ("episode") only those uses count that begin a visit: one reader asks for a chunk in thousands of
// pieces without its being popular. Other uses only save a chunk from being evicted in the middle
// of them: it goes round once more in its queue. And the short queue is as long as what was evicted
// too early says, from either queue, as in ARC (Megiddo, Modha, FAST 2003): with chunks that are
// visited twice and never again, or with many readers side by side, a tenth is too short. Where
// nothing says anything for long it is a tenth again, and the long queue is filled: so a part of
// what is gone through again and again stays, however long that is.
#include "ghost_list.hpp"
#include "policies.hpp"
#include "queue_policy.hpp"

#include <algorithm>
#include <limits>

namespace leat::detail {

namespace {

class s3fifo_policy final : public queue_policy<2> {
public:
    s3fifo_policy(std::uint64_t capacity, bool by_visits)
        : by_visits_(by_visits),
          capacity_(static_cast<double>(capacity)),
          target_(capacity_ * usual),
          left_small_(capacity / 10 * 9),
          left_main_(by_visits ? capacity / 2 : 0) {
        set_most_in_vain();
    }

    [[nodiscard]] told_uses tell() const noexcept override {
        return by_visits_ ? told_uses::visits : told_uses::all;
    }
    void expect(std::uint64_t key, std::uint64_t bytes) noexcept override {
        const bool left_early = left_small_.refresh(key);
        if (!by_visits_) return;
        if (left_early) {
            in_vain_since_ = loaded_;
            const double longer = target_ + step(bytes, left_main_, left_small_);
            target_ = std::min(longer, capacity_ * longest);
        } else if (left_main_.contains(key)) {
            in_vain_since_ = loaded_;
            const double shorter = target_ - step(bytes, left_small_, left_main_);
            target_ = std::max(shorter, capacity_ * shortest);
        }
    }
    void set_capacity(std::uint64_t bytes) noexcept override {
        const auto capacity = static_cast<double>(bytes);
        target_ *= capacity / capacity_;
        capacity_ = capacity;
        set_most_in_vain();
        left_small_.set_most(bytes / 10 * 9);
        if (by_visits_) left_main_.set_most(bytes / 2);
    }
    [[nodiscard]] std::uint64_t remembered_bytes() const noexcept override {
        return left_small_.memory_bytes() + left_main_.memory_bytes();
    }
    void loaded(std::uint64_t bytes) noexcept override {
        loaded_ += bytes;
        if (loaded_ - in_vain_since_ > most_in_vain_) favour_main();
    }
    void insert(resident& added) noexcept override {
        added.reuses = 0;
        left_main_.erase(added.key);
        const bool again = left_small_.erase(added.key);
        stamp(added);
        enter(added, again || is_spare() ? main : small);
    }
    void reused(resident& again) noexcept override {
        again.count_reuse();
        stamp(again);
    }
    void put_back(resident& back) noexcept override {
        stamp(back);
        enter(back, back.queue == small && is_spare() ? main : back.queue);
    }

    resident* victim(judge decide, void* state) noexcept override {
        resident* found = nullptr;
        search(decide, state, false, [&](resident& one) {
            found = &one;
            return false;
        });
        return found;
    }
    bool victims(judge decide, taker take, void* state, std::uint64_t kind) noexcept override {
        bool taken = false;
        const auto give = [&](resident& one) {
            taken = true;
            return take(state, one);
        };
        const bool mine = kind == kind_;
        if (mine && skips_left_ != 0) {
            --skips_left_;
            const bool more = search(decide, state, true, give);
            if (taken) return more;
        }
        if (mine) skip_none();
        others_ = 0;
        const bool more = search(decide, state, mine, give);
        if (mine) {
            skips_left_ = taken ? most_skips : 0;
        } else if (others_ >= worth_skipping && skips_left_ == 0) {
            kind_ = kind;
        }
        return more;
    }

private:
    static constexpr std::uint8_t small = 0;
    static constexpr std::uint8_t main = 1;

    void skip_none() noexcept {
        queue(small).skip_none();
        queue(main).skip_none();
    }
    /// Whether `take` wants more than there are. If `skips`, those are not met that were of another
    /// kind in former searches, and more may be skipped by the next.
    template <class Take>
    bool search(judge decide, void* state, bool skips, Take take) noexcept {
        bool sweeps = meets_stale();
        auto small_next = skips ? queue(small).first_not_skipped() : queue(small).begin();
        auto main_next = skips ? queue(main).first_not_skipped() : queue(main).begin();
        bool skips_small = skips;  // nothing else has been met there
        bool skips_main = skips;
        // Each chunk may be met with three reuses and a use. Other shards go on using what is
        // looked at here: that must not keep this from ending.
        for (std::size_t left = 5 * count(); left > 0; --left) {
            const bool small_left = small_next != queue(small).end();
            const bool main_left = main_next != queue(main).end();
            if (!small_left && !main_left) break;
            const bool stale = sweeps && main_left && is_stale(*main_next);
            const bool from_small = small_left && (!main_left || (small_is_full() && !stale));
            auto& next = from_small ? small_next : main_next;
            resident& oldest = *next++;
            if (stale) oldest.reuses = 0;
            if (oldest.reuses >= (from_small ? promoting_ : 1)) {
                count_down(oldest, from_small, next, main_next);
                continue;
            }
            const verdict said = decide(state, oldest);
            if (said == verdict::stop) break;
            if (stale) look_at(oldest);
            if (stale && passes(said)) {
                // The round goes on with the next search, and this one as if there were none.
                queue(main).rotate(oldest, main_next);
                sweeps = false;
                continue;
            }
            bool& skips_here = from_small ? skips_small : skips_main;
            if (said == verdict::other) {
                ++others_;
                if (skips_here) queue(oldest.queue).skip_to(next);
                continue;
            }
            if (said == verdict::pass) {
                skips_here = false;
                continue;
            }
            if (said == verdict::used) {
                stamp(oldest);
                // With reuses it is met with again at once, as one that has them.
                if (oldest.reuses != 0 || !by_visits_) {
                    next = queue(oldest.queue).at(oldest);
                } else {
                    rotate(oldest, from_small, next);
                }
                continue;
            }
            leave(oldest);
            if (said == verdict::set_aside) continue;
            if (!from_small) filled_ = true;
            (from_small ? left_small_ : left_main_)
                .push(oldest.key, oldest.bytes, may_remember_more());
            if (!take(oldest)) return false;
        }
        return true;
    }

    void count_down(resident& oldest,
                    bool from_small,
                    resident_queue::iterator& next,
                    resident_queue::iterator& main_next) noexcept {
        if (from_small) {
            in_vain_since_ = loaded_;
            oldest.reuses = 0;
            move(oldest, main);
            if (main_next == queue(main).end()) main_next = queue(main).at(oldest);
        } else {
            --oldest.reuses;
            queue(main).rotate(oldest, next);
        }
    }
    /// Those of the short queue that have been seen used are not met with again in this search:
    /// where all are, the long one gives the victim.
    void rotate(resident& oldest, bool from_small, resident_queue::iterator& next) noexcept {
        if (from_small) {
            queue(small).rotate(oldest);
        } else {
            queue(main).rotate(oldest, next);
        }
    }

    /// Where nothing is used again in the short queue, nor wanted again that has left either, it
    /// helps nobody that the short one is long, or that the long one has room.
    void favour_main() noexcept {
        in_vain_since_ = loaded_;
        target_ = std::min(target_, std::max(target_ * shorter_by, capacity_ * usual));
        // Not all of the memory is in the queues: some is in use, and entries have some.
        const auto both = static_cast<double>(bytes(small) + bytes(main));
        filled_ = static_cast<double>(bytes(main)) >= both * (1 - target_ / capacity_) * nearly;
        round_left_ = bytes(main);
        looked_at_ = loaded_;
    }
    void set_most_in_vain() noexcept {
        most_in_vain_ = by_visits_ ? static_cast<std::uint64_t>(patience * capacity_)
                                   : std::numeric_limits<std::uint64_t>::max();
    }
    void stamp(resident& used) const noexcept { used.placed = static_cast<std::int64_t>(loaded_); }
    [[nodiscard]] bool is_stale(const resident& one) const noexcept {
        const auto since = static_cast<double>(loaded_) - static_cast<double>(one.placed);
        const double longer = 1 + twice_as_long / static_cast<double>(one.bytes);
        return since > stale_after * longer * capacity_;
    }
    /// Goes on with the round through the long queue, by no more than was loaded. A round leaves
    /// its order as it was. Whether the oldest there is stale now.
    [[nodiscard]] bool meets_stale() noexcept {
        for (unsigned looks = 0; round_left_ > 0 && looked_at_ < loaded_ && looks < most_looks;
             ++looks) {
            if (queue(main).empty()) return false;
            resident& oldest = *queue(main).begin();
            if (is_stale(oldest)) return true;
            look_at(oldest);
            queue(main).rotate(oldest);
        }
        return false;
    }
    void look_at(const resident& one) noexcept {
        round_left_ -= std::min<std::uint64_t>(round_left_, one.bytes);
        looked_at_ += one.bytes;
    }
    /// Until the long queue has been full once there is room for all.
    [[nodiscard]] bool is_spare() noexcept {
        filled_ = filled_ || static_cast<double>(bytes(main)) >= capacity_ - target_;
        return by_visits_ && !filled_ && small_is_full();
    }
    [[nodiscard]] bool small_is_full() const noexcept {
        return bytes(small) != 0 && static_cast<double>(bytes(small)) >= target_;
    }
    /// By how much a chunk that was evicted too early moves the border between the queues: more if
    /// few of those that its queue has evicted are remembered.
    [[nodiscard]] static double step(std::uint64_t bytes,
                                     const ghost_list& others,
                                     const ghost_list& own) noexcept {
        const double ratio = static_cast<double>(others.bytes()) / static_cast<double>(own.bytes());
        return 2 * static_cast<double>(bytes) * std::max(1.0, ratio);
    }

    // Bounds of the short queue, and with the step, and what is remembered, chosen by replay of
    // public block traces: see docs/policy.md.
    static constexpr double shortest = 0.02;
    static constexpr double usual = 0.1;
    static constexpr double longest = 0.8;

    // In memories: what is loaded in vain before something is done about it. After two, loops a
    // little longer than the memory lose more than longer ones gain.
    static constexpr double patience = 3;
    // What the short queue keeps of its share then: one scan does not undo what it has learnt.
    static constexpr double shorter_by = 0.8;
    // The part of its share with which the long queue counts as full then.
    static constexpr double nearly = 0.75;
    // In memories: what is loaded before that goes which nobody has used meanwhile. So long loops
    // keep what is worth it, and a scan that sends the rest away and is not repeated has made a
    // sixth more work, at most: so what is small, and costs a device more to read again than the
    // same bytes of a scan, stays longer, of `twice_as_long` bytes twice as long (85 us a read and
    // 2.4 GB/s).
    static constexpr double stale_after = 24;
    static constexpr double twice_as_long = 50 << 10;
    // A search is not to take long for it.
    static constexpr unsigned most_looks = 256;

    // Where a search has met so many of another kind, the next ones do not, but for each 17th: what
    // they are good for may have changed.
    static constexpr std::size_t worth_skipping = 64;
    static constexpr unsigned most_skips = 16;

    std::uint64_t kind_ = 0;  ///< of the searches that skip
    unsigned skips_left_ = 0;
    std::size_t others_ = 0;  ///< that the last search has met
    bool by_visits_;
    // In bytes:
    std::uint64_t loaded_ = 0;         ///< ever
    std::uint64_t in_vain_since_ = 0;  ///< when the short queue had something that was used again,
                                       ///< or what has left was wanted
    std::uint64_t most_in_vain_ = 0;
    std::uint64_t round_left_ = 0;  ///< of the long queue, that this round has not come to
    std::uint64_t looked_at_ = 0;   ///< as far as it has come, of all that was loaded
    bool filled_ = false;           ///< the long queue has been full, or has given something
    /// Reuses that bring a chunk from the short queue to the long one.
    unsigned promoting_ = by_visits_ ? 1 : 2;
    double capacity_;
    double target_;  ///< bytes that the short queue should have
    ghost_list left_small_;
    ghost_list left_main_;
};

}  // namespace

std::unique_ptr<eviction_policy> make_s3fifo_policy(std::uint64_t capacity) {
    return std::make_unique<s3fifo_policy>(capacity, false);
}

std::unique_ptr<eviction_policy> make_s3fifo_e_policy(std::uint64_t capacity) {
    return std::make_unique<s3fifo_policy>(capacity, true);
}

}  // namespace leat::detail
