// The completions that operations may give at once, who may have how many, and who waits for them.
#pragma once

#include "operation_list.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace leat::io {

/// What operations in flight may give is limited: the credit. What waits for a peer may do so for
/// ever, so it never gets all of it: sockets hold at most three quarters, and files always have the
/// rest. Of the sockets' part those that wait for a peer to begin something (receive, accept,
/// connect, poll) leave an eighth to those that answer one.
///
/// Operations that find no credit wait here, those of a kind in order; the kinds take turns. One
/// thread.
///
/// Invariants, told by fault(): no more is held than there is, by all, by sockets and by what waits
/// for a peer; those that wait here are counted, are pending and hold nothing.
class credit_queue {
public:
    static constexpr unsigned least = 4;

    explicit credit_queue(unsigned all = least) noexcept { set_credit(all); }
    credit_queue(const credit_queue&) = delete;
    credit_queue& operator=(const credit_queue&) = delete;

    /// From `least` on; while nothing is in flight.
    void set_credit(unsigned all) noexcept;

    /// How many connections may be open that each have one operation in flight, and leave room to
    /// accept another and for what else waits.
    [[nodiscard]] unsigned connection_limit() const noexcept;

    /// What operations that read, open and stat files hold.
    [[nodiscard]] unsigned held_by_files() const noexcept { return of(part::files).held; }
    /// Whether that many may be held by one more that waits, beside those that wait for credit, and
    /// an eighth be left.
    [[nodiscard]] bool has_room_to_wait(std::uint64_t credit) const noexcept;

    void push_back(operation& op) noexcept;
    /// Before those that have not had their turn: it has had one. It does not count as deferred.
    void push_front(operation& op) noexcept;
    /// Takes out one that waits here.
    void withdraw(operation& op) noexcept;

    [[nodiscard]] bool empty() const noexcept;
    /// The operation whose turn it is, or null if there is no credit for any. `cost` tells how much
    /// one needs; it may change until it is taken.
    template <class Cost>
    [[nodiscard]] operation* next(Cost cost) noexcept {
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            const std::size_t turn = (turn_ + i) % lines_.size();
            line& waiting = lines_[turn];
            if (waiting.operations.empty()) continue;
            operation& first = waiting.operations.front();
            if (covers(static_cast<part>(turn), cost(first))) return &first;
        }
        return nullptr;
    }
    /// Takes out what next() gave, with credit for it.
    void take(operation& op, unsigned credit) noexcept;
    /// The credit of an operation that was taken out; the rest stays with it.
    void give_back(operation& op) noexcept;

    /// How many of those that wait have begun to since the last call.
    [[nodiscard]] std::size_t count_deferred() noexcept;
    void add_to(operation_summary& summary) const;

    /// How many wait here, and what the others hold.
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] unsigned held() const noexcept;
    /// nullptr, or which invariant is broken. Takes time for each that waits.
    [[nodiscard]] const char* fault() const noexcept;

private:
    friend struct tampering;  // tests break what fault() tells
    enum class part : std::uint8_t { files, answers, waits };
    struct line {
        operation_list operations;
        std::size_t count = 0;
        std::size_t counted = 0;  ///< of the oldest, how many count_deferred() has told of
        unsigned held = 0;
    };

    [[nodiscard]] static part part_of(const operation& op) noexcept;
    [[nodiscard]] line& of(part which) noexcept { return lines_[static_cast<std::size_t>(which)]; }
    [[nodiscard]] const line& of(part which) const noexcept {
        return lines_[static_cast<std::size_t>(which)];
    }
    [[nodiscard]] bool covers(part which, std::uint64_t credit) const noexcept;

    unsigned all_ = 0;
    unsigned sockets_ = 0;
    unsigned waits_ = 0;
    std::array<line, 3> lines_;
    std::size_t turn_ = 0;
};

}  // namespace leat::io
