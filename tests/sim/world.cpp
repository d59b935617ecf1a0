// What all parts of a simulation share.
#include "world.hpp"

#include "allocations.hpp"

namespace leat::sim {

namespace {
world* only = nullptr;
}  // namespace

world::world(const plan& wanted, bool print)
    : planned(wanted), schedule(wanted.seed, 2), device(wanted.seed, 3), log(print) {
    only = this;
}

world::~world() {
    only = nullptr;
}

world* world::current() noexcept {
    return only;
}

std::string world::place() const {
    return running < 0 ? "outside the shards" : "on shard " + std::to_string(running);
}

bool world::blamed(int error, std::uint64_t number, std::uint64_t time) const {
    for (const std::uint64_t of : {number, std::uint64_t{0}}) {
        const auto found = blamed_.find({error, of});
        if (found != blamed_.end() && found->second >= time) return true;
    }
    return false;
}

}  // namespace leat::sim
