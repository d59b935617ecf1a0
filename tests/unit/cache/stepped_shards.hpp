// Two shards of a hosted engine, whose turns the test makes.
#pragma once

#include <leat/leat.hpp>

#include <utility>

namespace leat::test {

inline void start_both(engine& owner) {
    owner.start();
    owner.at(0).open();
    owner.at(1).open();
}

inline void turn_both(engine& owner) {
    owner.at(0).turn();
    owner.at(1).turn();
}

/// What the job gives, on that shard, when nothing runs any more.
template <class T>
T complete(engine& owner, unsigned shard, task<T> job) {
    spawned<T> running = owner.spawn_on(shard, std::move(job));
    while (owner.roots() != 0) turn_both(owner);
    return running.get();
}

}  // namespace leat::test
