// What a run does, drawn from its seed.
#include "plan.hpp"

#include "random.hpp"

#include <leat/cache/chunk_config.hpp>
#include <leat/engine/options.hpp>

#include <algorithm>
#include <array>
#include <numeric>

namespace leat::sim {

namespace {
constexpr std::uint64_t KiB = 1024;
constexpr unsigned most_held = 4;
constexpr unsigned most_at_once = 4;

// How often each kind of deed is chosen.
constexpr std::array<unsigned, static_cast<std::size_t>(deed::count)> weights{
    44, 20, 14, 20, 12, 16, 14, 6, 10, 8, 12, 16, 10, 6, 18, 5, 12, 2, 1, 14, 4, 5};
constexpr unsigned all_weights = std::accumulate(weights.begin(), weights.end(), 0U);

deed any_deed(random_stream& random) {
    std::uint64_t left = random.below(all_weights);
    for (unsigned kind = 0; kind < weights.size(); ++kind) {
        if (left < weights[kind]) return static_cast<deed>(kind);
        left -= weights[kind];
    }
    return deed::get;
}

fault_set any_faults(random_stream& random) {
    fault_set faults;
    for (unsigned i = 0; i < fault_count; ++i)
        faults.set(static_cast<fault>(i), random.chance(400));
    // A run with these in it shows less of everything else.
    if (!random.chance(300)) faults.set(fault::stuck, false);
    if (!random.chance(50)) faults.set(fault::dead_device, false);
    if (!random.chance(500)) faults.set(fault::allocation, false);
    if (!random.chance(300)) faults.set(fault::mapping, false);
    return faults;
}

file_plan any_file(random_stream& random, std::uint64_t chunk_size) {
    file_plan file;
    file.size = random.between(1, 6 * chunk_size);
    if (random.chance(300)) file.size = random.between(1, 6) * chunk_size;
    if (random.chance(100)) file.size = random.between(1, 5000);
    constexpr std::array<unsigned, 4> alignments{1, 512, 4096, 4096};
    file.alignment = alignments[random.below(alignments.size())];
    // The code under test assumes 4096 where nothing is told.
    file.tells_alignment = file.alignment == 512 || random.chance(800);
    return file;
}
}  // namespace

plan make_plan(std::uint64_t seed, const selection& chosen) {
    random_stream random{seed, 1};
    plan made;
    made.seed = seed;
    made.faults = any_faults(random);
    for (unsigned i = 0; i < fault_count; ++i) {
        const auto kind = static_cast<fault>(i);
        if (chosen.without.has(kind)) made.faults.set(kind, false);
    }
    made.shards = static_cast<unsigned>(random.between(1, 4));
    made.chunk_size = random.between(1, 3) * 64 * KiB;
    // Requests above 256 KiB wait for their turn.
    if (random.chance(300)) made.chunk_size *= 3;
    const std::uint64_t upper = random.between(1, 4) * 64 * KiB;
    if (random.chance(200)) made.upper_chunk_size = upper;
    const auto actors = static_cast<unsigned>(random.between(1, 10));
    const std::uint64_t largest = std::max(made.chunk_size, made.upper_chunk_size);
    const std::uint64_t tight = random.between(2, 4);
    const std::uint64_t wide = random.between(5, 16);
    made.roomy = random.chance(500);
    std::uint64_t chunks = made.roomy ? 2 * (2 + actors * (most_held + 2 * most_at_once)) : wide;
    if (made.faults.has(fault::tight_memory)) {
        made.roomy = false;
        chunks = tight;
    }
    made.memory = chunks * largest;
    const auto credit = static_cast<unsigned>(random.between(4, 8));
    made.credit = made.faults.has(fault::tiny_credit) ? credit : 64;
    made.connections = static_cast<unsigned>(random.chance(500) ? random.between(1, 3) : 64);
    made.pin_deadline_ms = random.between(1, 10) * random.between(1, 400);
    const std::uint64_t stop_at = random.between(1, 60) * random.between(1, 1'000'000);
    if (made.faults.has(fault::engine_stop)) made.stop_at_ns = stop_at;
    const auto one_in = static_cast<unsigned>(1 << random.between(2, 11));
    if (made.faults.has(fault::allocation)) made.allocation_one_in = one_in;
    made.fault_permille = static_cast<unsigned>(random.between(5, 200));
    for (std::uint64_t left = random.between(1, 4); left > 0; --left)
        made.files.push_back(any_file(random, made.chunk_size));
    unsigned number = 0;
    for (unsigned i = 0; i < actors; ++i) {
        actor_plan actor;
        actor.shard = static_cast<unsigned>(random.below(made.shards));
        actor.start_ns = random.below(2) * random.below(3'000'000);
        for (std::uint64_t left = random.between(2, 30); left > 0; --left) {
            const deed kind = any_deed(random);
            const std::uint64_t a = random.next();
            const std::uint64_t b = random.next();
            const std::uint64_t c = random.next();
            const action step{kind, number++, a, b, c};
            if (chosen.all || chosen.actions.count(step.number) != 0) actor.actions.push_back(step);
        }
        if (!actor.actions.empty()) made.actors.push_back(std::move(actor));
    }
    made.actions = number;
    made.grain = random.chance(600) ? unit_size : 16 * MiB;
    if (random.chance(300)) made.reads_at_once = static_cast<unsigned>(random.between(1, 4));
    // What is pinned may keep a segment from serving another size.
    if (made.roomy) made.memory = chunks * 2 * MiB;
    return made;
}

}  // namespace leat::sim
