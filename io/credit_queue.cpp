// Who may submit next, within the completions that the ring has room for.
#include "credit_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace leat::io {

namespace {

// An eighth, but of large credit no more than so much; a zero-copy send needs two.
constexpr unsigned most_for_answers = 512;
constexpr unsigned least_for_answers = 2;
// What waits besides connections: accepts, polls, connections to elsewhere.
constexpr unsigned most_besides = 256;

}  // namespace

void credit_queue::set_credit(unsigned all) noexcept {
    assert(all >= least);
    assert(
        std::all_of(lines_.begin(), lines_.end(), [](const line& one) { return one.held == 0; }));
    all_ = all;
    sockets_ = all - (all + 3) / 4;
    waits_ = sockets_ - std::clamp(sockets_ / 8, least_for_answers, most_for_answers);
}

unsigned credit_queue::connection_limit() const noexcept {
    return std::max(1U, waits_ - std::clamp(waits_ / 8, 1U, most_besides));
}

credit_queue::part credit_queue::part_of(const operation& op) noexcept {
    switch (op.code) {
        case opcode::read:
        case opcode::read_vector:
        case opcode::open:
        case opcode::stat:
        case opcode::stat_file_system:
        case opcode::close:
            return part::files;
        case opcode::send:
        case opcode::shutdown:
            return part::answers;
        case opcode::accept:
        case opcode::connect:
        case opcode::receive:
        case opcode::poll:
            break;
    }
    return part::waits;
}

bool credit_queue::covers(part which, std::uint64_t credit) const noexcept {
    const unsigned waits = of(part::waits).held;
    const unsigned sockets = waits + of(part::answers).held;
    if (sockets + of(part::files).held + credit > all_) {
        return false;
    }
    return which == part::files ||
           (sockets + credit <= sockets_ && (which == part::answers || waits + credit <= waits_));
}

bool credit_queue::has_room_to_wait(std::uint64_t credit) const noexcept {
    const line& waits = of(part::waits);
    return covers(part::waits, credit) &&
           waits.held + credit + waits.count <= waits_ - (waits_ + 7) / 8;
}

void credit_queue::push_back(operation& op) noexcept {
    line& to = of(part_of(op));
    to.operations.push_back(op);
    ++to.count;
}

void credit_queue::push_front(operation& op) noexcept {
    line& to = of(part_of(op));
    to.operations.push_front(op);
    ++to.count;
    ++to.counted;
}

void credit_queue::withdraw(operation& op) noexcept {
    unlink(op);
    --of(part_of(op)).count;
}

bool credit_queue::empty() const noexcept {
    return std::all_of(lines_.begin(), lines_.end(),
                       [](const line& one) { return one.operations.empty(); });
}

void credit_queue::take(operation& op, unsigned credit) noexcept {
    const part which = part_of(op);
    line& from = of(which);
    assert(&from.operations.front() == &op && covers(which, credit));
    from.operations.pop_front();
    --from.count;
    from.counted -= from.counted > 0 ? 1 : 0;
    from.held += credit;
    op.credit = credit;
    turn_ = (static_cast<std::size_t>(which) + 1) % lines_.size();
}

void credit_queue::give_back(operation& op) noexcept {
    line& to = of(part_of(op));
    assert(to.held >= op.credit);
    to.held -= std::exchange(op.credit, 0);
}

std::size_t credit_queue::count_deferred() noexcept {
    std::size_t begun = 0;
    for (line& one : lines_) {
        begun += one.count - std::min(one.count, one.counted);
        one.counted = one.count;
    }
    return begun;
}

std::size_t credit_queue::size() const noexcept {
    return lines_[0].count + lines_[1].count + lines_[2].count;
}

unsigned credit_queue::held() const noexcept {
    return lines_[0].held + lines_[1].held + lines_[2].held;
}

const char* credit_queue::fault() const noexcept {
    const unsigned waits = of(part::waits).held;
    const unsigned sockets = waits + of(part::answers).held;
    if (held() > all_) return "more credit is held than there is";
    if (sockets > sockets_) return "sockets hold credit that is for files";
    if (waits > waits_) return "what waits for peers holds credit that is for answers";
    for (const line& one : lines_) {
        if (one.operations.size() != one.count) return "waiting operations are counted wrongly";
        for (const operation& op : one.operations) {
            if (&of(part_of(op)) != &one) return "an operation waits in another line than its own";
            if (op.state != operation::phase::pending) return "an operation waits that has begun";
            if (op.credit != 0) return "an operation waits for credit that has some";
        }
    }
    return nullptr;
}

void credit_queue::add_to(operation_summary& summary) const {
    for (const line& one : lines_) {
        summary.add(one.operations);
    }
}

}  // namespace leat::io
