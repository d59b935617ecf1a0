// How a run fails: the sentence, the seed, the end.
#include "verdict.hpp"

#include "allocations.hpp"
#include "world.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace leat::sim {

namespace {
verdict_board unshared;
verdict_board* board = &unshared;
}  // namespace

void report_to(verdict_board& to) noexcept {
    board = &to;
}

void fail(const std::string& what) noexcept {
    const allocations_succeed here;
    std::string text = what;
    if (const world* const all = world::current()) {
        text += "\n  at " + std::to_string(all->now_ns()) + " ns of virtual time, " + all->place();
    }
    const std::size_t length = std::min(text.size(), verdict_board::text_bytes - 1);
    std::copy_n(text.data(), length, board->text);
    board->text[length] = '\0';
    board->failed = true;
    std::fflush(nullptr);
    ::_exit(failed_status);
}

}  // namespace leat::sim
