// What callers of engines and shards are expected to know; where they do not, the program ends.
#include "process.hpp"

#include <leat/engine/engine.hpp>
#include <leat/io/detail/misuse.hpp>

#include <string>
#include <thread>

namespace leat {

void engine::no_such_shard(unsigned index) const {
    refuse(errc::invalid_option, "there is no shard " + std::to_string(index) +
                                     ": this engine has " + std::to_string(shards()) +
                                     ", numbered from 0");
}

bool engine::inherited() const noexcept {
    const int process = started_in_.load(std::memory_order_relaxed);
    return process >= 0 && process != detail::forks();
}

void engine::expect_own_process() const noexcept {
    if (!inherited()) return;
    detail::misuse(
        "an engine was used in a forked child, but its shards are the parent's: make one in the "
        "child, or fork before the engine is started");
}

void engine::expect_no_shard(const char* sentence) const noexcept {
    if (shard::current() != nullptr) detail::misuse(sentence);
}

void engine::expect_may_wait() const noexcept {
    expect_own_process();
    expect_no_shard(
        "engine::run was called on a shard, which it would block: co_await the task there, or what "
        "spawn_on gives");
    if (!options_.hosted || stopping()) return;
    for (const auto& one : shards_) {
        if (one->opener_ != std::this_thread::get_id()) continue;
        detail::misuse(
            "engine::run was called on a thread that steps a shard of the engine, and would wait "
            "for itself: spawn_on the task and go on stepping");
    }
}

void shard::expect_opener() const noexcept {
    if (opener_.load(std::memory_order_relaxed) == std::this_thread::get_id()) return;
    detail::misuse(
        "a shard was stepped by a thread that has not opened it: make its host_loop, or open() it, "
        "on "
        "the thread that calls turn()");
}

void shard::expect_turn() const noexcept {
    expect_opener();
    engine_.expect_own_process();
    if (!in_turn_) return;
    detail::misuse(
        "a shard was stepped, or its host_loop destroyed, from inside its own turn, by a coroutine "
        "or handler: that is for the loop around the turns");
}

}  // namespace leat
